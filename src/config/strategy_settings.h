// What do router_settings say about picking a row: arguments of the strategy, budgets of providers,
// affinity?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/load_context.h"
#include "config/snapshot.h"
#include "config/yaml_node.h"

namespace gw::config {

void ReadStrategySettings(LoadContext& context, const yaml::Node& router, RouterSettings& out);

// The AffinityKind of a name in optional_pre_call_checks; 0: none.
[[nodiscard]] uint8_t AffinityOf(std::string_view check);

// "30s", "10m", "12h", "1d", "1w", "1mo" (30 days) -> seconds; above zero, at most ten years.
[[nodiscard]] std::optional<double> ParsePeriod(std::string_view text);

// "HH:MM" -> seconds after midnight.
[[nodiscard]] std::optional<int> ParseTimeOfDay(std::string_view text);

}  // namespace gw::config
