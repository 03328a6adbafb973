// Callbacks that take single requests: webhook, S3, Langfuse, Datadog; alerting to Slack or Teams.
//
// Read once per configuration, credentials resolved. A callback that lacks one is an error in the
// findings and left out; the start goes on, as in LiteLLM. Holds secrets: never printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/alert_settings.h"
#include "config/s3_settings.h"

namespace gw::config {

// Which list names it: callbacks both, success_callback and failure_callback one each.
struct CallbackEvents {
  bool success = false, failure = false;
  [[nodiscard]] bool any() const { return success || failure; }
};

struct GenericApiSettings {
  enum class Format : uint8_t { kJsonArray, kNdjson, kSingle };
  std::string name;  // "generic_api", or the name in callback_settings
  CallbackEvents events;
  std::string url;
  HeaderList headers;
  Format format = Format::kJsonArray;
  std::optional<int> retries_max;  // unset: the delivery's own
  std::optional<double> retry_delay_s, timeout_s;
};

struct LangfuseSettings {
  CallbackEvents events;
  std::string host;  // with scheme, without trailing slash
  std::string public_key, secret_key;
  std::string environment, release;
  double flush_interval_s = 1;
  std::vector<std::string> default_tags;
};

// What both Datadog callbacks say of this process.
struct DatadogSource {
  std::string env = "unknown", service = "litellm-server", version = "unknown";
  std::string hostname, pod_name = "unknown";
};

struct DatadogSettings {
  CallbackEvents events;
  std::string url;
  std::string api_key;  // may be empty with an agent
  std::string ddsource = "litellm";
  int batch_size = 1000;
};

struct DatadogMetricsSettings {
  CallbackEvents events;
  std::string url;
  std::string api_key, app_key;
};

struct CallbackSettings {
  bool any = false;           // one of them is on
  bool wants_content = false;
  bool wants_starts = false;  // alerting on hanging requests

  int batch_size = 512;         // DEFAULT_BATCH_SIZE
  double flush_interval_s = 5;  // DEFAULT_FLUSH_INTERVAL_SECONDS

  std::string proxy_base_url;   // PROXY_BASE_URL

  // What is kept out of every payload.
  bool turn_off_message_logging = false;
  bool redact_user_api_key_info = false;
  bool ignore_no_log = false;    // global_disable_no_log_param
  bool user_agent_tags = true;   // unless disable_add_user_agent_to_request_tags

  std::vector<GenericApiSettings> generic;
  std::optional<S3Settings> s3;
  CallbackEvents s3_events;
  std::optional<LangfuseSettings> langfuse;
  DatadogSource datadog_source;
  std::optional<DatadogSettings> datadog;
  std::optional<DatadogMetricsSettings> datadog_metrics;
  std::optional<AlertSettings> alerts;

  [[nodiscard]] bool AnyPayload() const {
    return !generic.empty() || s3 || langfuse || datadog || datadog_metrics;
  }
};

class LoadContext;
namespace yaml {
struct Node;
}

// Names of callbacks.cc that are served here; those of `callback_settings` come on top.
[[nodiscard]] bool IsPayloadCallback(std::string_view name);
// Is it a generic_api under a name of the operator's?
[[nodiscard]] bool IsGenericCallback(const yaml::Node& callback_settings, std::string_view name);

// `callbacks`: names of the callback lists but those of failure_callback alone; alerting has its own keys in general_settings.
[[nodiscard]] CallbackSettings ReadCallbackSettings(LoadContext& context, const yaml::Node& root, const std::vector<std::string>& callbacks);

}  // namespace gw::config
