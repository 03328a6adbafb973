// Work that may take long (rendering metrics, reading files) leaves the loop for a helper thread.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "net/event_loop.h"

namespace gw::net {

// From now on the calling thread runs behind the loops when they compete for a core. Cannot be taken
// back; threads that it starts later inherit it.
void RunBehindLoops();

class OffloadThread {
 public:
  OffloadThread();
  ~OffloadThread();  // finishes what is queued
  void Submit(std::function<void()> work);

 private:
  void Run();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

// co_await Offload(thread, loop, work): `work` runs on the thread, the coroutine goes on on `loop`.
class Offload {
 public:
  Offload(OffloadThread& thread, EventLoop& loop, std::function<void()> work)
      : thread_(thread), loop_(loop), work_(std::move(work)) {}
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    thread_.Submit([this, waiter] {
      work_();
      loop_.Post([waiter] { waiter.resume(); });
    });
  }
  void await_resume() noexcept {}

 private:
  OffloadThread& thread_;
  EventLoop& loop_;
  std::function<void()> work_;
};

}  // namespace gw::net
