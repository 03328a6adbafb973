#include "simulation/world_maker.h"

#include <array>

namespace gw::routing::simulation {

namespace {

using config::Deployment;
using config::RoutingStrategy;
using config::RouterSettings;

constexpr std::array<const char*, 3> kTags = {"eu", "paid", "default"};

Script MakeScript(const Plan& plan, Dice& dice) {
  Script script;
  double at = 0;
  const double base = dice.Between(0.02, 1.5);
  const double health = dice.Between(0, 1);
  for (int i = 0; i < 1 + dice.Upto(5); ++i) {
    Script::Phase& phase = script.phases.emplace_back();
    at += dice.Between(1, 40);
    phase.until_s = at;
    phase.latency_s = base * dice.Between(0.3, 3);
    if (plan.is_calm) continue;
    // Healthy, ill or dead; one kind of failure for the whole phase, or any.
    const double roll = dice.Between(0, 1);
    phase.failure_rate = roll < 0.4 ? 0 : roll < 0.8 ? health * dice.Between(0, 1) : 1;
    if (dice.Chance(0.7)) phase.answer = RandomFailure(dice);
  }
  return script;
}

void MakeLimits(Deployment& row, Dice& dice) {
  if (dice.Chance(0.2)) row.max_parallel_requests = 1 + dice.Upto(3);
  if (dice.Chance(0.15)) row.rpm = 1 + dice.Upto(30);
  if (dice.Chance(0.1)) row.tpm = 100 + dice.Upto(5000);
  if (dice.Chance(0.05)) row.itpm = 100 + dice.Upto(2000);
  if (dice.Chance(0.05)) row.rpd = 1 + dice.Upto(100);
}

void MakeRow(testing::World& world, Plan& plan, size_t group, size_t number, bool weighted,
             Dice& dice) {
  const std::string name = GroupName(group);
  Deployment& row = world.Row(name, name + "-" + std::to_string(number));
  if (weighted) row.weight = dice.Upto(4);
  if (plan.is_calm) return;
  if (plan.has_order && dice.Chance(0.7)) row.order = 1 + dice.Upto(2);
  MakeLimits(row, dice);
  if (dice.Chance(0.1)) row.num_retries = dice.Upto(3);
  if (dice.Chance(0.1)) row.cooldown_time_s = dice.Between(0, 20);
  if (dice.Chance(0.05)) row.allowed_fails = dice.Upto(3);
  if (dice.Chance(0.03)) row.blocked = true;
  if (dice.Chance(0.2)) row.max_input_tokens = 100 + dice.Upto(2000);
  if (dice.Chance(0.3)) row.region_name = dice.Chance(0.5) ? "eu-west-1" : "us";
  if (plan.has_tags) {
    for (const char* tag : kTags) {
      if (dice.Chance(0.4)) row.tags.emplace_back(tag);
    }
    row.allow_fail_open = dice.Chance(0.05);
  }
  if (plan.has_teams && dice.Chance(0.4)) {
    row.team_id = dice.Chance(0.5) ? "red" : "blue";
    if (dice.Chance(0.5)) row.team_public_model_name = dice.Chance(0.5) ? name : "team-model";
  }
  if (dice.Chance(0.03)) row.silent_model = GroupName(dice.Below(plan.groups));
}

void MakeFallbacks(testing::World& world, const Plan& plan, Dice& dice) {
  RouterSettings& settings = world.settings();
  for (size_t g = 0; g < plan.groups; ++g) {
    if (!dice.Chance(0.6)) continue;
    std::vector<std::string> targets;
    // May name itself, others twice, or an unknown group.
    for (int i = 0; i <= dice.Upto(3); ++i) targets.push_back(GroupName(dice.Below(plan.groups + 1)));
    world.Fallback(GroupName(g), targets);
  }
  if (dice.Chance(0.3)) world.Fallback("*", {GroupName(dice.Below(plan.groups))});
  if (dice.Chance(0.3)) {
    settings.has_context_window_fallbacks = true;
    settings.context_window_fallbacks = {testing::World::List(GroupName(0), {GroupName(1)})};
  }
  if (dice.Chance(0.1)) {
    settings.has_content_policy_fallbacks = true;
    settings.content_policy_fallbacks = {testing::World::List(GroupName(1), {GroupName(0)})};
  }
  settings.max_fallbacks = dice.Upto(5);
  if (dice.Chance(0.1)) settings.aliases = {{"alias", GroupName(0), false}};
  if (dice.Chance(0.1)) {
    settings.routing_groups = {{.name = "both",
                                .models = {GroupName(0), GroupName(1)},
                                .strategy = RoutingStrategy::kLeastBusy,
                                .args = {}}};
  }
}

void MakeSettings(RouterSettings& settings, const Plan& plan, Dice& dice) {
  constexpr std::array kStrategies = {
      RoutingStrategy::kSimpleShuffle, RoutingStrategy::kSimpleShuffle,
      RoutingStrategy::kLeastBusy,     RoutingStrategy::kLatencyBased,
      RoutingStrategy::kUsageBasedV2,  RoutingStrategy::kCostBased,
      RoutingStrategy::kProviderBudget};
  settings.strategy = kStrategies[dice.Below(kStrategies.size())];
  settings.num_retries = dice.Upto(3);
  settings.enforce_model_rate_limits = dice.Chance(0.4);
  settings.disable_cooldowns = dice.Chance(0.1);
  settings.cooldown_time_s = dice.Between(0.5, 12);
  if (dice.Chance(0.3)) settings.allowed_fails = dice.Upto(3);
  if (dice.Chance(0.15)) settings.allowed_fails_policy.internal_server = dice.Upto(2);
  if (dice.Chance(0.2)) settings.retry_policy.rate_limit = dice.Upto(3);
  if (dice.Chance(0.1)) settings.retry_policy.bad_request = dice.Upto(2);
  if (dice.Chance(0.2)) settings.total_timeout_s = dice.Between(1, 30);
  if (dice.Chance(0.2)) settings.num_retries_per_request = dice.Upto(4);
  settings.enable_pre_call_checks = dice.Chance(0.3);
  settings.enable_tag_filtering = plan.has_tags;
  settings.tag_filtering_match_any = dice.Chance(0.7);
  settings.half_open_probes = dice.Chance(0.3);
  settings.enable_weighted_failover = dice.Chance(0.2);
  settings.health_check_routing = dice.Chance(0.2);
  if (dice.Chance(0.2)) settings.rate_limit_wait_max_s = dice.Between(0, 90);
  if (dice.Chance(0.2)) settings.cooldown_wait_max_s = dice.Between(0, 20);
  if (dice.Chance(0.2)) settings.affinity = config::kSessionAffinity | config::kDeploymentAffinity;
  if (dice.Chance(0.1)) settings.provider_budgets = {{"openai", dice.Between(1, 50), 30}};
  if (!plan.has_order && dice.Chance(0.4)) {
    settings.retry_budget = dice.Between(0, 0.5);
    settings.retry_budget_burst = dice.Upto(20);
  }
  if (!plan.is_calm && dice.Chance(0.4)) {
    settings.hedging.enabled = true;
    settings.hedging.delay_min_s = 0.01;
    if (dice.Chance(0.7)) settings.hedging.delay_max_s = dice.Between(0.05, 0.4);
    settings.hedging.cost_cap = dice.Between(0, 0.5);
    settings.hedging.burst = dice.Upto(10);
  }
}

}  // namespace

std::string GroupName(size_t index) { return "g" + std::to_string(index); }

std::string RandomFailure(Dice& dice) {
  constexpr std::array kAnswers = {"500", "503",   "429",        "429-after-3", "401",    "404", "400",
                                   "ctx", "408",   "403",        "policy",      "timeout", "reset",
                                   "529", "reset", "429-after-0"};
  return kAnswers[dice.Below(kAnswers.size())];
}

Plan MakeWorld(testing::World& world, Dice& dice) {
  Plan plan;
  plan.is_calm = dice.Chance(0.1);
  plan.groups = 2 + dice.Below(5);
  plan.arrival_gap_s = dice.Between(0.005, 0.3);
  plan.has_order = dice.Chance(0.25);
  plan.has_tags = dice.Chance(0.2);
  plan.has_teams = dice.Chance(0.2);
  plan.has_priorities = dice.Chance(0.2);
  for (size_t g = 0; g < plan.groups; ++g) {
    const bool weighted = plan.is_calm || dice.Chance(0.3);
    const size_t rows = 1 + dice.Below(5);
    for (size_t r = 0; r < rows; ++r) MakeRow(world, plan, g, r, weighted, dice);
  }
  for (size_t i = 0; i < world.snapshot().deployments.size(); ++i) {
    plan.scripts.push_back(MakeScript(plan, dice));
  }
  if (!plan.is_calm) {
    MakeFallbacks(world, plan, dice);
    MakeSettings(world.settings(), plan, dice);
  }
  return plan;
}

RequestControls MakeRequest(const Plan& plan, const RouterSettings& settings, Dice& dice) {
  RequestControls controls;
  controls.model = GroupName(dice.Below(plan.groups));
  if (plan.is_calm) return controls;
  if (!settings.aliases.empty() && dice.Chance(0.1)) controls.model = "alias";
  if (!settings.routing_groups.empty() && dice.Chance(0.2)) controls.model = "both";
  controls.stream = dice.Chance(0.4);
  if (dice.Chance(0.1)) controls.num_retries = dice.Upto(5);
  controls.disable_fallbacks = dice.Chance(0.05);
  if (dice.Chance(0.05)) controls.fallbacks = {{GroupName(dice.Below(plan.groups)), {}}};
  if (plan.has_tags) {
    for (const char* tag : {"eu", "paid", "!eu", "&paid", "nowhere"}) {
      if (dice.Chance(0.12)) controls.tags.emplace_back(tag);
    }
  }
  if (plan.has_teams && dice.Chance(0.7)) controls.team_id = dice.Chance(0.5) ? "red" : "blue";
  if (plan.has_teams && dice.Chance(0.2)) controls.model = "team-model";
  if (plan.has_priorities && dice.Chance(0.5)) controls.priority = dice.Upto(5);
  if (dice.Chance(0.5)) controls.input_tokens_estimate = dice.Upto(1500);
  if (dice.Chance(0.5)) controls.output_tokens_max = dice.Upto(500);
  if (dice.Chance(0.05)) controls.allowed_region = dice.Chance(0.5) ? "eu" : "us";
  if (dice.Chance(0.3)) controls.session_id = "s" + std::to_string(dice.Upto(20));
  if (dice.Chance(0.02)) controls.mock = RequestControls::Mock::kRateLimit;
  return controls;
}

}  // namespace gw::routing::simulation
