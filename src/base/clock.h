// Time enters every decision as an argument; these are the types. The loops own the clock.
#pragma once

#include <chrono>

namespace gw {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;
using Duration = SteadyClock::duration;

[[nodiscard]] inline double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
[[nodiscard]] inline Duration FromSeconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace gw
