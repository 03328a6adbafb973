// What other replicas have done to a row, as the store that they share tells it. Pure: whoever asked
// the store hands the answer in.
//
// A row that all replicas together have filled counts as full here too, for as long as the answer
// can be trusted: then the next request needs no question, other rows are picked, and the client
// gets the answer that a local limit would have given.
#pragma once

#include <algorithm>

#include "routing/packed_window.h"
#include "routing/row_limits.h"

namespace gw::routing {

// `reason` holds for `trusted`; a request may pass again in `free_in`.
void NoteFullElsewhere(DeploymentState& state, Reservation reason, Duration trusted, Duration free_in, TimePoint now);

// kHeld: nothing speaks against the row.
[[nodiscard]] inline Reservation FullElsewhere(const DeploymentState& state, TimePoint now) {
  if (state.elsewhere_until_ns.load(std::memory_order_relaxed) <= NanosecondsOf(now)) return Reservation::kHeld;
  return static_cast<Reservation>(state.elsewhere_reason.load(std::memory_order_relaxed));
}
[[nodiscard]] inline Duration FreeElsewhereIn(const DeploymentState& state, TimePoint now) {
  const int64_t left = state.elsewhere_free_ns.load(std::memory_order_relaxed) - NanosecondsOf(now);
  return std::chrono::nanoseconds(std::max<int64_t>(left, 0));
}

// All replicas together have used and reserved `total_tokens` of the running minute.
void NoteTotalTokens(DeploymentState& state, int64_t total_tokens, TimePoint now);
[[nodiscard]] uint64_t TokensElsewhere(const DeploymentState& state, TimePoint now);

// Another replica cools the row down, for `left` from now. The later deadline holds.
void CoolDownElsewhere(DeploymentState& state, const config::RouterSettings& settings, Duration left, TimePoint now);

}  // namespace gw::routing
