// A timer of a kernel's precision. The wheel's deadlines come up to a tick (8 ms) late, which is
// right for what takes seconds; a wait that must end within 5 ms needs this one. A descriptor each,
// so: one per connection or queue, never one per operation.
// Thread rule: the loop's thread only.
#pragma once

#include <memory>

#include "base/clock.h"
#include "net/event_loop.h"

namespace gw::net {

class PreciseTimer {
 public:
  using Callback = void (*)(void* context);
  PreciseTimer(EventLoop& loop, Callback callback, void* context);
  ~PreciseTimer();
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;

  // Replaces what was armed before. The callback may destroy the timer.
  void Arm(TimePoint when);
  void Disarm();
  [[nodiscard]] bool armed() const { return armed_; }
  [[nodiscard]] TimePoint when() const { return when_; }

 private:
  class Source;
  std::unique_ptr<Source> source_;
  TimePoint when_{};
  bool armed_ = false;
};

}  // namespace gw::net
