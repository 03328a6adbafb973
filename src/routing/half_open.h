// After a cooldown: is the row well again? With half_open_probes one request at a time finds out.
//
//   0 --cooldown--> 1 (half-open) --probe begins--> deadline --success--> 0
//                   ^------- failed, abandoned, or the deadline has passed ------'
//
// While a probe runs the row counts as cooling down for everybody else. A probe that takes longer
// than the cooldown did (a long stream) is not waited for: the next one may start.
#pragma once

#include <algorithm>

#include "routing/packed_window.h"
#include "routing/router.h"

namespace gw::routing {

inline void BecomeHalfOpen(DeploymentState& state) {
  state.probe_after_ns.store(1, std::memory_order_relaxed);
}

[[nodiscard]] inline bool IsHalfOpen(const DeploymentState& state) {
  return state.probe_after_ns.load(std::memory_order_relaxed) != 0;
}

[[nodiscard]] inline bool IsProbeRunning(const DeploymentState& state, TimePoint now) {
  return NanosecondsOf(now) < state.probe_after_ns.load(std::memory_order_relaxed);
}

// False: another probe runs. Else `ticket` is for EndProbe; 0: the row is not half-open.
[[nodiscard]] inline bool BeginProbe(DeploymentState& state, TimePoint now, int64_t& ticket) {
  constexpr int64_t kProbeMin = 10'000'000'000;
  ticket = 0;
  int64_t seen = state.probe_after_ns.load(std::memory_order_relaxed);
  if (seen == 0) return true;
  const int64_t now_ns = NanosecondsOf(now);
  if (now_ns < seen) return false;
  const int64_t length = state.cooldown_length_ns.load(std::memory_order_relaxed);
  const int64_t deadline = now_ns + std::max(length, kProbeMin);
  if (!state.probe_after_ns.compare_exchange_strong(seen, deadline, std::memory_order_relaxed)) {
    return false;
  }
  ticket = deadline;
  return true;
}

// Without success the row stays half-open and the next request may try.
inline void EndProbe(DeploymentState& state, int64_t ticket, bool succeeded) {
  if (ticket == 0) return;
  const int64_t next = succeeded ? 0 : 1;
  state.probe_after_ns.compare_exchange_strong(ticket, next, std::memory_order_relaxed);
}

}  // namespace gw::routing
