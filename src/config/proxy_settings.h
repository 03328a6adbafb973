// litellm_settings that are neither routing nor metrics, general_settings, and what the environment says
// about the server itself.
#pragma once

#include "config/load_context.h"

namespace gw::config {

[[nodiscard]] ProxySettings ReadProxySettings(LoadContext& context, const yaml::Node& root);
// Refuses a weak or missing master key and authentication hooks that we cannot run.
[[nodiscard]] GeneralSettings ReadGeneralSettings(LoadContext& context, const yaml::Node& root);
[[nodiscard]] ServerOptions ReadServerOptions(LoadContext& context);

}  // namespace gw::config
