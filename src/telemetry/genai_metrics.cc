#include "telemetry/genai_metrics.h"

#include <algorithm>
#include <span>

#include "telemetry/otel_attributes.h"

namespace gw::telemetry {
namespace {

// Bounds as the conventions give them.
constexpr double kTokenBounds[] = {1,     4,     16,     64,      256,     1024,     4096,
                                   16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
constexpr double kDurationBounds[] = {0.01, 0.02, 0.04, 0.08, 0.16,  0.32,  0.64,
                                      1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
constexpr double kFirstTokenBounds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                        0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};
constexpr double kPerTokenBounds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5};

struct InstrumentRow {
  MetricHead head;
  std::span<const double> bounds;
};
const InstrumentRow kRows[] = {
    {{"gen_ai.client.token.usage", "Input and output tokens of requests.", "{token}"}, kTokenBounds},
    {{"gen_ai.client.operation.duration", "From the request's arrival to its end.", "s"}, kDurationBounds},
    {{"gen_ai.server.time_to_first_token", "From the answering attempt's begin to its first content; streams.", "s"},
     kFirstTokenBounds},
    {{"gen_ai.server.time_per_output_token", "Mean time per output token after the first; streams.", "s"},
     kPerTokenBounds},
};

[[nodiscard]] Attributes SharedAttributes(const RequestRecord& record) {
  Attributes out;
  out.push_back({"gen_ai.operation.name", std::string(OperationName(record.endpoint))});
  // What the configuration says: a client's own words, as in the names of wildcard rows, are no label.
  if (record.deployment != nullptr) {
    const config::Deployment& d = *record.deployment;
    out.push_back({"gen_ai.request.model", d.model_name});
    out.push_back({"gen_ai.response.model", d.upstream_model});
    out.push_back({"gen_ai.provider.name", std::string(GenAiProvider(d.provider))});
    out.push_back({"gen_ai.system", d.provider});
    out.push_back({"server.address", d.origin.host});
    out.push_back({"server.port", int64_t{d.origin.port}});
  }
  return out;
}

[[nodiscard]] std::string KeyOf(const Attributes& attributes) {
  std::string key;
  for (const Attribute& attribute : attributes) {
    key.append(attribute.name) += '\0';
    if (const auto* text = std::get_if<std::string>(&attribute.value)) key += *text;
    if (const auto* number = std::get_if<int64_t>(&attribute.value)) key += std::to_string(*number);
    key += '\0';
  }
  return key;
}

[[nodiscard]] Attributes With(Attributes attributes, std::string_view name, std::string value) {
  attributes.push_back({name, std::move(value)});
  return attributes;
}

}  // namespace

void GenAiMetrics::Add(Instrument instrument, const Attributes& attributes, double value) {
  auto& all = series_[instrument];
  std::string key = KeyOf(attributes);
  auto found = all.find(key);
  if (found == all.end()) {
    const bool is_full = all.size() >= kGenAiSeriesMax;
    if (is_full) key = "overflow";
    found = all.try_emplace(std::move(key)).first;
    Series& made = found->second;
    if (made.counts.empty()) {
      made.attributes = is_full ? Attributes{{"otel.metric.overflow", true}} : attributes;
      made.counts.resize(kRows[instrument].bounds.size() + 1);
    }
  }
  const std::span<const double> bounds = kRows[instrument].bounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  ++found->second.counts[static_cast<size_t>(bucket)];
  found->second.sum += value;
}

void GenAiMetrics::Observe(const RequestRecord& record) {
  const Attributes shared = SharedAttributes(record);
  const std::string error = ErrorTypeOf(record);
  Add(kDuration, error.empty() ? shared : With(shared, "error.type", error), record.DurationSeconds());
  if (record.outcome != RequestRecord::Outcome::kSuccess || record.from_cache) return;
  Add(kTokens, With(shared, "gen_ai.token.type", "input"), static_cast<double>(record.usage.prompt_tokens));
  Add(kTokens, With(shared, "gen_ai.token.type", "output"), static_cast<double>(record.usage.completion_tokens));
  if (!record.stream || record.attempts.empty() || record.first_chunk == TimePoint{}) return;
  const auto is_success = [](const AttemptRecord& a) { return a.outcome == AttemptRecord::Outcome::kSuccess; };
  const auto answered = std::find_if(record.attempts.rbegin(), record.attempts.rend(), is_success);
  if (answered == record.attempts.rend() || answered->first_content <= answered->begin) return;
  Add(kTimeToFirstToken, shared, Seconds(answered->first_content - answered->begin));
  if (record.usage.completion_tokens > 1) {
    Add(kTimePerOutputToken, shared, Seconds(answered->end - answered->first_content) /
                                         static_cast<double>(record.usage.completion_tokens - 1));
  }
}

void GenAiMetrics::Encode(OtlpFormat format, uint64_t now_ns, const TakeMetric& take) const {
  for (size_t i = 0; i < kInstruments; ++i) {
    if (series_[i].empty()) continue;
    OtlpList points = HistogramPoints(format);
    for (const auto& [key, series] : series_[i]) {
      const HistogramPoint point{start_ns_, now_ns, series.sum, series.counts, kRows[i].bounds, {}};
      points.Add(EncodeHistogramPoint(format, point, series.attributes));
    }
    take(EncodeHistogram(format, kRows[i].head, points), static_cast<uint32_t>(series_[i].size()));
  }
}

}  // namespace gw::telemetry
