// Hedged requests: when, whom, and what becomes of slots, budgets and retries.
#include "routing/hedge.h"

#include <gtest/gtest.h>

#include "routing/retry_budget.h"
#include "routing/route_test_kit.h"

namespace gw::routing {
namespace {

using testing::World;

config::Hedging On() {
  config::Hedging on;
  on.enabled = true;
  on.delay_min_s = 0.01;
  on.delay_max_s = 2.0;
  return on;
}

TEST(HedgeDelay, IsThePercentileOfTheNewestTimes) {
  HedgeClock clock;
  config::Hedging settings = On();
  for (int i = 1; i <= 100; ++i) RecordHedgeTime(clock, settings, true, i * 0.01);
  // The newest 64 are 0.37 .. 1.00; 95 % of them are at most 0.97.
  EXPECT_NEAR(Seconds(*HedgeDelay(clock, settings, true)), 0.97, 0.001);
}

TEST(HedgeDelay, StaysWithinItsBounds) {
  HedgeClock clock;
  config::Hedging settings = On();
  for (int i = 0; i < 30; ++i) RecordHedgeTime(clock, settings, false, 0.001);
  EXPECT_EQ(HedgeDelay(clock, settings, false), FromSeconds(settings.delay_min_s));
  for (int i = 0; i < 64; ++i) RecordHedgeTime(clock, settings, false, 9);
  EXPECT_EQ(HedgeDelay(clock, settings, false), FromSeconds(*settings.delay_max_s));
}

TEST(HedgeDelay, FewTimesSayNothing) {
  HedgeClock clock;
  config::Hedging settings = On();
  for (uint32_t i = 1; i < kHedgeSamplesMin; ++i) RecordHedgeTime(clock, settings, true, 0.1);
  EXPECT_EQ(HedgeDelay(clock, settings, true), FromSeconds(2.0));
  settings.delay_max_s.reset();
  EXPECT_EQ(HedgeDelay(clock, settings, true), std::nullopt);
  RecordHedgeTime(clock, settings, true, 0.1);
  EXPECT_NEAR(Seconds(*HedgeDelay(clock, settings, true)), 0.1, 1e-6);
  EXPECT_EQ(HedgeDelay(clock, settings, false), std::nullopt) << "whole answers have times of their own";
}

struct Hedged : ::testing::Test {
  World world;
  RequestControls controls;
  std::optional<RequestRoute> route;

  void SetUp() override {
    world.settings().hedging = On();
    for (const char* id : {"A", "B", "C"}) world.Row("g", id);
    controls.model = "g";
  }
  Candidate Start() {
    world.Build();
    return Again();
  }
  Candidate Again() {
    route.reset();
    route.emplace(world.index(), world.state(), controls);
    return route->Next(world.now(), world.random()).candidate;
  }
  HedgeOffer Offer() { return route->NextHedge(world.now(), world.random()); }
  int Slots(const Candidate& c) { return world.state().at(c.deployment->index).in_flight.load(); }
};

TEST_F(Hedged, TakesAnotherRowOfTheGroupOnceAndNoRetry) {
  const Candidate first = Start();
  ASSERT_EQ(route->HedgeAfter(), FromSeconds(2.0));
  const HedgeOffer offer = Offer();
  ASSERT_EQ(offer.kind, HedgeOffer::Kind::kPicked);
  EXPECT_NE(offer.candidate.deployment, first.deployment);
  EXPECT_EQ(offer.candidate.model_group, "g");
  EXPECT_FALSE(offer.candidate.is_fallback);
  EXPECT_EQ(world.SlotsInUse(), 2);
  EXPECT_EQ(route->attempts(), 2);
  EXPECT_EQ(route->attempted_retries(), 0);
  EXPECT_EQ(route->HedgeAfter(), std::nullopt);
  EXPECT_EQ(Offer().kind, HedgeOffer::Kind::kNone) << "one hedge per attempt";
}

TEST_F(Hedged, TheOvertakenRowIsNeitherBlamedNorPraised) {
  const Candidate first = Start();
  const HedgeOffer offer = Offer();
  route->OnOvertaken(Racer::kFirst, FromSeconds(0.5), nullptr, world.now());
  EXPECT_EQ(Slots(first), 0);
  EXPECT_EQ(Slots(offer.candidate), 1);
  route->OnAttemptSucceeded(world.now());
  EXPECT_EQ(world.SlotsInUse(), 0);
  const DeploymentState& loser = world.state().at(first.deployment->index);
  EXPECT_EQ(loser.window.load(), 0U);
  EXPECT_EQ(loser.fails.load(), 0U);
  EXPECT_FALSE(loser.last_failed.load());
  EXPECT_NE(world.state().at(offer.candidate.deployment->index).window.load(), 0U);
}

TEST_F(Hedged, TheOvertakenTimeCountsAsLate) {
  world.settings().hedging.delay_max_s.reset();
  const Candidate first = Start();
  HedgeClock& clock = *world.state().hedge(first.deployment->index);
  for (int i = 0; i < 40; ++i) RecordHedgeTime(clock, world.settings().hedging, false, 0.1);
  ASSERT_EQ(Offer().kind, HedgeOffer::Kind::kPicked);
  const uint32_t before = clock.whole.written.load();
  route->OnOvertaken(Racer::kFirst, FromSeconds(0.5), nullptr, world.now());
  EXPECT_EQ(clock.whole.written.load(), before + 1);
}

TEST_F(Hedged, AFailedFirstLeavesTheHedgeAsItsRetry) {
  const Candidate first = Start();
  const HedgeOffer offer = Offer();
  (void)route->OnRacerFailed(Racer::kFirst, *testing::ErrorFor("500", "openai"), world.now());
  EXPECT_EQ(Slots(first), 0);
  EXPECT_EQ(Slots(offer.candidate), 1);
  EXPECT_TRUE(world.state().at(first.deployment->index).last_failed.load());
  route->OnAttemptSucceeded(world.now());
  EXPECT_EQ(world.SlotsInUse(), 0);
}

TEST_F(Hedged, BothFailedThenTheGroupHasFailed) {
  world.Row("f", "F");
  world.Fallback("g", {"f"});
  (void)Start();
  (void)Offer();
  (void)route->OnRacerFailed(Racer::kHedge, *testing::ErrorFor("500", "openai"), world.now());
  (void)route->OnAttemptFailed(*testing::ErrorFor("503", "openai"), world.now());
  EXPECT_EQ(world.SlotsInUse(), 0);
  const Step step = route->Next(world.now(), world.random());
  ASSERT_EQ(step.kind, Step::Kind::kAttempt);
  EXPECT_EQ(step.candidate.deployment->id, "F");
}

TEST_F(Hedged, AClientThatLeavesGivesBothBack) {
  (void)Start();
  (void)Offer();
  route->OnAbandoned();
  EXPECT_EQ(world.SlotsInUse(), 0);
  (void)Again();
  (void)Offer();
  route.reset();
  EXPECT_EQ(world.SlotsInUse(), 0);
}

TEST_F(Hedged, TheCapBoundsThemAndARefusedOneTakesNothing) {
  world.settings().hedging.cost_cap = 0.5;
  world.settings().hedging.burst = 1;
  int picked = 0;
  (void)Start();
  for (int i = 0; i < 20; ++i) {
    picked += Offer().kind == HedgeOffer::Kind::kPicked ? 1 : 0;
    route->OnAbandoned();
    EXPECT_EQ(world.SlotsInUse(), 0);
    (void)Again();
  }
  EXPECT_EQ(picked, 10);  // burst 1 (full at the start) + half of the requests that came after a hedge
}

TEST_F(Hedged, NobodyElseTakesNothingFromTheCap) {
  world.settings().hedging.cost_cap = 0;
  world.settings().hedging.burst = 1;
  (void)Start();
  world.state().at(0).cooldown_until_ns = world.state().at(1).cooldown_until_ns =
      world.state().at(2).cooldown_until_ns = std::chrono::nanoseconds((world.now() + std::chrono::hours(1)).time_since_epoch()).count();
  EXPECT_EQ(Offer().kind, HedgeOffer::Kind::kNone);
  EXPECT_TRUE(world.state().hedge_budget()->TakeRetry());
}

TEST_F(Hedged, OffNobodyIsAsked) {
  world.settings().hedging.enabled = false;
  (void)Start();
  EXPECT_EQ(route->HedgeAfter(), std::nullopt);
  EXPECT_EQ(Offer().kind, HedgeOffer::Kind::kNone);
  EXPECT_EQ(world.state().hedge(0), nullptr);
}

TEST_F(Hedged, RowsOfALaterOrderAndRowsThatAnswerThemselvesStayOut) {
  world.EachRow([](config::Deployment& row) { row.order = row.id == "A" ? 1 : 2; });
  EXPECT_EQ(Start().deployment->id, "A");
  EXPECT_EQ(Offer().kind, HedgeOffer::Kind::kNone);
  World mocks;
  mocks.settings().hedging = On();
  mocks.Row("g", "M").mock_response = "hello";
  mocks.Row("g", "N").mock_response = "hello";
  mocks.Build();
  RequestRoute other(mocks.index(), mocks.state(), controls);
  (void)other.Next(mocks.now(), mocks.random());
  EXPECT_EQ(other.HedgeAfter(), std::nullopt);
}

}  // namespace
}  // namespace gw::routing
