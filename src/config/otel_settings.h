// OpenTelemetry: what goes to which collector. Standard OTEL_* variables, LiteLLM's `otel` callback.
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
  bool forward_traceparent = false;  // W3C headers to upstreams
  bool capture_content = false;
};

class LoadContext;
namespace yaml {
struct Node;
}

// `callbacks`: names of the callback lists but those of failure_callback alone ("otel" is one way to switch traces on).
[[nodiscard]] OtelSettings ReadOtelSettings(LoadContext& context, const yaml::Node& root, const std::vector<std::string>& callbacks);

}  // namespace gw::config
