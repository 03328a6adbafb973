// router_settings, with litellm_settings and the environment behind it -> RouterSettings.
#pragma once

#include "config/load_context.h"

namespace gw::config {

// nullopt: LiteLLM has no such strategy.
[[nodiscard]] std::optional<RoutingStrategy> StrategyNamed(std::string_view name);

// As configured and shown.
[[nodiscard]] std::string_view NameOf(RoutingStrategy strategy);

[[nodiscard]] RouterSettings ReadRouterSettings(LoadContext& context, const yaml::Node& root);

}  // namespace gw::config
