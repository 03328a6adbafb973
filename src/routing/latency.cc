#include "routing/latency.h"

#include <algorithm>
#include <cmath>

#include "routing/packed_window.h"

namespace gw::routing {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// The average, or the percentile as LiteLLM takes it: sorted[ceil(n * p) - 1]. Negative: empty.
float Summarise(const LatencyRing& ring, size_t size, std::optional<double> percentile) {
  std::array<float, kLatencySamplesMax> values;
  size_t n = 0;
  float sum = 0;
  for (size_t i = 0; i < size; ++i) {
    const float value = ring.samples[i].load(kRelaxed);
    if (value < 0) continue;
    values[n++] = value;
    sum += value;
  }
  if (n == 0) return -1;
  if (!percentile.has_value()) return sum / static_cast<float>(n);
  const auto rank = static_cast<size_t>(std::ceil(static_cast<double>(n) * *percentile));
  const size_t at = std::clamp<size_t>(rank, 1, n) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at),
                   values.begin() + static_cast<std::ptrdiff_t>(n));
  return values[at];
}

void Push(LatencyRing& ring, std::atomic<float>& summary, size_t size,
          std::optional<double> percentile, double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return;
  const uint32_t at = ring.written.fetch_add(1, kRelaxed);
  ring.samples[at % size].store(static_cast<float>(seconds), kRelaxed);
  summary.store(Summarise(ring, size, percentile), kRelaxed);
}

size_t RingSize(const config::StrategyArgs& args) {
  return std::clamp<size_t>(static_cast<size_t>(std::max(args.max_latency_list_size, 1)), 1,
                            kLatencySamplesMax);
}

// Samples of a row that was idle for the ttl say nothing any more.
void Refresh(DeploymentState& state, LatencyRings& rings, const config::StrategyArgs& args,
             TimePoint now) {
  const int64_t now_ns = NanosecondsOf(now);
  const int64_t until = now_ns + static_cast<int64_t>(args.ttl_s * 1e9);
  const int64_t old = state.latency_until_ns.exchange(until, kRelaxed);
  if (old == 0 || now_ns < old) return;
  rings.whole.Clear();
  rings.first_token.Clear();
  state.latency.store(-1, kRelaxed);
  state.first_token.store(-1, kRelaxed);
}

}  // namespace

void LatencyRing::Clear() {
  for (std::atomic<float>& sample : samples) sample.store(-1, kRelaxed);
  written.store(0, kRelaxed);
}

void RecordLatency(DeploymentState& state, LatencyRings& rings, const config::StrategyArgs& args,
                   const AttemptOutcome& outcome, TimePoint now) {
  Refresh(state, rings, args, now);
  double seconds = Seconds(outcome.duration);
  if (outcome.is_chat && outcome.completion_tokens > 0) {
    seconds /= static_cast<double>(outcome.completion_tokens);
  }
  Push(rings.whole, state.latency, RingSize(args), std::nullopt, seconds);
  if (!outcome.first_token.has_value()) return;
  Push(rings.first_token, state.first_token, RingSize(args), args.ttft_percentile,
       Seconds(*outcome.first_token));
}

void RecordTimeout(DeploymentState& state, LatencyRings& rings, const config::StrategyArgs& args,
                   bool is_stream, TimePoint now) {
  Refresh(state, rings, args, now);
  Push(rings.whole, state.latency, RingSize(args), std::nullopt, kTimeoutSample);
  if (!is_stream) return;
  Push(rings.first_token, state.first_token, RingSize(args), args.ttft_percentile, kTimeoutSample);
}

void PushSample(LatencyRing& ring, std::atomic<float>& summary, double percentile, double seconds) {
  Push(ring, summary, kLatencySamplesMax, percentile, seconds);
}

double LatencyOf(const DeploymentState& state, bool is_stream, TimePoint now) {
  if (NanosecondsOf(now) >= state.latency_until_ns.load(kRelaxed)) return 0;
  if (is_stream) {
    if (const float first = state.first_token.load(kRelaxed); first >= 0) {
      return static_cast<double>(first);
    }
  }
  return std::max(static_cast<double>(state.latency.load(kRelaxed)), 0.0);
}

}  // namespace gw::routing
