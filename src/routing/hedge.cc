#include "routing/hedge.h"

#include <algorithm>

namespace gw::routing {

void RecordHedgeTime(HedgeClock& clock, const config::Hedging& settings, bool is_stream, double seconds) {
  PushSample(is_stream ? clock.streams : clock.whole, is_stream ? clock.streams_s : clock.whole_s,
             settings.percentile, seconds);
}

std::optional<Duration> HedgeDelay(const HedgeClock& clock, const config::Hedging& settings, bool is_stream) {
  const LatencyRing& ring = is_stream ? clock.streams : clock.whole;
  const auto usual = static_cast<double>((is_stream ? clock.streams_s : clock.whole_s).load(std::memory_order_relaxed));
  const bool is_known = usual >= 0 && ring.written.load(std::memory_order_relaxed) >= kHedgeSamplesMin;
  if (!is_known && !settings.delay_max_s) return std::nullopt;
  double seconds = std::max(is_known ? usual : *settings.delay_max_s, settings.delay_min_s);
  if (settings.delay_max_s) seconds = std::min(seconds, *settings.delay_max_s);
  return FromSeconds(seconds);
}

}  // namespace gw::routing
