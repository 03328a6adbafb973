// What does the registry look like as OTLP metrics? Names, labels and numbers are those of /metrics.
//
// Counters are cumulative monotonic sums, gauges gauges, histograms have explicit buckets, with exemplars where
// the request had a trace. Each series tells since when it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/registry.h"
#include "telemetry/otlp_writer.h"

namespace gw::telemetry {

// Gets each metric as an element of a list of metrics, and how many data points it has. A family with many
// series comes in several parts.
using TakeMetric = std::function<void(std::string metric, uint32_t points)>;
inline constexpr size_t kPointsPerMetricMax = 1000;

// `start_ns`: since when what has no time of its own counts.
void EncodeRegistry(OtlpFormat format, const metrics::Registry& registry, uint64_t start_ns, uint64_t now_ns,
                    const TakeMetric& take);

struct HistogramPoint {
  uint64_t start_ns = 0, time_ns = 0;
  double sum = 0;
  std::span<const uint64_t> counts;  // by bucket, the last is +Inf
  std::span<const double> bounds;
  std::span<const metrics::Exemplar> exemplars;  // by bucket; empty: none
};
// One element of a list of data points.
[[nodiscard]] std::string EncodeHistogramPoint(OtlpFormat format, const HistogramPoint& point,
                                               std::span<const Attribute> attributes);
struct MetricHead {
  std::string_view name, help, unit;
};
[[nodiscard]] OtlpList HistogramPoints(OtlpFormat format);
[[nodiscard]] std::string EncodeHistogram(OtlpFormat format, const MetricHead& head, const OtlpList& points);

}  // namespace gw::telemetry
