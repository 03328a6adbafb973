#include "net/precise_timer.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

namespace gw::net {

// The descriptor. Without one (out of descriptors) the timer never fires and its users wait for
// what else ends them.
class PreciseTimer::Source final : public Watcher {
 public:
  Source(EventLoop& loop, PreciseTimer& timer, Callback callback, void* context)
      : Watcher(loop, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), EPOLLIN | EPOLLET),
        timer_(timer), callback_(callback), context_(context) {}

  void Set(int64_t nanoseconds) {
    fired_ = false;
    itimerspec spec{};
    spec.it_value.tv_sec = nanoseconds / 1'000'000'000;
    spec.it_value.tv_nsec = nanoseconds % 1'000'000'000;
    timerfd_settime(fd(), 0, &spec, nullptr);
  }

  // A loop that was busy finds the timer and what it waits for at the same time. The wait comes first:
  // the timer takes its turn one round later.
  void OnReady(uint32_t) override {
    if (!fired_) {
      uint64_t expirations = 0;
      // Disarmed or moved after it had fired: nothing to read.
      if (read(fd(), &expirations, sizeof(expirations)) != static_cast<ssize_t>(sizeof(expirations))) return;
      fired_ = true;
      Requeue();
      return;
    }
    fired_ = false;
    timer_.armed_ = false;
    callback_(context_);
  }

 private:
  PreciseTimer& timer_;
  Callback callback_;
  void* context_;
  bool fired_ = false;
};

PreciseTimer::PreciseTimer(EventLoop& loop, Callback callback, void* context)
    : source_(std::make_unique<Source>(loop, *this, callback, context)) {}

PreciseTimer::~PreciseTimer() = default;

void PreciseTimer::Arm(TimePoint when) {
  when_ = when;
  armed_ = true;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(when - SteadyClock::now()).count();
  source_->Set(std::max<int64_t>(left, 1));  // 0 would disarm it
}

void PreciseTimer::Disarm() {
  if (!armed_) return;
  armed_ = false;
  source_->Set(0);
}

}  // namespace gw::net
