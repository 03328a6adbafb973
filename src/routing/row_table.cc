#include "routing/row_table.h"

#include <algorithm>

#include "routing/row_limits.h"

namespace gw::routing {
namespace {

using config::RoutingStrategy;

double CostOf(const config::Deployment& row) {
  constexpr double kUnknownCost = 5.0;  // per direction, as LiteLLM assumes
  const auto cost = [&](std::optional<double> config::Price::*field) {
    if (const auto& own = row.price.*field; own.has_value()) return *own;
    if (row.facts != nullptr && (row.facts->price.*field).has_value()) {
      return *(row.facts->price.*field);
    }
    return kUnknownCost;
  };
  return cost(&config::Price::input_cost_per_token) + cost(&config::Price::output_cost_per_token);
}

int64_t LimitValue(const std::optional<int64_t>& limit) {
  return limit.has_value() ? std::max<int64_t>(*limit, 0) : RowLimits::kNone;
}

int32_t ProviderBudgetOf(const config::Deployment& row, const config::RouterSettings& settings) {
  for (size_t i = 0; i < settings.provider_budgets.size(); ++i) {
    if (settings.provider_budgets[i].provider == row.provider) return static_cast<int32_t>(i);
  }
  return -1;
}

// Of the routing group that the row's model stands in, else the router's.
RoutingStrategy StrategyFor(const config::Deployment& row, const config::RouterSettings& settings) {
  const config::RoutingGroup* group = settings.GroupOf(row.model_name);
  return group == nullptr ? settings.strategy : group->strategy;
}

RowLimits LimitsUnder(RoutingStrategy strategy, const config::Deployment& row,
                      const config::RouterSettings& settings) {
  RowLimits limits;
  limits.slots = LimitValue(SlotLimit(row, settings));
  if (settings.enforce_model_rate_limits || StrategyLimits(strategy)) {
    limits.rpm = LimitValue(row.rpm);
    limits.tpm = LimitValue(row.tpm);
  }
  if (settings.enforce_model_rate_limits) {
    limits.itpm = LimitValue(row.itpm);
    limits.otpm = LimitValue(row.otpm);
    limits.rpd = LimitValue(row.rpd);
    limits.tpd = LimitValue(row.tpd);
    limits.daily_reset_s = row.daily_reset_s;
  }
  // What model_info states is counted for the metrics of what is left.
  limits.counts_requests = row.rpm || row.tpm || row.info_rpm || row.info_tpm || limits.rpd >= 0;
  limits.counts_tokens = row.tpm || row.info_tpm || limits.LimitsTokens() || IsUsageBased(strategy);
  return limits;
}

}  // namespace

bool StrategyLimits(RoutingStrategy strategy) {
  return strategy == RoutingStrategy::kLatencyBased || IsUsageBased(strategy) || strategy == RoutingStrategy::kCostBased;
}

bool IsUsageBased(RoutingStrategy strategy) {
  return strategy == RoutingStrategy::kUsageBased || strategy == RoutingStrategy::kUsageBasedV2;
}

RowLimits LimitsOf(const config::Deployment& row, const config::RouterSettings& settings) {
  return LimitsUnder(settings.strategy, row, settings);
}

RowTable::RowTable(const config::Snapshot& snapshot) : first_(snapshot.deployments.data()) {
  facts_.reserve(snapshot.deployments.size());
  bool has_regex = false;
  for (const config::Deployment& row : snapshot.deployments) {
    RowFacts& facts = facts_.emplace_back();
    weights_.push_back(std::max(row.weight.value_or(0), 0.0));
    rpms_.push_back(static_cast<double>(std::max<int64_t>(row.rpm.value_or(0), 0)));
    tpms_.push_back(static_cast<double>(std::max<int64_t>(row.tpm.value_or(0), 0)));
    costs_.push_back(CostOf(row));
    facts.order = row.order.value_or(0);
    facts.has_order = row.order.has_value();
    facts.blocked = row.blocked;
    facts.provider_budget = ProviderBudgetOf(row, snapshot.router);
    facts.has_budget = row.max_budget.has_value() && row.budget_period_s > 0;
    facts.context_max = std::max<int64_t>(row.max_input_tokens.value_or(0), 0);
    facts.limits = LimitsUnder(StrategyFor(row, snapshot.router), row, snapshot.router);
    any_tag_filtering_ |= row.enable_tag_filtering;
    has_regex |= !row.tag_regex.empty();
    any_blocked_ |= facts.blocked;
    any_order_ |= facts.has_order;
    any_weight_ |= weights_.back() > 0;
    any_rpm_ |= rpms_.back() > 0;
    any_tpm_ |= tpms_.back() > 0;
    states_room_ |= row.rpm || row.tpm || row.info_rpm || row.info_tpm;
    any_limit_ |= facts.limits.LimitsRate();
    any_shared_ |= facts.limits.IsLimited() || facts.limits.counts_tokens;
    any_budget_ |= facts.has_budget || facts.provider_budget >= 0;
  }
  if (has_regex) CompileRegexes(snapshot);
}

void RowTable::CompileRegexes(const config::Snapshot& snapshot) {
  tag_regexes_.resize(snapshot.deployments.size());
  for (const config::Deployment& row : snapshot.deployments) {
    for (const std::string& expression : row.tag_regex) {
      auto pattern = Pattern::Compile(expression);  // the loader has left out invalid ones
      if (pattern.ok()) tag_regexes_[row.index].push_back(std::move(*pattern));
    }
  }
}

bool RowTable::MatchesTagRegex(const config::Deployment* row, std::string_view text) const {
  if (tag_regexes_.empty()) return false;
  const std::vector<Pattern>& patterns = tag_regexes_[IndexOf(row)];
  return std::any_of(patterns.begin(), patterns.end(),
                     [text](const Pattern& pattern) { return pattern.IsIn(text); });
}

}  // namespace gw::routing
