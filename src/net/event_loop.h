// One loop per worker thread: sockets, deadlines, work posted from other threads.
//
// Boost.Asio lives behind this header and stream.h; nothing outside net/ includes it.
// Thread rule: everything of a loop belongs to its thread, except Post() and Stop().
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "net/timer_wheel.h"

namespace boost::asio {
class io_context;
}

namespace gw::net {

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
  [[nodiscard]] boost::asio::io_context& io();
  // Called by net/ after anything that may have armed a deadline sooner than the next wake.
  void ScheduleWake();

 private:
  struct Impl;
  void OnWake();

  uint32_t index_;
  TimerWheel timers_;
  std::unique_ptr<Impl> impl_;
};

// What a wait can be cancelled by: a client that left, a drain. Owned by the waiting side.
class CancelSlot {
 public:
  using Callback = void (*)(void* context);
  void Set(Callback callback, void* context) { callback_ = callback; context_ = context; }
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

  EventLoop& loop_;
  Duration duration_;
  CancelSlot* slot_;
  std::coroutine_handle<> waiter_;
  bool cancelled_ = false;
  Deadline deadline_;
};

}  // namespace gw::net
