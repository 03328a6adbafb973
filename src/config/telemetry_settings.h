// Who is told of single requests, and how? Access log, OpenTelemetry, callbacks, alerting.
//
// Read once per configuration. Each receiver has its own struct and reader; this file joins them.
#pragma once

#include <string>
#include <vector>

#include "config/access_log_settings.h"
#include "config/callback_settings.h"
#include "config/otel_settings.h"

namespace gw::config {

struct TelemetrySettings {
  AccessLogSettings access_log;
  OtelSettings otel;
  CallbackSettings callbacks;

  // Derived. All false: the path of a request pays one comparison.
  bool wants_records = false;
  bool wants_starts = false;   // records of Kind::kStarted
  bool wants_content = false;  // bodies of requests and answers
};

class LoadContext;
namespace yaml {
struct Node;
}

// After the environment is complete. `callbacks`: names of `callbacks` and `success_callback`.
[[nodiscard]] TelemetrySettings ReadTelemetrySettings(LoadContext& context, const yaml::Node& root,
                                                      const std::vector<std::string>& callbacks);

}  // namespace gw::config
