// The metrics of the GenAI semantic conventions, made from records: tokens, durations, times per token.
//
// Bounded: label sets beyond kGenAiSeriesMax share one that says otel.metric.overflow.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "telemetry/otlp_metrics.h"
#include "telemetry/record.h"

namespace gw::telemetry {

inline constexpr size_t kGenAiSeriesMax = 2000;

class GenAiMetrics {
 public:
  explicit GenAiMetrics(uint64_t start_ns) : start_ns_(start_ns) {}

  void Observe(const RequestRecord& record);
  void Encode(OtlpFormat format, uint64_t now_ns, const TakeMetric& take) const;

 private:
  enum Instrument : uint8_t { kTokens, kDuration, kTimeToFirstToken, kTimePerOutputToken, kInstruments };
  struct Series {
    Attributes attributes;
    std::vector<uint64_t> counts;
    double sum = 0;
  };
  void Add(Instrument instrument, const Attributes& attributes, double value);

  const uint64_t start_ns_;
  std::map<std::string, Series> series_[kInstruments];  // by the text of the attributes
};

}  // namespace gw::telemetry
