#include "routing/cooldown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/packed_window.h"
#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

// One row and the rules, without a request around them.
class CooldownRules : public ::testing::Test {
 protected:
  FailureEffect Fail(std::string_view answer, GroupFacts group = {}) {
    return RecordFailure(state_, row_, settings_, group, *ErrorFor(answer, "openai"), now_);
  }
  void Advance(double seconds) { now_ += FromSeconds(seconds); }
  [[nodiscard]] bool IsOut() const { return IsCoolingDown(state_, now_); }

  DeploymentState state_;
  config::Deployment row_;
  config::RouterSettings settings_;
  TimePoint now_{std::chrono::hours(50)};
};

constexpr GroupFacts kSingle{.is_single = true, .has_fallbacks = false};
constexpr GroupFacts kSingleWithFallback{.is_single = true, .has_fallbacks = true};

TEST_F(CooldownRules, ReturnsWithoutProbeWhenTimeIsUp) {
  const FailureEffect effect = Fail("429");
  EXPECT_TRUE(effect.cooldown_started);
  EXPECT_EQ(effect.cooldown, std::chrono::seconds(5));
  Advance(4.999);
  EXPECT_TRUE(IsOut());
  Advance(0.001);
  EXPECT_FALSE(IsOut());
}

TEST_F(CooldownRules, HalfFailedIsNotMoreThanHalf) {
  for (int i = 0; i < 5; ++i) {
    RecordSuccess(state_, now_);
    EXPECT_FALSE(Fail("500").cooldown_started);
  }
  EXPECT_TRUE(Fail("500").cooldown_started);
}

TEST_F(CooldownRules, FourFailuresProveNothing) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(Fail("503").cooldown_started);
  EXPECT_TRUE(Fail("503").cooldown_started);
}

TEST_F(CooldownRules, CountsOfThePastMinuteAreForgotten) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(Fail("500").cooldown_started);
  Advance(60);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(Fail("500").cooldown_started);
}

TEST_F(CooldownRules, TotalOutageTripsEvenAlone) {
  for (int i = 0; i < 999; ++i) ASSERT_FALSE(Fail("500", kSingle).cooldown_started);
  EXPECT_TRUE(Fail("500", kSingle).cooldown_started);
}

TEST_F(CooldownRules, OneSuccessKeepsALoneRowFromTheOutageRule) {
  RecordSuccess(state_, now_);
  for (int i = 0; i < 1200; ++i) ASSERT_FALSE(Fail("500", kSingle).cooldown_started);
}

TEST_F(CooldownRules, SecondFailureDuringCooldownIsNotAStart) {
  EXPECT_TRUE(Fail("429").cooldown_started);
  Advance(1);
  EXPECT_FALSE(Fail("429").cooldown_started);
  Advance(4.5);  // the later deadline counts
  EXPECT_TRUE(IsOut());
}

TEST_F(CooldownRules, ShorterCooldownDoesNotCutARunningOne) {
  Fail("429-after-30");
  Fail("429-after-1");
  Advance(29);
  EXPECT_TRUE(IsOut());
  Advance(1);
  EXPECT_FALSE(IsOut());
}

TEST_F(CooldownRules, DurationPrecedence) {
  settings_.cooldown_time_s = 7;
  EXPECT_EQ(Fail("429").cooldown, std::chrono::seconds(7));
  EXPECT_EQ(Fail("429-after-20").cooldown, std::chrono::seconds(20));
  EXPECT_EQ(Fail("429-after-999999").cooldown, std::chrono::seconds(3600));
  row_.cooldown_time_s = 3;
  EXPECT_EQ(Fail("429-after-20").cooldown, std::chrono::seconds(3));
}

TEST_F(CooldownRules, ZeroMeansNever) {
  EXPECT_FALSE(Fail("429-after-0").cooldown_started);
  row_.cooldown_time_s = 0;
  EXPECT_FALSE(Fail("401").cooldown_started);
  EXPECT_FALSE(IsOut());
}

TEST_F(CooldownRules, DisabledMeansNever) {
  settings_.disable_cooldowns = true;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(Fail("429").cooldown_started);
}

TEST_F(CooldownRules, NeverCounted) {
  Error timeout = *ErrorFor("timeout", "openai");
  EXPECT_TRUE(CountsTowardsCooldown(timeout));
  timeout.client_set_timeout = true;
  EXPECT_FALSE(CountsTowardsCooldown(timeout));

  Error broken = *ErrorFor("500", "openai");
  broken.cls = ErrorClass::kApiConnection;
  EXPECT_FALSE(CountsTowardsCooldown(broken));
  broken = *ErrorFor("500", "openai");
  broken.mid_stream = true;
  EXPECT_FALSE(CountsTowardsCooldown(broken));

  for (const char* answer : {"400", "403", "409", "413", "422", "ctx", "policy"}) {
    EXPECT_FALSE(CountsTowardsCooldown(*ErrorFor(answer, "openai"))) << answer;
  }
}

TEST_F(CooldownRules, AllowedFailsCoolsOnTheOneTooMany) {
  settings_.allowed_fails = 2;
  EXPECT_FALSE(Fail("500").cooldown_started);
  EXPECT_FALSE(Fail("500").cooldown_started);
  EXPECT_TRUE(Fail("500").cooldown_started);
}

TEST_F(CooldownRules, AllowedFailsForgetsAfterOneCooldownTime) {
  settings_.allowed_fails = 1;
  EXPECT_FALSE(Fail("500").cooldown_started);
  Advance(5);
  EXPECT_FALSE(Fail("500").cooldown_started);
  Advance(4.9);
  EXPECT_TRUE(Fail("500").cooldown_started);
}

TEST_F(CooldownRules, AllowedFailsReplacesTheImmediateRules) {
  settings_.allowed_fails = 1;
  EXPECT_FALSE(Fail("429").cooldown_started);
  EXPECT_TRUE(Fail("401").cooldown_started);
}

TEST_F(CooldownRules, LoneRowWithoutFallbackNeedsAnExplicitPolicy) {
  settings_.allowed_fails = 0;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Fail("500", kSingle).cooldown_started);
  settings_.allowed_fails_policy.rate_limit = 0;
  EXPECT_FALSE(Fail("500", kSingle).cooldown_started);
  EXPECT_TRUE(Fail("429", kSingle).cooldown_started);
}

TEST_F(CooldownRules, LoneRowWithFallbackIsCooled) {
  settings_.allowed_fails = 2;
  EXPECT_FALSE(Fail("500", kSingleWithFallback).cooldown_started);
  EXPECT_FALSE(Fail("500", kSingleWithFallback).cooldown_started);
  EXPECT_TRUE(Fail("500", kSingleWithFallback).cooldown_started);
}

TEST_F(CooldownRules, PolicyBeatsAllowedFailsAndUnnamedClassesGetThree) {
  settings_.allowed_fails_policy.timeout = 0;
  EXPECT_TRUE(Fail("timeout").cooldown_started);
  Advance(5);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Fail("500").cooldown_started);
  EXPECT_TRUE(Fail("500").cooldown_started);
}

TEST_F(CooldownRules, RowsOwnAllowedFailsBeatsTheRouters) {
  settings_.allowed_fails = 100;
  row_.allowed_fails = 0;
  EXPECT_TRUE(Fail("500", kSingle).cooldown_started);
}

TEST_F(CooldownRules, ClockOfAnotherThreadMayBeALittleBehind) {
  for (int i = 0; i < 4; ++i) Fail("500");
  now_ -= std::chrono::seconds(1);
  EXPECT_TRUE(Fail("500").cooldown_started);  // still the same minute
}

TEST(SharedState, HealthFollowsTheLastOutcome) {
  SharedState state(1);
  const TimePoint now{std::chrono::hours(9)};
  EXPECT_EQ(state.HealthAt(0, now), Health::kHealthy);
  config::Deployment row;
  const config::RouterSettings settings;
  RecordFailure(state.at(0), row, settings, {}, *ErrorFor("500", "openai"), now);
  EXPECT_EQ(state.HealthAt(0, now), Health::kPartialOutage);
  RecordFailure(state.at(0), row, settings, {}, *ErrorFor("429", "openai"), now);
  EXPECT_EQ(state.HealthAt(0, now), Health::kCompleteOutage);
  EXPECT_EQ(state.CooldownLeft(0, now + std::chrono::seconds(2)), std::chrono::seconds(3));
  EXPECT_EQ(state.CooldownLeft(0, now + std::chrono::seconds(9)), Duration::zero());
  EXPECT_EQ(state.HealthAt(0, now + std::chrono::seconds(5)), Health::kPartialOutage);
  RecordSuccess(state.at(0), now + std::chrono::seconds(6));
  EXPECT_EQ(state.HealthAt(0, now + std::chrono::seconds(6)), Health::kHealthy);
}

TEST(AllRowsCooled, AnswerIsLiteLlms) {
  World world;
  world.Row("g", "b1");
  world.Row("g", "b2");
  world.settings().cooldown_time_s = 4;
  world.settings().allowed_fails = 0;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("429")).calls.size(), 1U);
  world.Advance(0.3);
  EXPECT_EQ(world.Run("g", Always("429")).calls.size(), 1U);
  world.Advance(0.3);
  const Trace trace = world.Run("g", Always("429"));
  EXPECT_TRUE(trace.calls.empty());
  EXPECT_EQ(trace.status, 429);
  EXPECT_EQ(trace.error.retry_after_s, 4);
  EXPECT_EQ(trace.error.cls, ErrorClass::kNoDeployments);
  EXPECT_EQ(trace.error.type, "all_deployments_in_cooldown");
  EXPECT_EQ(trace.error.message,
            "No deployments available for selected model, Try again in 4 seconds. All deployments "
            "for selected model are in cooldown. Passed model=g. pre-call-checks=False, "
            "cooldown_list=['b1', 'b2']");
  EXPECT_EQ(trace.last_row, nullptr);
}

TEST(AllRowsCooled, FallbackIsUsedWithoutTouchingTheCooledRows) {
  World world;
  world.Row("g", "b1");
  world.Row("g", "b2");
  world.Row("net", "net");
  world.Fallback("g", {"net"});
  world.settings().num_retries = 2;
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("b1=429 b2=429")).calls.size(), 3U);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_THAT(trace.calls, ::testing::ElementsAre("net"));
  EXPECT_EQ(trace.attempted_fallbacks, 1);
}

TEST(AllRowsCooled, EveryTierOfTheSecondRequestAnswersWithoutACall) {
  World world;
  for (const char* name : {"T1", "T2", "T3"}) world.Row(name, name);
  world.Fallback("T1", {"T2", "T3"});
  world.Build();
  EXPECT_EQ(world.Run("T1", Always("401")).status, 401);
  const Trace second = world.Run("T1", Always("401"));
  EXPECT_EQ(second.status, 429);
  EXPECT_TRUE(second.calls.empty());
  world.Advance(5);
  EXPECT_EQ(world.Run("T1", Always("401")).calls.size(), 3U);
}

TEST(AllRowsCooled, EveryFailedTierIsCooledByTheFirstRequest) {
  World world;
  for (const char* name : {"T1", "T2", "T3"}) world.Row(name, name);
  world.Fallback("T1", {"T2", "T3"});
  world.Build();
  EXPECT_THAT(world.Run("T1", Answers("T1=404 T2=404")).calls,
              ::testing::ElementsAre("T1", "T2", "T3"));
  EXPECT_THAT(world.Run("T1", Always("ok")).calls, ::testing::ElementsAre("T3"));
}

TEST(AllowedFails, LoneRowWithFallbackIsLeftAloneAfterThreeCalls) {
  World world;
  world.Row("g", "g");
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().allowed_fails = 2;
  world.Build();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(world.Run("g", Answers("g=500")).calls, ::testing::ElementsAre("g", "f"));
  }
  EXPECT_THAT(world.Run("g", Answers("g=500")).calls, ::testing::ElementsAre("f"));
  world.Advance(5);
  EXPECT_THAT(world.Run("g", Answers("g=500")).calls, ::testing::ElementsAre("g", "f"));
}

}  // namespace
}  // namespace gw::routing::testing
