// One loop per worker thread: descriptors, deadlines, work posted from other threads.
//
//   epoll_wait --events--> ready queue --> Watcher::OnReady, one after the other, from the top of
//   the loop; then expired deadlines; then posted work
//
// Each descriptor is registered once, edge-triggered, for both directions; afterwards no epoll_ctl.
// Events name a slot and its generation, so that an event of a watcher that is gone by its turn is
// dropped: whatever a callback destroys, nothing dangles.
// Thread rule: everything of a loop belongs to its thread, except Post() and Stop().
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "net/timer_wheel.h"

namespace gw::net {

class Watcher;

class EventLoop {
 public:
  explicit EventLoop(uint32_t index);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Run();   // until Stop()
  void Stop();  // any thread
  void Post(std::function<void()> work);  // any thread; runs on the loop's thread

  [[nodiscard]] uint32_t index() const { return index_; }
  [[nodiscard]] TimerWheel& timers() { return timers_; }

 private:
  friend class Watcher;

  struct Slot {
    Watcher* watcher = nullptr;
    uint32_t generation = 0;
    uint32_t events = 0;   // gathered since the last OnReady
    bool queued = false;
  };

  uint32_t Register(Watcher& watcher, int fd, uint32_t events);
  void Unregister(uint32_t slot);
  void Enqueue(uint32_t slot, uint32_t events);
  [[nodiscard]] int WaitMillis() const;
  void TakeEvents(int timeout_ms);
  void RunReady();
  void RunPosted();

  const uint32_t index_;
  TimerWheel timers_;
  int epoll_fd_;
  int wake_fd_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<uint64_t> ready_, running_;  // generation << 32 | slot

  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_posted_{false};
  std::mutex posted_mutex_;                // guards posted_; never held while work runs
  std::vector<std::function<void()>> posted_;
};

// A descriptor on a loop. Owns and closes it. Internal to net/.
class Watcher {
 public:
  // `events` as for epoll_ctl.
  Watcher(EventLoop& loop, int fd, uint32_t events)
      : loop_(loop), fd_(fd), slot_(loop.Register(*this, fd, events)) {}
  virtual ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // What epoll said since the last call; 0 after Requeue alone. May destroy the watcher.
  virtual void OnReady(uint32_t events) = 0;

  [[nodiscard]] int fd() const { return fd_; }

 protected:
  // OnReady comes (again) in the next round of the loop.
  void Requeue() { loop_.Enqueue(slot_, 0); }
  EventLoop& loop_;

 private:
  int fd_;
  uint32_t slot_;
};

// What a wait can be cancelled by: a client that left, a drain. Owned by the waiting side.
class CancelSlot {
 public:
  using Callback = void (*)(void* context);
  void Set(Callback callback, void* context) {
    callback_ = callback;
    context_ = context;
  }
  void Clear() { callback_ = nullptr; }
  void Fire() {
    if (callback_ != nullptr) {
      const Callback callback = callback_;
      callback_ = nullptr;
      callback(context_);
    }
  }

 private:
  Callback callback_ = nullptr;
  void* context_ = nullptr;
};

// While it lives, the slot cancels `target`; afterwards it names nobody, however the waiting ended.
template <typename T>
class CancelScope {
 public:
  CancelScope(CancelSlot& slot, T& target) : slot_(slot) {
    slot_.Set([](void* cancelled) { static_cast<T*>(cancelled)->Cancel(); }, &target);
  }
  ~CancelScope() { slot_.Clear(); }
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  CancelSlot& slot_;
};

// Ends the loop after its next rounds: one each for cancelled operations, for the coroutines that waited
// for them, and for theirs.
void StopSoon(EventLoop& loop);

// co_await Sleep(loop, duration, slot): true when the time passed, false when `slot` fired first.
class Sleep {
 public:
  Sleep(EventLoop& loop, Duration duration, CancelSlot* slot);
  [[nodiscard]] bool await_ready() const noexcept { return duration_ <= Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiter);
  [[nodiscard]] bool await_resume() const noexcept { return !cancelled_; }

 private:
  static void OnDeadline(void* self);
  static void OnCancel(void* self);

  Duration duration_;
  CancelSlot* slot_;
  std::coroutine_handle<> waiter_;
  bool cancelled_ = false;
  Deadline deadline_;
};

}  // namespace gw::net
