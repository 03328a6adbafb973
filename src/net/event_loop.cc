#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace gw::net {

namespace {

constexpr int kEventsPerWait = 256;
constexpr uint64_t kWakeTag = ~uint64_t{0};

uint64_t Tag(uint32_t slot, uint32_t generation) {
  return (static_cast<uint64_t>(generation) << 32) | slot;
}

}  // namespace

EventLoop::EventLoop(uint32_t index)
    : index_(index),
      timers_(SteadyClock::now()),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event);
}

EventLoop::~EventLoop() {
  close(wake_fd_);
  close(epoll_fd_);
}

void EventLoop::Run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    TakeEvents(ready_.empty() ? WaitMillis() : 0);
    RunReady();
    timers_.Advance(SteadyClock::now());
    if (has_posted_.load(std::memory_order_acquire)) RunPosted();
  }
}

void EventLoop::Stop() {
  stopping_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Post(std::function<void()> work) {
  {
    const std::lock_guard<std::mutex> lock(posted_mutex_);
    posted_.push_back(std::move(work));
    has_posted_.store(true, std::memory_order_release);
  }
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof(one));
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard<std::mutex> lock(posted_mutex_);
    batch.swap(posted_);
    has_posted_.store(false, std::memory_order_release);
  }
  for (const auto& work : batch) work();
}

int EventLoop::WaitMillis() const {
  const auto next = timers_.NextWake();
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - SteadyClock::now()).count();
  if (left <= 0) return 0;
  return left < 60'000 ? static_cast<int>(left) : 60'000;
}

void EventLoop::TakeEvents(int timeout_ms) {
  std::array<epoll_event, kEventsPerWait> events;
  const int count = epoll_wait(epoll_fd_, events.data(), kEventsPerWait, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeTag) {
      uint64_t drained = 0;
      (void)!read(wake_fd_, &drained, sizeof(drained));
      continue;
    }
    const auto slot = static_cast<uint32_t>(event.data.u64);
    const auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
    if (slots_[slot].generation == generation) Enqueue(slot, event.events);
  }
}

void EventLoop::Enqueue(uint32_t slot, uint32_t events) {
  Slot& entry = slots_[slot];
  entry.events |= events;
  if (entry.queued) return;
  entry.queued = true;
  ready_.push_back(Tag(slot, entry.generation));
}

// One round: what is queued meanwhile waits for the next, so that nobody starves the others.
void EventLoop::RunReady() {
  running_.swap(ready_);
  for (const uint64_t tag : running_) {
    const auto index = static_cast<uint32_t>(tag);
    if (slots_[index].generation != static_cast<uint32_t>(tag >> 32)) continue;
    slots_[index].queued = false;
    slots_[index].watcher->OnReady(std::exchange(slots_[index].events, 0));
  }
  running_.clear();
}

uint32_t EventLoop::Register(Watcher& watcher, int fd, uint32_t events) {
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& entry = slots_[slot];
  entry.watcher = &watcher;
  entry.events = 0;
  entry.queued = false;
  epoll_event event{};
  event.events = events;
  event.data.u64 = Tag(slot, entry.generation);
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  return slot;
}

void EventLoop::Unregister(uint32_t slot) {
  ++slots_[slot].generation;
  slots_[slot].watcher = nullptr;
  free_slots_.push_back(slot);
}

Watcher::~Watcher() {
  loop_.Unregister(slot_);
  close(fd_);  // leaves the epoll set with it
}

Sleep::Sleep(EventLoop& loop, Duration duration, CancelSlot* slot)
    : duration_(duration), slot_(slot), deadline_(loop.timers(), &Sleep::OnDeadline, this) {}

void Sleep::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  deadline_.Arm(SteadyClock::now() + duration_);
  if (slot_ != nullptr) slot_->Set(&Sleep::OnCancel, this);
}

void Sleep::OnDeadline(void* self) {
  auto* sleep = static_cast<Sleep*>(self);
  if (sleep->slot_ != nullptr) sleep->slot_->Clear();
  sleep->waiter_.resume();
}

void Sleep::OnCancel(void* self) {
  auto* sleep = static_cast<Sleep*>(self);
  sleep->cancelled_ = true;
  sleep->deadline_.Disarm();
  sleep->waiter_.resume();
}

namespace {

constexpr int kLastRounds = 16;

void StopAfter(EventLoop& loop, int rounds) {
  loop.Post([&loop, rounds] {
    if (rounds > 1) StopAfter(loop, rounds - 1);
    else loop.Stop();
  });
}

}  // namespace

void StopSoon(EventLoop& loop) { StopAfter(loop, kLastRounds); }

}  // namespace gw::net
