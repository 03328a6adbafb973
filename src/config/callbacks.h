// Which callback names are known, and what we say about each.
#pragma once

#include <string>
#include <vector>

#include "config/load_context.h"

namespace gw::config {

// Names of `callbacks` and `success_callback`, prometheus included. Warns about those that do
// nothing here; an unknown plain name in `callbacks` forbids the start, as in LiteLLM.
[[nodiscard]] std::vector<std::string> ReadCallbacks(LoadContext& context, const yaml::Node& litellm_settings,
                                                     const yaml::Node& callback_settings);

}  // namespace gw::config
