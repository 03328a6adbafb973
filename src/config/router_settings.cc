// What do the settings say about retries, fallbacks and cooldowns?
#include "config/router_settings.h"

#include <array>

#include "config/decision_settings.h"
#include "config/fallbacks.h"
#include "config/strategy_settings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

struct StrategyName {
  std::string_view name;
  RoutingStrategy strategy;
};

constexpr std::array<StrategyName, 8> kStrategies = {{
    {"simple-shuffle", RoutingStrategy::kSimpleShuffle},
    {"least-busy", RoutingStrategy::kLeastBusy},
    {"latency-based-routing", RoutingStrategy::kLatencyBased},
    {"usage-based-routing", RoutingStrategy::kUsageBased},
    {"usage-based-routing-v2", RoutingStrategy::kUsageBasedV2},
    {"cost-based-routing", RoutingStrategy::kCostBased},
    {"provider-budget-routing", RoutingStrategy::kProviderBudget},
    {"inference-aware", RoutingStrategy::kInferenceAware},
}};

void ReadStrategy(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  const auto name = ReadString(router, "routing_strategy");
  if (!name) return;
  std::string options;
  for (const StrategyName& row : kStrategies) {
    if (row.name == *name) {
      out.strategy = row.strategy;
      if (row.strategy != RoutingStrategy::kUsageBased) return;
      context.Warn(router.Find("routing_strategy")->place, "router_settings.routing_strategy",
                   "usage-based-routing is the old form of usage-based-routing-v2; taken as that");
      return;
    }
    options += (options.empty() ? "'" : ", '") + std::string(row.name) + "'";
  }
  context.Fatal(kExitRefused, router.Find("routing_strategy")->place,
                "router_settings.routing_strategy",
                "Invalid routing_strategy: '" + *name + "'. Valid options: [" + options + "]");
}

}  // namespace

std::optional<RoutingStrategy> StrategyNamed(std::string_view name) {
  for (const StrategyName& row : kStrategies) {
    if (row.name == name) return row.strategy;
  }
  return std::nullopt;
}

std::string_view NameOf(RoutingStrategy strategy) {
  for (const StrategyName& row : kStrategies) {
    if (row.strategy == strategy) return row.name;
  }
  return "";
}

namespace {

PerClassPolicy ReadPolicy(const yaml::Node& map, std::string_view suffix) {
  PerClassPolicy policy;
  const auto read = [&map, suffix](std::string_view name, int& target) {
    SetIf(ReadInt(map, std::string(name) + std::string(suffix)), target);
  };
  read("BadRequestError", policy.bad_request);
  read("AuthenticationError", policy.authentication);
  read("TimeoutError", policy.timeout);
  read("RateLimitError", policy.rate_limit);
  read("ContentPolicyViolationError", policy.content_policy);
  read("InternalServerError", policy.internal_server);
  read("ServiceUnavailableError", policy.service_unavailable);
  read("BadGatewayError", policy.bad_gateway);
  read("NotFoundError", policy.not_found);
  read("Default", policy.default_value);
  return policy;
}

// The setting in router_settings, else in litellm_settings; null counts as not given.
struct TwoSections {
  const yaml::Node& router;
  const yaml::Node& litellm;

  [[nodiscard]] const yaml::Node* Find(std::string_view key, std::string& path) const {
    const yaml::Node* node = router.Find(key);
    path = Join("router_settings", key);
    if (node != nullptr && !node->IsNull()) return node;
    path = Join("litellm_settings", key);
    node = litellm.Find(key);
    return node != nullptr && !node->IsNull() ? node : nullptr;
  }
  // For the readers above: the section that has the key.
  [[nodiscard]] const yaml::Node& Holder(std::string_view key) const {
    const yaml::Node* node = router.Find(key);
    return node != nullptr && !node->IsNull() ? router : litellm;
  }
};

void ReadAllFallbacks(LoadContext& context, const TwoSections& sections, RouterSettings& out) {
  std::string path;
  if (const auto* node = sections.Find("fallbacks", path)) {
    out.fallbacks = ReadFallbacks(context, *node, path);
  }
  if (const auto* node = sections.Find("default_fallbacks", path)) {
    FallbackList list;
    list.group = "*";
    list.targets = ReadDefaultFallbacks(context, *node, path);
    if (!list.targets.empty()) out.fallbacks.push_back(std::move(list));
  }
  if (const auto* node = sections.Find("context_window_fallbacks", path)) {
    out.context_window_fallbacks = ReadFallbacks(context, *node, path);
    out.has_context_window_fallbacks = !out.context_window_fallbacks.empty();
  }
  if (const auto* node = sections.Find("content_policy_fallbacks", path)) {
    out.content_policy_fallbacks = ReadFallbacks(context, *node, path);
    out.has_content_policy_fallbacks = !out.content_policy_fallbacks.empty();
  }
}

void ReadChecks(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  out.enable_pre_call_checks = ReadBool(router, "enable_pre_call_checks").value_or(false);
  if (const yaml::Node* node = router.Find("enable_pre_call_check")) {
    // compat: the documentation's misspelling, which LiteLLM ignores.
    SetIf(AsBool(*node), out.enable_pre_call_checks);
    context.Warn(node->place, "router_settings.enable_pre_call_check",
                 "the key is called enable_pre_call_checks; taken as that");
  }
  for (const std::string& check : ReadStrings(router, "optional_pre_call_checks")) {
    if (check == "enforce_model_rate_limits") {
      out.enforce_model_rate_limits = true;
    } else if (const uint8_t kind = AffinityOf(check); kind != 0) {
      out.affinity |= kind;
    } else if (check == "router_budget_limiting") {
      // Budgets hold as soon as they are configured.
    } else {
      context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet,
                  router.Find("optional_pre_call_checks")->place,
                  "router_settings.optional_pre_call_checks",
                  "accepted but not implemented: the check '" + check + "'");
    }
  }
}

void ReadPolicies(const yaml::Node& router, RouterSettings& out) {
  if (const auto* map = ReadMap(router, "retry_policy")) {
    out.retry_policy = ReadPolicy(*map, "Retries");
  }
  if (const auto* map = ReadMap(router, "allowed_fails_policy")) {
    out.allowed_fails_policy = ReadPolicy(*map, "AllowedFails");
  }
  if (const auto* groups = ReadMap(router, "model_group_retry_policy")) {
    for (const yaml::Member& member : groups->members) {
      out.model_group_retry_policy.emplace_back(yaml::KeyText(member.key),
                                                ReadPolicy(member.value, "Retries"));
    }
  }
}

void ReadThresholds(LoadContext& context, RouterSettings& out) {
  SetIf(EnvNumber(context, "DEFAULT_COOLDOWN_TIME_SECONDS"), out.cooldown_time_s);
  SetIf(EnvNumber(context, "DEFAULT_FAILURE_THRESHOLD_PERCENT"), out.failure_threshold_percent);
  SetIf(EnvInt(context, "DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS"),
        out.failure_threshold_requests_min);
  SetIf(EnvInt(context, "SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD"),
        out.single_deployment_traffic_threshold);
  SetIf(EnvInt(context, "ROUTER_MAX_FALLBACKS"), out.max_fallbacks);
  SetIf(EnvNumber(context, "INITIAL_RETRY_DELAY"), out.initial_retry_delay_s);
  SetIf(EnvNumber(context, "MAX_RETRY_DELAY"), out.max_retry_delay_s);
  SetIf(EnvNumber(context, "JITTER"), out.retry_jitter_s);
  out.request_timeout_s = EnvNumber(context, "REQUEST_TIMEOUT");
}

// A bound below zero says nothing sensible; LiteLLM would take it and misbehave later.
void RefuseNegative(LoadContext& context, const yaml::Node& section, std::string_view name) {
  constexpr std::array<std::string_view, 9> kKeys = {
      "num_retries",     "retry_after",   "timeout",       "stream_timeout",
      "request_timeout", "cooldown_time", "max_fallbacks", "total_timeout",
      "first_token_timeout"};
  for (const std::string_view key : kKeys) {
    const auto value = ReadNumber(section, key);
    if (!value || *value >= 0) continue;
    context.Fatal(kExitRefused, section.Find(key)->place, Join(name, key),
                  "expected a number that is not negative");
  }
}

std::optional<double> Positive(std::optional<double> value) {
  // compat: 0 counts as not given.
  return value && *value > 0 ? value : std::nullopt;
}

}  // namespace

RouterSettings ReadRouterSettings(LoadContext& context, const yaml::Node& root) {
  const yaml::Node empty;
  const yaml::Node* router_node = ReadMap(root, "router_settings");
  const yaml::Node* litellm_node = ReadMap(root, "litellm_settings");
  const yaml::Node& router = router_node == nullptr ? empty : *router_node;
  const yaml::Node& litellm = litellm_node == nullptr ? empty : *litellm_node;
  const TwoSections sections{router, litellm};
  RefuseNegative(context, router, "router_settings");
  RefuseNegative(context, litellm, "litellm_settings");

  RouterSettings out;
  ReadThresholds(context, out);
  ReadStrategy(context, router, out);
  SetIf(ReadInt(sections.Holder("num_retries"), "num_retries"), out.num_retries);
  SetIf(ReadNumber(sections.Holder("retry_after"), "retry_after"), out.retry_after_s);
  SetIf(ReadInt(sections.Holder("max_fallbacks"), "max_fallbacks"), out.max_fallbacks);
  SetIf(ReadNumber(sections.Holder("cooldown_time"), "cooldown_time"), out.cooldown_time_s);
  out.timeout_s = Positive(ReadNumber(router, "timeout"));
  out.stream_timeout_s = Positive(ReadNumber(router, "stream_timeout"));
  out.total_timeout_s = Positive(ReadNumber(router, "total_timeout"));
  out.first_token_timeout_s = Positive(ReadNumber(router, "first_token_timeout"));
  SetIf(ReadBool(router, "enable_mid_stream_fallback_continuation"), out.continue_broken_streams);
  if (const auto value = ReadNumber(litellm, "request_timeout")) out.request_timeout_s = value;
  out.request_timeout_s = Positive(out.request_timeout_s);
  ReadAllFallbacks(context, sections, out);
  out.allowed_fails = Narrow(ReadInt(router, "allowed_fails"));
  if (!out.allowed_fails) {
    // compat: in litellm_settings the default's own value does not count as a decision.
    const auto value = Narrow(ReadInt(litellm, "allowed_fails"));
    if (value && *value != 3) out.allowed_fails = value;
  }
  ReadPolicies(router, out);
  ReadChecks(context, router, out);
  ReadStrategySettings(context, router, out);
  ReadDecisionSettings(context, root, out);
  SetIf(ReadBool(router, "disable_cooldowns"), out.disable_cooldowns);
  SetIf(ReadBool(router, "enable_tag_filtering"), out.enable_tag_filtering);
  out.default_max_parallel_requests = ReadInt(router, "default_max_parallel_requests");
  if (const auto* map = ReadMap(router, "model_group_alias")) {
    out.aliases = ReadAliases(context, *map, "router_settings.model_group_alias");
  }
  SetIf(ReadBool(litellm, "expose_router_debug_in_errors"), out.expose_router_debug_in_errors);
  const auto& compat_holder = sections.Holder("compat_attempted_fallbacks");
  SetIf(ReadBool(compat_holder, "compat_attempted_fallbacks"), out.compat_attempted_fallbacks);
  return out;
}

}  // namespace gw::config
