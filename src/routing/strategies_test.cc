// Strategies that look at what happened: latency, usage, money, sessions; and limits beyond a minute.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "routing/half_open.h"
#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using config::RoutingStrategy;

AttemptOutcome Took(double seconds, int64_t tokens = 0) {
  AttemptOutcome outcome;
  outcome.duration = FromSeconds(seconds);
  outcome.completion_tokens = tokens;
  return outcome;
}

std::map<std::string, int> Picks(World& world, int requests, bool stream = false) {
  std::map<std::string, int> picks;
  RequestControls controls;
  controls.model = "g";
  controls.stream = stream;
  for (int i = 0; i < requests; ++i) {
    const Trace trace = world.Run(controls, Always("ok"));
    ++picks[trace.calls.empty() ? std::to_string(trace.status) : trace.calls.back()];
  }
  return picks;
}

TEST(LatencyBased, ExploresEachRowOnceThenTheFastestWins) {
  World world;
  for (const char* id : {"slow", "fast", "middle"}) world.Row("g", id);
  world.settings().strategy = RoutingStrategy::kLatencyBased;
  world.settings().strategy_args.exploration = 0;
  world.Build();
  world.Outcomes([](const Candidate& c) { return Took(c.deployment->id == "slow" ? 0.4 : c.deployment->id == "fast" ? 0.005 : 0.05); });
  const auto picks = Picks(world, 30);
  EXPECT_EQ(picks.at("slow"), 1);
  EXPECT_EQ(picks.at("middle"), 1);
  EXPECT_EQ(picks.at("fast"), 28);
}

TEST(LatencyBased, SmallShareLooksAgainAtSlowRows) {
  World world;
  world.Row("g", "slow");
  world.Row("g", "fast");
  world.settings().strategy = RoutingStrategy::kLatencyBased;
  world.Build();
  world.Outcomes([](const Candidate& c) { return Took(c.deployment->id == "slow" ? 0.4 : 0.005); });
  const int slow = Picks(world, 5000).at("slow");  // 2 %, half of them hit the slow row
  EXPECT_GT(slow, 25);
  EXPECT_LT(slow, 80);
}

TEST(LatencyBased, SecondsCountPerToken) {
  World world;
  world.Row("g", "long");
  world.Row("g", "short");
  world.settings().strategy = RoutingStrategy::kLatencyBased;
  world.settings().strategy_args.exploration = 0;
  world.Build();
  world.Outcomes([](const Candidate& c) { return c.deployment->id == "long" ? Took(1.0, 100) : Took(0.2, 2); });
  EXPECT_EQ(Picks(world, 20).at("long"), 19);
}

TEST(LatencyBased, StreamsCompareTheFirstTokenAndABufferMakesEquals) {
  for (const double buffer : {0.0, 0.5}) {
    World world;
    world.Row("g", "early");
    world.Row("g", "late");
    world.settings().strategy = RoutingStrategy::kLatencyBased;
    world.settings().strategy_args.exploration = 0;
    world.settings().strategy_args.lowest_latency_buffer = buffer;
    world.Build();
    world.Outcomes([](const Candidate& c) {
      AttemptOutcome outcome = Took(c.deployment->id == "early" ? 5 : 1, 10);
      outcome.is_stream = true;
      outcome.first_token = FromSeconds(c.deployment->id == "early" ? 0.1 : 0.14);
      return outcome;
    });
    const auto picks = Picks(world, 200, true);
    if (buffer == 0) EXPECT_EQ(picks.at("early"), 199);
    else EXPECT_GT(picks.at("late"), 60);
  }
}

TEST(LatencyBased, TimeoutsMakeARowTheLastChoiceUntilTheTtl) {
  World world;
  world.Row("g", "a");
  world.Row("g", "b");
  world.settings().strategy = RoutingStrategy::kLatencyBased;
  world.settings().strategy_args.exploration = 0;
  world.settings().strategy_args.ttl_s = 100;
  world.settings().disable_cooldowns = true;
  world.Build();
  world.Outcomes([](const Candidate&) { return Took(0.01); });
  (void)world.Run("g", Answers("a=timeout"));
  (void)world.Run("g", Answers("a=timeout"));
  EXPECT_EQ(Picks(world, 10).count("a"), 0U);
  world.Advance(101);
  EXPECT_EQ(Picks(world, 10).count("a"), 1U) << "forgotten, so it is tried again";
}

TEST(UsageBased, LowestTokensWin) {
  World world;
  world.Row("g", "a");
  world.Row("g", "b");
  world.settings().strategy = RoutingStrategy::kUsageBasedV2;
  world.Build();
  world.Outcomes([](const Candidate& c) { return Took(0.01, c.deployment->id == "a" ? 300 : 100); });
  const auto picks = Picks(world, 40);
  EXPECT_NEAR(picks.at("b"), 30, 2);
}

TEST(UsageBased, EveryPermittedRequestPassesThenTheGroupIsFull) {
  World world;
  for (const char* id : {"a", "b"}) world.Row("g", id).rpm = 3;
  world.settings().strategy = RoutingStrategy::kUsageBasedV2;
  world.Build();
  EXPECT_THAT(Picks(world, 9), ::testing::ElementsAre(::testing::Pair("429", 3), ::testing::Pair("a", 3), ::testing::Pair("b", 3)));
  const Trace refused = world.Run("g", Always("ok"));
  EXPECT_THAT(refused.error.message, ::testing::HasSubstr("No deployments available for selected model. Passed model=g"));
  world.Advance(61);
  EXPECT_EQ(Picks(world, 6).count("429"), 0U);
}

TEST(UsageBased, NoRefusalWhileOneRowHasRoom) {
  World world;
  world.Row("g", "full").rpm = 1;
  world.Row("g", "free").rpm = 50;
  world.settings().strategy = RoutingStrategy::kUsageBasedV2;
  world.Build();
  EXPECT_EQ(Picks(world, 51).count("429"), 0U);
}

TEST(CostBased, RowOverItsRateMakesRoomForTheNextCheapest) {
  World world;
  config::Deployment& cheap = world.Row("g", "cheap");
  cheap.price.input_cost_per_token = 1e-6;
  cheap.price.output_cost_per_token = 1e-6;
  cheap.rpm = 2;
  config::Deployment& dear = world.Row("g", "dear");
  dear.price.input_cost_per_token = 1e-3;
  dear.price.output_cost_per_token = 1e-3;
  world.settings().strategy = RoutingStrategy::kCostBased;
  world.Build();
  EXPECT_THAT(Picks(world, 5), ::testing::ElementsAre(::testing::Pair("cheap", 2), ::testing::Pair("dear", 3)));
}

TEST(Budgets, ProviderOverItsBudgetGetsNothingUntilThePeriodEnds) {
  World world;
  world.Row("g", "a");
  world.Row("g", "b").provider = "azure";
  world.settings().provider_budgets = {{"openai", 1.0, 3600}};
  world.Build();
  world.Outcomes([](const Candidate&) {
    AttemptOutcome outcome = Took(0.01);
    outcome.cost_usd = 0.5;
    return outcome;
  });
  const auto picks = Picks(world, 100);
  EXPECT_EQ(picks.at("a"), 2);
  EXPECT_EQ(picks.at("b"), 98);
  world.Advance(3601);
  EXPECT_GE(Picks(world, 50).count("a"), 1U);
}

TEST(Budgets, AllOverIsA429) {
  World world;
  config::Deployment& row = world.Row("g", "a");
  row.max_budget = 0.4;
  row.budget_period_s = 60;
  world.Build();
  world.Outcomes([](const Candidate&) {
    AttemptOutcome outcome = Took(0.01);
    outcome.cost_usd = 0.5;
    return outcome;
  });
  EXPECT_THAT(Picks(world, 3), ::testing::ElementsAre(::testing::Pair("429", 2), ::testing::Pair("a", 1)));
  EXPECT_THAT(world.Run("g", Always("ok")).error.message, ::testing::HasSubstr("crossed budget"));
}

TEST(HardLimits, RequestsPerDayBeginAnewAtTheResetTime) {
  World world;
  config::Deployment& row = world.Row("g", "a");
  row.rpd = 2;
  row.daily_reset_s = 6 * 3600;
  world.settings().enforce_model_rate_limits = true;
  world.Build();
  world.state().SetWallClock(world.now(), 1'700'000'000 / 86400 * 86400 + 5 * 3600);  // 05:00 UTC
  EXPECT_EQ(Picks(world, 4).at("429"), 2);
  world.Advance(1800);
  EXPECT_EQ(Picks(world, 1).count("429"), 1U);
  world.Advance(1801);  // past 06:00
  EXPECT_EQ(Picks(world, 3).at("a"), 2);
}

TEST(HardLimits, OutputTokensPerMinuteAreSettledAfterwards) {
  World world;
  world.Row("g", "a").otpm = 100;
  world.settings().enforce_model_rate_limits = true;
  world.Build();
  world.Outcomes([](const Candidate&) { return Took(0.01, 60); });
  EXPECT_EQ(Picks(world, 5).at("a"), 2) << "60 and 120: the third finds the limit reached";
}

TEST(HardLimits, RequestWaitsForRoomIfTheOperatorAllowsIt) {
  World world;
  world.Row("g", "a").rpm = 1;
  world.settings().enforce_model_rate_limits = true;
  world.settings().rate_limit_wait_max_s = 90;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  const Trace second = world.Run("g", Always("ok"));
  EXPECT_EQ(second.status, 200);
  ASSERT_EQ(second.waits.size(), 1U);
  EXPECT_NEAR(second.waits[0], 60, 1);
}

TEST(Affinity, SessionStaysWithItsRowAndLeavesAFailingOne) {
  World world;
  for (const char* id : {"a", "b", "c", "d"}) world.Row("g", id);
  world.settings().affinity = config::kSessionAffinity;
  world.settings().num_retries = 1;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.session_id = "s1";
  const std::string home = world.Run(controls, Always("ok")).calls.at(0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.Run(controls, Always("ok")).calls.at(0), home);
  const Trace failing = world.Run(controls, Answers(home + "=500"));
  EXPECT_EQ(failing.status, 200);
  EXPECT_EQ(failing.calls.size(), 2U);
  EXPECT_NE(failing.calls[1], home);
  controls.session_id = "s2";
  std::map<std::string, int> homes;
  for (int i = 0; i < 40; ++i) {
    controls.session_id = "other" + std::to_string(i);
    ++homes[world.Run(controls, Always("ok")).calls.at(0)];
  }
  EXPECT_GE(homes.size(), 3U) << "sessions spread";
}

TEST(HalfOpen, OneProbeAtATimeAfterACooldown) {
  World world;
  world.Row("g", "a");
  world.Row("g", "b");
  world.settings().half_open_probes = true;
  world.settings().cooldown_time_s = 5;
  world.Build();
  while (true) {  // until the shuffle has taken a
    const Trace trace = world.Run("g", Answers("a=429"));
    if (trace.calls.at(0) == "a") break;
  }
  world.Advance(6);
  // Two requests at once: at most one of them may go to the row that is being probed.
  const RequestControls controls = [] {
    RequestControls c;
    c.model = "g";
    return c;
  }();
  std::vector<std::unique_ptr<RequestRoute>> running;
  int on_a = 0;
  for (int i = 0; i < 20; ++i) {
    running.push_back(std::make_unique<RequestRoute>(world.index(), world.state(), controls));
    const Step step = running.back()->Next(world.now(), world.random());
    ASSERT_EQ(step.kind, Step::Kind::kAttempt);
    on_a += step.candidate.deployment->id == "a" ? 1 : 0;
  }
  EXPECT_EQ(on_a, 1);
  for (const auto& route : running) route->OnAttemptSucceeded(world.now());
  EXPECT_FALSE(IsHalfOpen(world.state().at(0)));
  EXPECT_GT(Picks(world, 40).at("a"), 8);
}

TEST(WeightedFailover, TheOtherRowsOfTheGroupComeBeforeTheFallbacks) {
  World world;
  for (const char* id : {"a", "b", "c"}) world.Row("g", id).weight = 1;
  world.Row("f", "z");
  world.Fallback("g", {"f"});
  world.settings().enable_weighted_failover = true;
  world.Build();
  const Trace trace = world.Run("g", Answers("a=400 b=400 c=400"));
  ASSERT_EQ(trace.calls.size(), 4U);
  EXPECT_EQ(trace.calls.back(), "z");
  EXPECT_EQ(trace.status, 200);
}

TEST(Reload, StateStaysWithTheDeploymentThatStays) {
  World world;
  world.Row("g", "a");
  world.Row("g", "b");
  world.settings().provider_budgets = {{"openai", 1.0, 3600}};
  world.Build();
  world.state().at(0).in_flight.store(3);
  world.state().at(1).in_flight.store(7);
  config::Snapshot after;
  for (const char* id : {"c", "b", "a"}) {
    config::Deployment& row = after.deployments.emplace_back();
    row.index = static_cast<uint32_t>(after.deployments.size() - 1);
    row.model_name = "g";
    row.id = id;
    row.litellm_model = std::string("openai/") + id;
  }
  after.deployments[1].api_base = "http://elsewhere";  // b moved: another upstream
  const SharedState fresh(after, &world.snapshot(), &world.state());
  EXPECT_EQ(fresh.at(0).in_flight.load(), 0);
  EXPECT_EQ(fresh.at(1).in_flight.load(), 0);
  EXPECT_EQ(fresh.at(2).in_flight.load(), 3);
  EXPECT_EQ(&fresh.at(2), &world.state().at(0));
}

}  // namespace
}  // namespace gw::routing::testing
