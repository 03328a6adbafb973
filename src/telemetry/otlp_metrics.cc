#include "telemetry/otlp_metrics.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "metrics/label_text.h"
#include "metrics/series_data.h"

namespace gw::telemetry {
namespace {

using metrics::FamilySpec;
using metrics::SeriesData;
using metrics::Type;

namespace field {
constexpr OtlpField kName{1, "name"}, kDescription{2, "description"}, kUnit{3, "unit"}, kGauge{5, "gauge"},
    kSum{7, "sum"}, kHistogram{9, "histogram"};
constexpr OtlpField kPoints{1, "dataPoints"}, kTemporality{2, "aggregationTemporality"}, kMonotonic{3, "isMonotonic"};
// Both kinds of data points begin alike.
constexpr OtlpField kStart{2, "startTimeUnixNano"}, kTime{3, "timeUnixNano"};
constexpr OtlpField kAsDouble{4, "asDouble"}, kNumberAttributes{7, "attributes"};
constexpr OtlpField kCount{4, "count"}, kPointSum{5, "sum"}, kBucketCounts{6, "bucketCounts"},
    kBounds{7, "explicitBounds"}, kExemplars{8, "exemplars"}, kHistogramAttributes{9, "attributes"};
constexpr OtlpField kExemplarTime{2, "timeUnixNano"}, kExemplarValue{3, "asDouble"}, kExemplarTrace{5, "traceId"},
    kExemplarAttributes{7, "filteredAttributes"};
}  // namespace field

constexpr int kCumulative = 2;

[[nodiscard]] uint64_t Nanoseconds(double unix_s) { return static_cast<uint64_t>(unix_s * 1e9); }

[[nodiscard]] Attributes LabelsOf(std::string_view text) {
  Attributes out;
  metrics::ForEachLabel(text, [&out](std::string_view name, std::string_view value) {
    out.push_back({name, std::string(value)});
  });
  return out;
}

// 32 hexadecimal digits.
[[nodiscard]] std::vector<uint8_t> TraceBytes(std::string_view hex) {
  std::vector<uint8_t> bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

[[nodiscard]] OtlpList EncodeExemplars(OtlpFormat format, std::span<const metrics::Exemplar> exemplars) {
  OtlpList list(format, field::kExemplars);
  for (const metrics::Exemplar& exemplar : exemplars) {
    if (exemplar.empty()) continue;
    OtlpWriter out(format);
    out.Fixed64(field::kExemplarTime, Nanoseconds(exemplar.time_unix_s));
    out.Double(field::kExemplarValue, exemplar.value);
    if (exemplar.kind == metrics::ExemplarId::Kind::kTrace) {
      out.Id(field::kExemplarTrace, TraceBytes(exemplar.id));
    } else {
      const Attributes call = {{exemplar.label(), exemplar.id}};
      out.List(EncodeAttributes(format, field::kExemplarAttributes, call));
    }
    list.Add(out.Encoded());
  }
  return list;
}

[[nodiscard]] std::string EncodeNumber(OtlpFormat format, std::optional<uint64_t> start_ns, uint64_t now_ns,
                                       double value, std::string_view labels) {
  OtlpWriter point(format);
  if (start_ns) point.Fixed64(field::kStart, *start_ns);
  point.Fixed64(field::kTime, now_ns);
  point.Double(field::kAsDouble, value);
  point.List(EncodeAttributes(format, field::kNumberAttributes, LabelsOf(labels)));
  return point.Encoded();
}

[[nodiscard]] std::string EncodeMetric(OtlpFormat format, const MetricHead& head, Type type, const OtlpList& points) {
  OtlpWriter data(format), metric(format);
  data.List(points);
  if (type != Type::kGauge) data.Enum(field::kTemporality, kCumulative);
  if (type == Type::kCounter) data.Bool(field::kMonotonic, true);
  metric.String(field::kName, head.name);
  metric.String(field::kDescription, head.help);
  if (!head.unit.empty()) metric.String(field::kUnit, head.unit);
  metric.Message(type == Type::kGauge ? field::kGauge : type == Type::kCounter ? field::kSum : field::kHistogram, data);
  return metric.Encoded();
}

class RegistryEncoder final : public metrics::Registry::Visitor {
 public:
  RegistryEncoder(OtlpFormat format, uint64_t start_ns, uint64_t now_ns, const TakeMetric& take)
      : format_(format), start_ns_(start_ns), now_ns_(now_ns), take_(take) {}

  void OnFamily(const FamilySpec& spec, std::span<const SeriesData* const> series) override {
    for (size_t at = 0; at < series.size(); at += kPointsPerMetricMax) {
      OtlpList points(format_, field::kPoints);
      const auto part = series.subspan(at, std::min(kPointsPerMetricMax, series.size() - at));
      for (const SeriesData* one : part) points.Add(Encode(spec, *one));
      Take(spec, points, part.size());
    }
  }

  void OnSamples(const FamilySpec& spec, std::span<const std::pair<std::string, double>> samples) override {
    const std::optional<uint64_t> start = spec.type == Type::kCounter ? std::optional(start_ns_) : std::nullopt;
    for (size_t at = 0; at < samples.size(); at += kPointsPerMetricMax) {
      OtlpList points(format_, field::kPoints);
      const auto part = samples.subspan(at, std::min(kPointsPerMetricMax, samples.size() - at));
      for (const auto& [labels, value] : part) points.Add(EncodeNumber(format_, start, now_ns_, value, labels));
      Take(spec, points, part.size());
    }
  }

 private:
  void Take(const FamilySpec& spec, const OtlpList& points, size_t count) {
    const bool is_counter = spec.type == Type::kCounter;
    const std::string name = is_counter ? spec.name + "_total" : spec.name;
    const Type type = spec.type == Type::kUntyped ? Type::kGauge : spec.type;
    take_(EncodeMetric(format_, {name, spec.help, {}}, type, points), static_cast<uint32_t>(count));
  }
  // Of a series that was made while the others were encoded, or before the clock was set back.
  [[nodiscard]] uint64_t StartOf(const SeriesData& series) const {
    return std::min(Nanoseconds(series.created_s), now_ns_);
  }
  [[nodiscard]] std::string Encode(const FamilySpec& spec, const SeriesData& series) {
    if (spec.type == Type::kHistogram) return EncodeBuckets(spec, series);
    const bool is_counter = spec.type == Type::kCounter;
    const std::optional<uint64_t> start = is_counter ? std::optional(StartOf(series)) : std::nullopt;
    return EncodeNumber(format_, start, now_ns_, series.Value(), series.label_text());
  }
  [[nodiscard]] std::string EncodeBuckets(const FamilySpec& spec, const SeriesData& series) {
    series.ReadBuckets(counts_);
    (void)series.ReadExemplars(exemplars_);
    const HistogramPoint point{StartOf(series), now_ns_, series.Sum(), counts_, spec.bounds, exemplars_};
    return EncodeHistogramPoint(format_, point, LabelsOf(series.label_text()));
  }

  const OtlpFormat format_;
  const uint64_t start_ns_, now_ns_;
  const TakeMetric& take_;
  std::vector<uint64_t> counts_;
  std::vector<metrics::Exemplar> exemplars_;
};

}  // namespace

void EncodeRegistry(OtlpFormat format, const metrics::Registry& registry, uint64_t start_ns, uint64_t now_ns,
                    const TakeMetric& take) {
  RegistryEncoder encoder(format, start_ns, now_ns, take);
  registry.Visit(encoder);
}

std::string EncodeHistogramPoint(OtlpFormat format, const HistogramPoint& point,
                                 std::span<const Attribute> attributes) {
  OtlpWriter out(format);
  uint64_t total = 0;
  for (const uint64_t count : point.counts) total += count;
  out.Fixed64(field::kStart, point.start_ns);
  out.Fixed64(field::kTime, point.time_ns);
  out.Fixed64(field::kCount, total);
  out.Double(field::kPointSum, point.sum);
  out.PackedFixed64(field::kBucketCounts, point.counts);
  out.PackedDouble(field::kBounds, point.bounds);
  out.List(EncodeExemplars(format, point.exemplars));
  out.List(EncodeAttributes(format, field::kHistogramAttributes, attributes));
  return out.Encoded();
}

OtlpList HistogramPoints(OtlpFormat format) { return {format, field::kPoints}; }

std::string EncodeHistogram(OtlpFormat format, const MetricHead& head, const OtlpList& points) {
  return EncodeMetric(format, head, Type::kHistogram, points);
}

}  // namespace gw::telemetry
