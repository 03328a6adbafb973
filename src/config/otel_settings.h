// OpenTelemetry: what goes to which collector. Standard OTEL_* variables, LiteLLM's `otel` callback.
//
// Traces are on when `otel` stands among the callbacks or a standard variable asks for them: an OTLP endpoint
// (the general one or that of traces) or OTEL_TRACES_EXPORTER=otlp. Metrics and logs wait for a variable
// of their own, because /metrics and the access log are there already. OTEL_SDK_DISABLED=true: all off.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace gw::config {

enum class OtelProtocol : uint8_t { kHttpProtobuf, kHttpJson };

// One of traces, metrics, logs.
struct OtelSignal {
  bool on = false;
  std::string url;      // complete, with /v1/traces and the like
  HeaderList headers;   // secrets: never printed
  OtelProtocol protocol = OtelProtocol::kHttpProtobuf;
  double timeout_s = 10;
  bool gzip = false;
  std::string ca_file;
};

struct OtelSettings {
  OtelSignal traces, metrics, logs;
  std::vector<std::pair<std::string, std::string>> resource;  // attributes; service.name included
  uint8_t sampler = 3;   // telemetry::Sampler; parentbased_always_on
  double sample_ratio = 1;
  double metric_interval_s = 60;
  double batch_delay_s = 5;
  size_t batch_items_max = 512;
  size_t queue_bytes_max = size_t{8} << 20;
  double log_batch_delay_s = 1;
  size_t log_batch_items_max = 512;
  size_t log_queue_bytes_max = size_t{8} << 20;
  bool genai_metrics = false;        // gen_ai.* histograms among the metrics: made from records
  bool forward_traceparent = false;  // W3C headers to upstreams
  bool capture_content = false;      // one of the next two
  bool content_in_spans = false, content_in_logs = false;

  // Whether metrics need records too.
  [[nodiscard]] bool wants_records() const { return traces.on || logs.on || genai_metrics; }
};

class LoadContext;
namespace yaml {
struct Node;
}

// `callbacks`: names of the callback lists but those of failure_callback alone ("otel" is one way to switch traces on).
[[nodiscard]] OtelSettings ReadOtelSettings(LoadContext& context, const yaml::Node& root,
                                            const std::vector<std::string>& callbacks);

}  // namespace gw::config
