// Which row answers fastest? latency-based-routing, facts 4.
//
// A row keeps its newest samples in two rings: seconds (per token of a chat's answer), and seconds
// to the first token of streams. Every sample also renews what the ring comes to, in the row's
// first cache line: a decision reads one number per row. Writers may overtake one another; the
// number is then one sample old.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

inline constexpr size_t kLatencySamplesMax = 64;
inline constexpr float kTimeoutSample = 1000;  // seconds; what LiteLLM books for a timeout

struct LatencyRing {
  LatencyRing() { Clear(); }
  void Clear();

  std::atomic<uint32_t> written{0};
  std::array<std::atomic<float>, kLatencySamplesMax> samples;  // negative: empty
};

struct LatencyRings {
  LatencyRing whole;
  LatencyRing first_token;
};

void RecordLatency(DeploymentState& state, LatencyRings& rings, const config::StrategyArgs& args,
                   const AttemptOutcome& outcome, TimePoint now);
// A stream that timed out is slow for streams too (LiteLLM forgets that).
void RecordTimeout(DeploymentState& state, LatencyRings& rings, const config::StrategyArgs& args,
                   bool is_stream, TimePoint now);

// Any ring at its full size, `summary` becomes its percentile.
void PushSample(LatencyRing& ring, std::atomic<float>& summary, double percentile, double seconds);

// Seconds as the strategy compares them; 0 for a row without samples, so that it is tried.
[[nodiscard]] double LatencyOf(const DeploymentState& state, bool is_stream, TimePoint now);

}  // namespace gw::routing
