#include "metrics/protobuf_exposition.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/protobuf_writer.h"
#include "metrics/label_text.h"

namespace gw::metrics {
namespace {

// Field numbers of metrics.proto.
enum FamilyField : uint32_t { kName = 1, kHelp = 2, kType = 3, kMetric = 4 };
enum MetricField : uint32_t { kLabel = 1, kGauge = 2, kCounter = 3, kUntyped = 5, kHistogram = 7 };
enum HistogramField : uint32_t {
  kSampleCount = 1, kSampleSum = 2, kBucket = 3, kSchema = 5, kZeroThreshold = 6, kZeroCount = 7,
  kPositiveSpan = 12, kPositiveDelta = 13, kHistogramCreated = 15,
};
enum BucketField : uint32_t { kCumulativeCount = 1, kUpperBound = 2, kBucketExemplar = 3 };
constexpr uint32_t kFirst = 1, kSecond = 2, kThird = 3;  // of the messages with two or three fields

[[nodiscard]] uint64_t TypeNumber(Type type) {
  switch (type) {
    case Type::kCounter: return 0;
    case Type::kGauge: return 1;
    case Type::kUntyped: return 3;
    case Type::kHistogram: return 4;
  }
  return 3;
}

[[nodiscard]] std::string NameOf(const FamilySpec& spec) {
  return spec.type == Type::kCounter ? spec.name + "_total" : spec.name;
}

[[nodiscard]] bool IsWanted(const FamilySpec& spec, const RenderOptions& options) {
  if (options.names.empty()) return true;
  const auto has = [&](const std::string& name) {
    return std::find(options.names.begin(), options.names.end(), name) != options.names.end();
  };
  if (spec.type != Type::kHistogram) return has(NameOf(spec));
  return has(spec.name + "_bucket") || has(spec.name + "_count") || has(spec.name + "_sum");
}

void AppendTimestamp(ProtobufWriter& out, uint32_t field, double unix_s) {
  ProtobufWriter time;
  const double whole = std::floor(unix_s);
  time.Varint(kFirst, static_cast<uint64_t>(whole));
  time.Varint(kSecond, static_cast<uint64_t>((unix_s - whole) * 1e9));
  out.Message(field, time);
}

void AppendLabels(ProtobufWriter& out, std::string_view text) {
  ForEachLabel(text, [&out](std::string_view name, std::string_view value) { out.Pair(kLabel, name, value); });
}

void AppendExemplar(ProtobufWriter& out, const Exemplar& exemplar) {
  ProtobufWriter message;
  message.Pair(kLabel, exemplar.label(), exemplar.id);
  message.Double(kSecond, exemplar.value);
  AppendTimestamp(message, kThird, exemplar.time_unix_s);
  out.Message(kBucketExemplar, message);
}

// Runs of filled buckets, and each count as its difference to the one before. Gaps of one or two buckets
// cost less as zeros than as another run.
void AppendNative(ProtobufWriter& out, const NativeCounts& native) {
  out.ZigZag(kSchema, native.schema);
  out.Double(kZeroThreshold, kNativeZeroThreshold);
  out.Varint(kZeroCount, native.zero);
  const std::vector<uint64_t>& counts = native.counts;
  std::string deltas;
  int64_t before = 0;
  int32_t next = 0;  // where the last run ended
  bool is_any = false;
  for (size_t i = 0; i < counts.size();) {
    if (counts[i] == 0) {
      ++i;
      continue;
    }
    size_t end = i + 1, gap = 0;
    for (size_t j = end; j < counts.size() && gap <= 2; ++j) {
      gap = counts[j] == 0 ? gap + 1 : 0;
      if (counts[j] > 0) end = j + 1;
    }
    const int32_t first = native.first + static_cast<int32_t>(i);
    ProtobufWriter span;
    span.ZigZag(kFirst, first - next);
    span.Varint(kSecond, end - i);
    out.Message(kPositiveSpan, span);
    next = first + static_cast<int32_t>(end - i);
    for (; i < end; ++i) {
      const auto count = static_cast<int64_t>(counts[i]);
      ProtobufWriter::AppendZigZag(deltas, count - before);
      before = count;
    }
    is_any = true;
  }
  if (is_any) {
    out.Bytes(kPositiveDelta, deltas);
    return;
  }
  // An empty span tells a native histogram without observations from a classic one.
  ProtobufWriter span;
  span.ZigZag(kFirst, 0);
  span.Varint(kSecond, 0);
  out.Message(kPositiveSpan, span);
}

class Encoder {
 public:
  Encoder(const FamilySpec& spec, const RenderOptions& options) : spec_(spec), options_(options) {
    family_.Bytes(kName, NameOf(spec));
    family_.Bytes(kHelp, spec.help);
    family_.Varint(kType, TypeNumber(spec.type));
  }

  void Add(const SeriesData& series) {
    ProtobufWriter &metric = metric_, &value = value_;
    metric.Clear();
    value.Clear();
    AppendLabels(metric, series.label_text());
    switch (spec_.type) {
      case Type::kCounter:
        value.Double(kFirst, series.Sum());
        if (options_.created_series) AppendTimestamp(value, kThird, series.created_s);
        metric.Message(kCounter, value);
        break;
      case Type::kGauge:
        value.Double(kFirst, series.Value());
        metric.Message(kGauge, value);
        break;
      case Type::kUntyped:
        value.Double(kFirst, series.Sum());
        metric.Message(kUntyped, value);
        break;
      case Type::kHistogram:
        AddHistogram(series, value);
        metric.Message(kHistogram, value);
        break;
    }
    family_.Message(kMetric, metric);
  }

  void AddCollected(std::string_view labels, double number) {
    ProtobufWriter metric, value;
    AppendLabels(metric, labels);
    value.Double(kFirst, number);
    metric.Message(spec_.type == Type::kCounter ? kCounter : kGauge, value);
    family_.Message(kMetric, metric);
  }

  void Finish(std::string& out) const {
    ProtobufWriter::AppendVarint(out, family_.text().size());
    out += family_.text();
  }

 private:
  void AddHistogram(const SeriesData& series, ProtobufWriter& out) {
    series.ReadBuckets(counts_);
    const bool has_exemplars = series.ReadExemplars(exemplars_);
    NativeCounts native;
    if (series.shape.native) series.ReadNative(native);
    uint64_t total = 0;
    for (const uint64_t count : counts_) total += count;
    // A scrape beside a writer: the native buckets are read last, so they may know of more.
    if (series.shape.native) total = native.Total();
    out.Varint(kSampleCount, total);
    out.Double(kSampleSum, series.Sum());
    uint64_t cumulative = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      cumulative += counts_[i];
      ProtobufWriter bucket;
      bucket.Varint(kCumulativeCount, std::min(cumulative, total));
      bucket.Double(kUpperBound, i < spec_.bounds.size() ? spec_.bounds[i] : std::numeric_limits<double>::infinity());
      if (has_exemplars && !exemplars_[i].empty()) AppendExemplar(bucket, exemplars_[i]);
      out.Message(kBucket, bucket);
    }
    if (series.shape.native) AppendNative(out, native);
    if (options_.created_series) AppendTimestamp(out, kHistogramCreated, series.created_s);
  }

  const FamilySpec& spec_;
  const RenderOptions& options_;
  ProtobufWriter family_;
  ProtobufWriter metric_, value_;  // of one series; reused
  std::vector<uint64_t> counts_;
  std::vector<Exemplar> exemplars_;
};

}  // namespace

void AppendFamilyProtobuf(const FamilySpec& spec, std::span<const SeriesData* const> series,
                          const RenderOptions& options, std::string& out) {
  // A family without series has no place in this format: parsers refuse it.
  if (series.empty() || !IsWanted(spec, options)) return;
  Encoder encoder(spec, options);
  for (const SeriesData* one : series) encoder.Add(*one);
  encoder.Finish(out);
  options.OfferPiece(out);
}

void AppendCollectedProtobuf(const FamilySpec& spec, const std::function<void(const Registry::Emit&)>& collect,
                             const RenderOptions& options, std::string& out) {
  if (!IsWanted(spec, options)) return;
  Encoder encoder(spec, options);
  const auto samples = CollectSamples(spec, collect);
  for (const auto& [labels, value] : samples) encoder.AddCollected(labels, value);
  if (!samples.empty()) encoder.Finish(out);
}

}  // namespace gw::metrics
