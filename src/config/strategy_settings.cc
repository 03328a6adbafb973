#include "config/strategy_settings.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr int kLatencyListMax = 64;  // samples that a row keeps

constexpr std::array<std::string_view, 14> kArgNames = {
    "ttl",           "lowest_latency_buffer", "max_latency_list_size",     "ttft_percentile",     "exploration",
    "scrape_interval", "stale_after",         "prefix_block_bytes",        "prefill_tokens_per_second",
    "prefix_cache_tokens", "queue_weight",    "prefix_weight",             "busy_weight",         "kv_weight"};

// Within [low, high], else a finding and nullopt.
std::optional<double> ReadWithin(LoadContext& context, const yaml::Node& map, std::string_view path,
                                 std::string_view key, double low, double high) {
  const yaml::Node* node = map.Find(key);
  if (node == nullptr || node->IsNull()) return std::nullopt;
  const auto value = AsNumber(*node);
  if (value && *value >= low && *value <= high) return value;
  context.Warn(node->place, Join(path, key), "no number in its range; the default holds");
  return std::nullopt;
}

void ReadInferenceArgs(LoadContext& context, const yaml::Node& map, std::string_view path, StrategyArgs& out) {
  const auto read = [&](std::string_view key, double low, double high, double& target) {
    SetIf(ReadWithin(context, map, path, key, low, high), target);
  };
  read("scrape_interval", 0.05, 60, out.scrape_interval_s);
  read("stale_after", 0.1, 3600, out.stale_after_s);
  read("prefill_tokens_per_second", 1, 1e7, out.prefill_tokens_per_s);
  read("queue_weight", 0, 1e3, out.queue_weight);
  read("prefix_weight", 0, 1e3, out.prefix_weight);
  read("busy_weight", 0, 1e3, out.busy_weight);
  read("kv_weight", 0, 1e3, out.kv_weight);
  if (const auto bytes = ReadWithin(context, map, path, "prefix_block_bytes", 64, 1e6))
    out.prefix_block_bytes = static_cast<int>(*bytes);
  if (const auto tokens = ReadWithin(context, map, path, "prefix_cache_tokens", 0, 1e10))
    out.prefix_cache_tokens = static_cast<int64_t>(*tokens);
}

}  // namespace

void ReadStrategyArgs(LoadContext& context, const yaml::Node& holder, std::string_view path,
                      StrategyArgs& out) {
  const yaml::Node* map = ReadMap(holder, "routing_strategy_args");
  if (map == nullptr) return;
  const std::string args_path = Join(path, "routing_strategy_args");
  for (const yaml::Member& member : map->members) {
    const std::string key = yaml::KeyText(member.key);
    if (std::find(kArgNames.begin(), kArgNames.end(), key) != kArgNames.end()) continue;
    context.Warn(member.value.place, Join(args_path, key), "unknown; ignored");
  }
  SetIf(ReadWithin(context, *map, args_path, "ttl", 1, 1e7), out.ttl_s);
  SetIf(ReadWithin(context, *map, args_path, "lowest_latency_buffer", 0, 1e6),
        out.lowest_latency_buffer);
  if (const auto size = ReadWithin(context, *map, args_path, "max_latency_list_size", 1, 1e9)) {
    out.max_latency_list_size = static_cast<int>(std::min<double>(*size, kLatencyListMax));
  }
  const auto percentile = ReadWithin(context, *map, args_path, "ttft_percentile", 0, 1);
  if (percentile && *percentile > 0) out.ttft_percentile = percentile;
  SetIf(ReadWithin(context, *map, args_path, "exploration", 0, 1), out.exploration);
  ReadInferenceArgs(context, *map, args_path, out);
}

namespace {

// compat: LiteLLM takes two names for each of the members.
void ReadBudgets(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  const yaml::Node* map = ReadMap(router, "provider_budget_config");
  if (map == nullptr) return;
  for (const yaml::Member& member : map->members) {
    ProviderBudget budget;
    budget.provider = yaml::KeyText(member.key);
    const std::string path = Join("router_settings.provider_budget_config", budget.provider);
    std::optional<double> limit;
    std::optional<double> period;
    if (member.value.IsMapping()) {
      limit = ReadNumber(member.value, "budget_limit");
      if (!limit) limit = ReadNumber(member.value, "max_budget");
      auto text = ReadText(member.value, "time_period");
      if (!text) text = ReadText(member.value, "budget_duration");
      if (text) period = ParsePeriod(*text);
    }
    if (!limit || *limit < 0 || !period) {
      context.Fatal(kExitRefused, member.value.place, path,
                    "expected {budget_limit: USD, time_period: a period such as 1d}");
      continue;
    }
    budget.limit_usd = *limit;
    budget.period_s = *period;
    out.provider_budgets.push_back(std::move(budget));
  }
}

void ReadAffinity(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  SetIf(ReadBool(router, "session_affinity_repin_on_failover"), out.session_affinity_repin);
  SetIf(ReadWithin(context, router, "router_settings", "deployment_affinity_ttl_seconds", 1, 1e7),
        out.affinity_ttl_s);
  const yaml::Node* groups = ReadMap(router, "model_group_affinity_config");
  if (groups == nullptr) return;
  for (const yaml::Member& member : groups->members) {
    uint8_t kinds = 0;
    const std::string group = yaml::KeyText(member.key);
    for (const std::string& check : ReadStrings(*groups, group)) {
      const uint8_t kind = AffinityOf(check);
      kinds |= kind;
      if (kind != 0) continue;
      context.Warn(member.value.place, Join("router_settings.model_group_affinity_config", group),
                   "no affinity check: '" + check + "'; ignored");
    }
    out.group_affinity.emplace_back(group, kinds);
  }
}

}  // namespace

uint8_t AffinityOf(std::string_view check) {
  if (check == "session_affinity") return kSessionAffinity;
  if (check == "deployment_affinity") return kDeploymentAffinity;
  if (check == "prompt_caching") return kPromptCaching;
  return 0;
}

std::optional<double> ParsePeriod(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr double kDay = 86'400;
  constexpr std::array<Unit, 6> kUnits = {
      {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", kDay}, {"w", 7 * kDay}, {"mo", 30 * kDay}}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = ParseInt(text.substr(0, digits));
  if (!count || *count <= 0) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.name != text.substr(digits)) continue;
    const double seconds = static_cast<double>(*count) * unit.seconds;
    return seconds <= 3650 * kDay ? std::optional(seconds) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<int> ParseTimeOfDay(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2) return std::nullopt;
  if (text.size() != colon + 3) return std::nullopt;
  const auto hours = ParseInt(text.substr(0, colon));
  const auto minutes = ParseInt(text.substr(colon + 1));
  if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) {
    return std::nullopt;
  }
  return static_cast<int>(*hours * 3600 + *minutes * 60);
}

void ReadStrategySettings(LoadContext& context, const yaml::Node& router, RouterSettings& out) {
  ReadStrategyArgs(context, router, "router_settings", out.strategy_args);
  ReadBudgets(context, router, out);
  ReadAffinity(context, router, out);
  SetIf(ReadBool(router, "enable_weighted_failover"), out.enable_weighted_failover);
  SetIf(ReadBool(router, "half_open_probes"), out.half_open_probes);
  SetIf(ReadWithin(context, router, "router_settings", "rate_limit_wait_max", 0, 3600),
        out.rate_limit_wait_max_s);
}

}  // namespace gw::config
