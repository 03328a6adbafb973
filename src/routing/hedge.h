// How long is a row waited for before a second one is called? Hedged requests, ADR 0011.
//
// A row keeps its newest times to the first content (whole answers: durations) in a ring, and what
// their percentile is. A first row that was overtaken counts with the time it had been waited for:
// left out, the slow end would be missing and the percentile would sink with every hedge.
#pragma once

#include <atomic>
#include <optional>

#include "base/clock.h"
#include "config/snapshot.h"
#include "routing/latency.h"

namespace gw::routing {

inline constexpr uint32_t kHedgeSamplesMin = 20;  // fewer say nothing about the slowest twentieth

struct HedgeClock {
  LatencyRing streams, whole;
  std::atomic<float> streams_s{-1}, whole_s{-1};  // negative: no samples
};

// May this row take part in a race, first or second? The one place that says so.
[[nodiscard]] inline bool MayHedge(const config::Deployment& row) {
  return row.mock_response.empty();  // nobody is called
}

void RecordHedgeTime(HedgeClock& clock, const config::Hedging& settings, bool is_stream, double seconds);

// nullopt: it is not hedged.
[[nodiscard]] std::optional<Duration> HedgeDelay(const HedgeClock& clock, const config::Hedging& settings, bool is_stream);

}  // namespace gw::routing
