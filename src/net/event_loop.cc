#include "net/event_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace gw::net {

namespace asio = boost::asio;

struct EventLoop::Impl {
  // The reactor is used by one thread only; the scheduler stays safe for Post().
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  asio::steady_timer timer{io};
  TimePoint wake_at = TimePoint::max();
};

EventLoop::EventLoop(uint32_t index)
    : index_(index), timers_(SteadyClock::now()), impl_(std::make_unique<Impl>()) {}

EventLoop::~EventLoop() = default;

void EventLoop::Run() { impl_->io.run(); }

void EventLoop::Stop() { impl_->io.stop(); }

void EventLoop::Post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

asio::io_context& EventLoop::io() { return impl_->io; }

void EventLoop::ScheduleWake() {
  const auto next = timers_.NextWake();
  if (!next || *next >= impl_->wake_at) return;
  impl_->wake_at = *next;
  impl_->timer.expires_at(*next);
  impl_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) OnWake();
  });
}

void EventLoop::OnWake() {
  impl_->wake_at = TimePoint::max();
  timers_.Advance(SteadyClock::now());
  ScheduleWake();
}

Sleep::Sleep(EventLoop& loop, Duration duration, CancelSlot* slot)
    : loop_(loop), duration_(duration), slot_(slot), deadline_(loop.timers(), &Sleep::OnDeadline, this) {}

void Sleep::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  deadline_.Arm(SteadyClock::now() + duration_);
  loop_.ScheduleWake();
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

}  // namespace gw::net
