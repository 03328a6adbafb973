// Does a row that replicas have filled together count as full here, and does the route then end as
// if our own count had said so?
#include "routing/elsewhere.h"

#include <gtest/gtest.h>

#include "routing/cooldown.h"
#include "routing/route_test_kit.h"
#include "routing/usage.h"

namespace gw::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kT0{seconds(1'000'000)};

class ElsewhereTest : public ::testing::Test {
 protected:
  ElsewhereTest() : random_(1) {
    world_.settings().enforce_model_rate_limits = true;
    controls_.model = "g";
  }
  void TwoRows() {
    for (const char* id : {"a", "b"}) {
      config::Deployment& row = world_.Row("g", id);
      row.rpm = 10;
      row.max_parallel_requests = 10;
    }
    world_.Build();
  }
  DeploymentState& state(uint32_t row) { return world_.state().at(row); }

  testing::World world_;
  RequestControls controls_;
  Random random_;
};

TEST_F(ElsewhereTest, ARefusalLeadsToTheOtherRowAndTakesNothing) {
  TwoRows();
  RequestRoute route(world_.index(), world_.state(), controls_);
  const Step first = route.Next(kT0, random_);
  ASSERT_EQ(first.kind, Step::Kind::kAttempt);
  const uint32_t refused = first.candidate.deployment->index;
  route.OnRefusedElsewhere(Reservation::kRpmReached, seconds(1), seconds(30), kT0);
  EXPECT_EQ(state(refused).in_flight.load(), 0);
  EXPECT_EQ(world_.state().UsageAt(refused, kT0).requests, 0) << "the request was not made";
  const Step second = route.Next(kT0, random_);
  ASSERT_EQ(second.kind, Step::Kind::kAttempt);
  EXPECT_NE(second.candidate.deployment->index, refused);
  EXPECT_EQ(route.attempts(), 1) << "only the second one is an attempt";
  EXPECT_EQ(route.attempted_retries(), 0);
}

TEST_F(ElsewhereTest, WhenAllRowsAreFullTheAnswerIsThatOfALocalLimit) {
  TwoRows();
  RequestRoute route(world_.index(), world_.state(), controls_);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(route.Next(kT0, random_).kind, Step::Kind::kAttempt);
    route.OnRefusedElsewhere(Reservation::kRpmReached, seconds(1), seconds(30), kT0);
  }
  const Step end = route.Next(kT0, random_);
  ASSERT_EQ(end.kind, Step::Kind::kFail);
  EXPECT_EQ(end.error.status, 429);
  EXPECT_NE(end.error.message.find("RPM limit=10"), std::string::npos) << end.error.message;
  EXPECT_EQ(end.error.retry_after_s, 30);
  // The next request is refused without a question, until the answer is no longer trusted.
  RequestRoute next(world_.index(), world_.state(), controls_);
  EXPECT_EQ(next.Next(kT0 + milliseconds(999), random_).kind, Step::Kind::kFail);
  RequestRoute later(world_.index(), world_.state(), controls_);
  EXPECT_EQ(later.Next(kT0 + milliseconds(1000), random_).kind, Step::Kind::kAttempt);
}

TEST_F(ElsewhereTest, NoSlotsElsewhereIsWorthARetryLikeNoSlotsHere) {
  world_.settings().num_retries = 1;
  TwoRows();
  RequestRoute route(world_.index(), world_.state(), controls_);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(route.Next(kT0, random_).kind, Step::Kind::kAttempt);
    route.OnRefusedElsewhere(Reservation::kSlotsFull, milliseconds(20), {}, kT0);
  }
  EXPECT_EQ(route.Next(kT0, random_).kind, Step::Kind::kWait);
  EXPECT_EQ(route.Next(kT0 + seconds(1), random_).kind, Step::Kind::kAttempt);
}

TEST_F(ElsewhereTest, ACopyForSilentModelIsStillDueAfterARefusal) {
  for (const char* id : {"a", "b"}) world_.Row("g", id).rpm = 10;
  world_.EachRow([](config::Deployment& row) { row.silent_model = "mirror"; });
  world_.Build();
  RequestRoute route(world_.index(), world_.state(), controls_);
  EXPECT_EQ(route.Next(kT0, random_).candidate.mirror_model, "mirror");
  route.OnRefusedElsewhere(Reservation::kRpmReached, seconds(1), seconds(1), kT0);
  EXPECT_EQ(route.Next(kT0, random_).candidate.mirror_model, "mirror");
}

TEST_F(ElsewhereTest, TokensOfOthersAreTheTotalWithoutOurOwn) {
  TwoRows();
  CountWindow::Add(state(0).token_window, 100, seconds(60), kT0);
  NoteTotalTokens(state(0), 250, kT0);
  EXPECT_EQ(TokensElsewhere(state(0), kT0), 150U);
  EXPECT_EQ(TokensOf(state(0), RunningMinute(kT0)), 250);
  NoteTotalTokens(state(0), 40, kT0);
  EXPECT_EQ(TokensElsewhere(state(0), kT0), 0U) << "Redis was restarted: never negative";
  NoteTotalTokens(state(0), 250, kT0);
  EXPECT_EQ(TokensElsewhere(state(0), kT0 + seconds(60)), 0U) << "not renewed: forgotten";
}

TEST_F(ElsewhereTest, TheLaterCooldownHolds) {
  TwoRows();
  CoolDownElsewhere(state(0), world_.settings(), seconds(5), kT0);
  EXPECT_TRUE(IsCoolingDown(state(0), kT0 + seconds(4)));
  CoolDownElsewhere(state(0), world_.settings(), seconds(2), kT0);
  EXPECT_TRUE(IsCoolingDown(state(0), kT0 + seconds(4))) << "a shorter one changes nothing";
  CoolDownElsewhere(state(0), world_.settings(), seconds(9), kT0);
  EXPECT_TRUE(IsCoolingDown(state(0), kT0 + seconds(8)));
  EXPECT_FALSE(IsCoolingDown(state(0), kT0 + seconds(9)));
  world_.settings().disable_cooldowns = true;
  CoolDownElsewhere(state(1), world_.settings(), seconds(5), kT0);
  EXPECT_FALSE(IsCoolingDown(state(1), kT0));
}

TEST_F(ElsewhereTest, FailuresThatAreAllowedSayHowManyMayBe) {
  world_.settings().allowed_fails = 2;
  world_.settings().cooldown_time_s = 7;
  TwoRows();
  Error error;
  error.status = 500;
  const GroupFacts group;
  for (int i = 0; i < 2; ++i) {
    const FailureEffect effect =
        RecordFailure(state(0), world_.snapshot().deployments[0], world_.settings(), group, error, kT0);
    EXPECT_EQ(effect.cooldown, Duration::zero());
    EXPECT_EQ(effect.fails_allowed, 2);
    EXPECT_EQ(effect.fails_window, Duration(seconds(7)));
    EXPECT_EQ(effect.cooldown_then, Duration(seconds(7)));
  }
  const FailureEffect effect =
      RecordFailure(state(0), world_.snapshot().deployments[0], world_.settings(), group, error, kT0);
  EXPECT_TRUE(effect.cooldown_started);
  EXPECT_EQ(effect.cooldown, Duration(seconds(7)));
}

}  // namespace
}  // namespace gw::routing
