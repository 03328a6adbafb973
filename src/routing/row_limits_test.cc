#include "routing/row_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SlotLimit, Precedence) {
  config::Deployment row;
  config::RouterSettings settings;
  EXPECT_EQ(SlotLimit(row, settings), std::nullopt);
  settings.default_max_parallel_requests = 9;
  EXPECT_EQ(SlotLimit(row, settings), 9);
  row.tpm = 100;
  EXPECT_EQ(SlotLimit(row, settings), 1);
  row.tpm = 10'000;
  EXPECT_EQ(SlotLimit(row, settings), 60);
  row.rpm = 5;
  EXPECT_EQ(SlotLimit(row, settings), 5);
  row.max_parallel_requests = 2;
  EXPECT_EQ(SlotLimit(row, settings), 2);
}

TEST(RoomOf, AddsUpWhatTheRowsOfAGroupHaveLeft) {
  World world;
  world.Row("g", "a").rpm = 10;
  auto& second = world.Row("g", "b");
  second.rpm = 20;
  second.tpm = 3000;
  auto& stated = world.Row("stated", "d");  // by model_info
  stated.info_rpm = 2;
  stated.info_tpm = 100'000;
  world.Row("free", "c");
  world.Build();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  ModelIndex::Match scratch;
  const RoomLeft left = RoomOf(world.index().Resolve("g", scratch)->deployments, world.state(), world.now());
  EXPECT_EQ(left.requests, 27);
  EXPECT_GE(left.tokens, 0);
  EXPECT_LE(left.tokens, 3000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Run("stated", Always("ok")).status, 200);  // not enforced
  const RoomLeft of_stated = RoomOf(world.index().Resolve("stated", scratch)->deployments, world.state(), world.now());
  EXPECT_EQ(of_stated.requests, 0);
  EXPECT_GT(of_stated.tokens, 0);
  const RoomLeft none = RoomOf(world.index().Resolve("free", scratch)->deployments, world.state(), world.now());
  EXPECT_LT(none.requests, 0);
  EXPECT_LT(none.tokens, 0);
}

class OneSlot : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.Row("g", "a").max_parallel_requests = 1;
    world_.Row("f", "f");
    world_.Row("solo", "solo").max_parallel_requests = 1;
    world_.Fallback("g", {"f"});
    world_.Build();
    controls_.model = "solo";
  }
  Step Start(RequestRoute& route) { return route.Next(world_.now(), world_.random()); }

  World world_;
  RequestControls controls_;
};

TEST_F(OneSlot, FullIsAnImmediate429AndDoesNotCool) {
  RequestRoute holder(world_.index(), world_.state(), controls_);
  ASSERT_EQ(Start(holder).kind, Step::Kind::kAttempt);
  const Trace trace = world_.Run("solo", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_TRUE(trace.calls.empty());
  EXPECT_TRUE(trace.waits.empty());
  EXPECT_EQ(trace.error.type, "throttling_error");
  EXPECT_THAT(trace.error.message, HasSubstr("already has max_parallel_requests=1 requests"));
  EXPECT_EQ(trace.last_row->id, "solo");
  EXPECT_EQ(world_.state().HealthAt(2, world_.now()), Health::kHealthy);
  holder.OnAttemptSucceeded(world_.now());
  EXPECT_EQ(world_.Run("solo", Always("ok")).status, 200);
}

TEST_F(OneSlot, FullGoesToTheFallback) {
  controls_.model = "g";
  RequestRoute holder(world_.index(), world_.state(), controls_);
  ASSERT_EQ(Start(holder).kind, Step::Kind::kAttempt);
  EXPECT_THAT(world_.Run("g", Always("ok")).calls, ElementsAre("f"));
}

TEST_F(OneSlot, EveryEndGivesTheSlotBack) {
  const auto begin = [&] {
    auto route = std::make_unique<RequestRoute>(world_.index(), world_.state(), controls_);
    EXPECT_EQ(Start(*route).kind, Step::Kind::kAttempt);
    EXPECT_EQ(world_.SlotsInUse(), 1);
    return route;
  };
  begin()->OnAttemptSucceeded(world_.now());
  EXPECT_EQ(world_.SlotsInUse(), 0);
  (void)begin()->OnAttemptFailed(*ErrorFor("500", "openai"), world_.now());
  EXPECT_EQ(world_.SlotsInUse(), 0);
  begin()->OnAbandoned();
  EXPECT_EQ(world_.SlotsInUse(), 0);
  begin().reset();  // destroyed in the middle of an attempt
  EXPECT_EQ(world_.SlotsInUse(), 0);
  auto twice = begin();
  twice->OnAttemptSucceeded(world_.now());
  twice->OnAbandoned();
  twice.reset();
  EXPECT_EQ(world_.SlotsInUse(), 0);
}

TEST_F(OneSlot, AbandonedIsNeitherSuccessNorFailure) {
  controls_.model = "solo";
  world_.state().at(2).last_failed = true;
  RequestRoute route(world_.index(), world_.state(), controls_);
  ASSERT_EQ(Start(route).kind, Step::Kind::kAttempt);
  route.OnAbandoned();
  EXPECT_EQ(world_.state().at(2).window.load(), 0U);
  EXPECT_TRUE(world_.state().at(2).last_failed.load());
  EXPECT_EQ(Start(route).kind, Step::Kind::kFail);  // nothing follows
}

TEST(Slots, AnotherRowIsPickedFirst) {
  World world;
  world.Row("g", "a").max_parallel_requests = 1;
  world.Row("g", "b").max_parallel_requests = 1;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  RequestRoute first(world.index(), world.state(), controls);
  RequestRoute second(world.index(), world.state(), controls);
  const Step a = first.Next(world.now(), world.random());
  const Step b = second.Next(world.now(), world.random());
  ASSERT_EQ(a.kind, Step::Kind::kAttempt);
  ASSERT_EQ(b.kind, Step::Kind::kAttempt);
  EXPECT_NE(a.candidate.deployment, b.candidate.deployment);
  RequestRoute third(world.index(), world.state(), controls);
  EXPECT_EQ(third.Next(world.now(), world.random()).kind, Step::Kind::kFail);
}

TEST(Slots, FullWithRetriesWaitsForASlot) {
  World world;
  world.Row("g", "a").max_parallel_requests = 1;
  world.Row("g", "b").max_parallel_requests = 1;
  world.settings().num_retries = 2;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  RequestRoute one(world.index(), world.state(), controls);
  RequestRoute two(world.index(), world.state(), controls);
  (void)one.Next(world.now(), world.random());
  (void)two.Next(world.now(), world.random());
  RequestRoute third(world.index(), world.state(), controls);
  const Step wait = third.Next(world.now(), world.random());
  ASSERT_EQ(wait.kind, Step::Kind::kWait);
  EXPECT_GE(wait.wait, std::chrono::milliseconds(500));
  one.OnAttemptSucceeded(world.now());
  EXPECT_EQ(third.Next(world.now() + wait.wait, world.random()).kind, Step::Kind::kAttempt);
}

TEST(Slots, UpstreamsErrorSaysMoreThanAFullRowOnTheRetry) {
  World world;
  world.Row("g", "g").max_parallel_requests = 1;
  world.settings().num_retries = 1;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  RequestRoute route(world.index(), world.state(), controls);
  ASSERT_EQ(route.Next(world.now(), world.random()).kind, Step::Kind::kAttempt);
  (void)route.OnAttemptFailed(*ErrorFor("503", "openai"), world.now());
  ASSERT_EQ(route.Next(world.now(), world.random()).kind, Step::Kind::kWait);
  RequestRoute other(world.index(), world.state(), controls);
  ASSERT_EQ(other.Next(world.now(), world.random()).kind, Step::Kind::kAttempt);
  const Step step = route.Next(world.now(), world.random());
  ASSERT_EQ(step.kind, Step::Kind::kFail);
  EXPECT_EQ(step.error.status, 503);
}

TEST(ModelRateLimits, RpmIsARefusalWithoutRetry) {
  World world;
  world.Row("g", "g").rpm = 2;
  world.settings().enforce_model_rate_limits = true;
  world.settings().num_retries = 3;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  world.Advance(10);
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_TRUE(trace.waits.empty());
  EXPECT_EQ(trace.error.type, "throttling_error");
  EXPECT_THAT(trace.error.message,
              HasSubstr("litellm.RateLimitError: Model rate limit exceeded. RPM limit=2, current "
                        "usage=3"));
  EXPECT_EQ(trace.error.retry_after_s, 50);
  EXPECT_EQ(trace.last_row->id, "g");
  EXPECT_EQ(world.SlotsInUse(), 0);
  world.Advance(50);
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
}

TEST(ModelRateLimits, TpmRefusesOnceTheTokensAreUsed) {
  World world;
  world.Row("g", "g").tpm = 30;
  world.settings().enforce_model_rate_limits = true;
  world.Build();
  world.Outcomes([](const Candidate&) {
    AttemptOutcome outcome;
    outcome.completion_tokens = 18;
    return outcome;
  });
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_THAT(trace.error.message, HasSubstr("TPM limit=30, current usage=36"));
  EXPECT_EQ(world.state().UsageAt(0, world.now()).tokens, 36);
  EXPECT_EQ(world.state().UsageAt(0, world.now()).requests, 2);
}

TEST(ModelRateLimits, FallbackAndOtherRowsHelp) {
  World world;
  world.Row("g", "a").rpm = 1;
  world.Row("g", "b").rpm = 1;
  world.Row("net", "net");
  world.Fallback("g", {"net"});
  world.settings().enforce_model_rate_limits = true;
  world.Build();
  std::vector<std::string> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(world.Run("g", Always("ok")).calls.at(0));
  EXPECT_THAT(std::vector<std::string>(calls.begin(), calls.begin() + 2),
              ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(calls[2], "net");
}

TEST(ModelRateLimits, RpmOnlyWeightsUnlessEnforced) {
  World world;
  world.Row("g", "g").rpm = 1;
  world.Build();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  EXPECT_EQ(world.state().UsageAt(0, world.now()).requests, 3);
}

}  // namespace
}  // namespace gw::routing::testing
