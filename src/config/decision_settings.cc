#include "config/decision_settings.h"

#include <algorithm>

#include "base/pattern.h"
#include "config/router_settings.h"
#include "config/strategy_settings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

// LiteLLM names these settings in either section.
const yaml::Node& HolderOf(const yaml::Node& router, const yaml::Node& general,
                           std::string_view key) {
  const yaml::Node* node = router.Find(key);
  return node != nullptr && !node->IsNull() ? router : general;
}

void ReadHealthRouting(const yaml::Node& root, RouterSettings& out) {
  const yaml::Node& router = SectionOf(root, "router_settings");
  const yaml::Node& general = SectionOf(root, "general_settings");
  const auto holder = [&](std::string_view key) -> const yaml::Node& {
    return HolderOf(router, general, key);
  };
  constexpr std::string_view kEnable = "enable_health_check_routing";
  constexpr std::string_view kStale = "health_check_staleness_threshold";
  constexpr std::string_view kTransient = "health_check_ignore_transient_errors";
  SetIf(ReadBool(holder(kEnable), kEnable), out.health_check_routing);
  SetIf(ReadBool(holder(kTransient), kTransient), out.health_check_ignores_transient);
  if (const auto interval = ReadNumber(general, "health_check_interval"); interval && *interval > 0)
    out.health_check_staleness_s = 2 * *interval;
  const auto stale = ReadNumber(holder(kStale), kStale);
  if (stale && *stale > 0) out.health_check_staleness_s = *stale;
}

std::optional<RoutingGroup> ReadGroup(LoadContext& context, const yaml::Node& item,
                                      const std::string& path, const RouterSettings& out) {
  const auto refuse = [&](std::string message) {
    context.Fatal(kExitRefused, item.place, path, std::move(message));
    return std::nullopt;
  };
  RoutingGroup group;
  group.name = item.IsMapping() ? ReadString(item, "group_name").value_or("") : "";
  if (group.name.empty()) return refuse("expected {group_name: NAME, models: [...]}");
  group.models = ReadStrings(item, "models");
  if (group.models.empty()) return refuse("'" + group.name + "' names no models");
  for (const std::string& model : group.models) {
    if (out.GroupOf(model) != nullptr) return refuse("'" + model + "' stands in two routing groups");
  }
  group.strategy = out.strategy;
  group.args = out.strategy_args;
  if (const auto name = ReadString(item, "routing_strategy")) {
    const auto strategy = StrategyNamed(*name);
    if (!strategy) return refuse("Invalid routing_strategy: '" + *name + "'");
    group.strategy = *strategy;
  }
  ReadStrategyArgs(context, item, path, group.args);
  return group;
}

void ReadRoutingGroups(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  const yaml::Node* list = ReadList(router, "routing_groups");
  if (list == nullptr) return;
  for (size_t i = 0; i < list->items.size(); ++i) {
    const std::string path = Indexed("router_settings.routing_groups", i);
    auto group = ReadGroup(context, list->items[i], path, out);
    if (group) out.routing_groups.push_back(std::move(*group));
  }
}

std::optional<double> NotNegative(LoadContext& context, const yaml::Node& section,
                                  std::string_view name, std::string_view key) {
  const auto value = ReadNumber(section, key);
  if (!value || *value >= 0) return value;
  context.Fatal(kExitRefused, section.Find(key)->place, Join(name, key),
                "expected a number that is not negative");
  return std::nullopt;
}

void ReadHedging(LoadContext& context, const yaml::Node& router, Hedging& out) {
  constexpr std::string_view kRouter = "router_settings";
  SetIf(ReadBool(router, "hedging"), out.enabled);
  SetIf(NotNegative(context, router, kRouter, "hedge_percentile"), out.percentile);
  if (out.percentile > 1) {
    context.Fatal(kExitRefused, router.Find("hedge_percentile")->place, "router_settings.hedge_percentile",
                  "expected a number between 0 and 1");
  }
  SetIf(NotNegative(context, router, kRouter, "hedge_delay_min"), out.delay_min_s);
  out.delay_min_s = std::min(out.delay_min_s, 3600.0);
  if (const auto most = NotNegative(context, router, kRouter, "hedge_delay_max")) out.delay_max_s = std::min(*most, 3600.0);
  SetIf(NotNegative(context, router, kRouter, "hedge_cost_cap"), out.cost_cap);
  out.cost_cap = std::min(out.cost_cap, 1.0);
  if (NotNegative(context, router, kRouter, "hedge_burst")) {
    SetIf(ReadInt(router, "hedge_burst"), out.burst);
    out.burst = std::min(out.burst, 1'000'000);
  }
  SetIf(ReadBool(router, "hedge_streams"), out.streams);
  SetIf(ReadBool(router, "hedge_whole_answers"), out.whole_answers);
}

}  // namespace

void ReadDecisionSettings(LoadContext& context, const yaml::Node& root, RouterSettings& out) {
  constexpr std::string_view kRouter = "router_settings";
  const yaml::Node& router = SectionOf(root, kRouter);
  const yaml::Node& litellm = SectionOf(root, "litellm_settings");
  SetIf(ReadBool(router, "tag_filtering_match_any"), out.tag_filtering_match_any);
  out.tag_routing_prefix = ReadString(router, "tag_routing_prefix").value_or("");
  SetIf(ReadBool(router, "fallback_on_unsupported_params"), out.fallback_on_unsupported_params);
  if (NotNegative(context, litellm, "litellm_settings", "num_retries_per_request")) {
    out.num_retries_per_request = Narrow(ReadInt(litellm, "num_retries_per_request"));
  }
  if (NotNegative(context, router, kRouter, "default_priority")) {
    out.default_priority = Narrow(ReadInt(router, "default_priority"));
  }
  SetIf(NotNegative(context, router, kRouter, "polling_interval"), out.polling_interval_s);
  SetIf(NotNegative(context, router, kRouter, "cooldown_wait_max"), out.cooldown_wait_max_s);
  out.polling_interval_s = std::min(out.polling_interval_s, 60.0);
  out.cooldown_wait_max_s = std::min(out.cooldown_wait_max_s, 3600.0);
  if (const auto budget = NotNegative(context, router, kRouter, "retry_budget")) {
    out.retry_budget = std::min(*budget, 1000.0);
  }
  if (NotNegative(context, router, kRouter, "retry_budget_burst")) {
    SetIf(ReadInt(router, "retry_budget_burst"), out.retry_budget_burst);
    out.retry_budget_burst = std::min(out.retry_budget_burst, 1'000'000);
  }
  ReadHedging(context, router, out.hedging);
  ReadHealthRouting(root, out);
  ReadRoutingGroups(context, router, out);
}

void ReadDecisionFields(LoadContext& context, const Row& row, Deployment& out) {
  out.team_id = ReadText(row.info, "team_id").value_or("");
  out.team_public_model_name = ReadString(row.info, "team_public_model_name").value_or("");
  if (!out.team_id.empty()) {
    context.Warn(row.place, Join(row.path, "model_info.team_id"),
                 "only keys of this team reach the row, and there are no team keys yet");
  }
  SetIf(ReadBool(row.info, "enable_tag_filtering"), out.enable_tag_filtering);
  SetIf(ReadBool(row.info, "allow_fail_open"), out.allow_fail_open);
  out.max_input_tokens = ReadInt(row.info, "max_input_tokens");
  if (!out.max_input_tokens && out.facts != nullptr) {
    out.max_input_tokens = out.facts->max_input_tokens;
  }
  out.region_name = ReadString(row.params, "region_name").value_or("");
  out.silent_model = ReadString(row.params, "silent_model").value_or("");
  for (std::string& expression : ReadStrings(row.params, "tag_regex")) {
    const auto compiled = Pattern::Compile(expression);
    if (compiled.ok()) {
      out.tag_regex.push_back(std::move(expression));
    } else {
      context.Error(row.params.Find("tag_regex")->place, Join(row.path, "litellm_params.tag_regex"),
                    "'" + expression + "' is left out: " + compiled.error().message);
    }
  }
}

}  // namespace gw::config
