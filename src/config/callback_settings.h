// Callbacks that take single requests: webhook, S3, Langfuse, Datadog; alerting to Slack or a webhook.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace gw::config {

// Filled by callback_settings.cc; each `on` needs the callback's name in a list and what it requires.
struct CallbackSettings {
  bool any = false;           // one of them is on
  bool wants_content = false;
  bool wants_starts = false;  // alerting on hanging requests
};

class LoadContext;
namespace yaml {
struct Node;
}

// `callbacks`: names of the callback lists but those of failure_callback alone; alerting has its own keys in general_settings.
[[nodiscard]] CallbackSettings ReadCallbackSettings(LoadContext& context, const yaml::Node& root, const std::vector<std::string>& callbacks);

}  // namespace gw::config
