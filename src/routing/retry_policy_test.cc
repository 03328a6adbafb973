#include "routing/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

TEST(Retryable, DecisionTable) {
  struct Case {
    const char* answer;
    bool alone;
    bool with_neighbour;
  };
  for (const Case& c : std::vector<Case>{
           {"400", false, false},   {"402", false, false}, {"404", false, false},
           {"405", false, false},   {"413", false, false}, {"422", false, false},
           {"ctx", false, false},   {"policy", false, false}, {"401", false, true},
           {"permission", false, true}, {"403", true, true}, {"408", true, true},
           {"timeout", true, true}, {"409", true, true},   {"429", true, true},
           {"500", true, true},     {"502", true, true},   {"503", true, true},
           {"504", true, true},     {"529", true, true},   {"reset", true, true}}) {
    const Error error = *ErrorFor(c.answer, "openai");
    EXPECT_EQ(IsRetryableError(error, 1), c.alone) << c.answer;
    EXPECT_EQ(IsRetryableError(error, 2), c.with_neighbour) << c.answer;
  }
}

World OneRow(int router_retries) {
  World world;
  world.Row("g", "g");
  world.settings().num_retries = router_retries;
  return world;
}

TEST(RetryCount, ClientBeatsRowBeatsRouter) {
  World world;
  world.Row("plain", "plain");
  world.Row("four", "four").num_retries = 4;
  world.Row("zero", "zero").num_retries = 0;
  world.settings().num_retries = 2;
  world.Build();
  EXPECT_EQ(world.Run("plain", Always("500")).calls.size(), 3U);
  EXPECT_EQ(world.Run("four", Always("500")).calls.size(), 5U);
  EXPECT_EQ(world.Run("zero", Always("500")).calls.size(), 1U);
  RequestControls controls;
  controls.model = "four";
  controls.num_retries = 1;
  EXPECT_EQ(world.Run(controls, Always("500")).calls.size(), 2U);
  controls.num_retries = 0;
  EXPECT_EQ(world.Run(controls, Always("500")).calls.size(), 1U);
}

TEST(RetryCount, HeadersTellRetriesOfTheAnsweringGroup) {
  World world = OneRow(2);
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.num_retries = 5;
  int calls = 0;
  const Trace trace = world.Run(controls, [&](const Candidate&) {
    return ++calls <= 3 ? ErrorFor("500", "openai") : std::nullopt;
  });
  EXPECT_EQ(trace.status, 200);
  EXPECT_EQ(trace.attempted_retries, 3);
  EXPECT_EQ(trace.max_retries, 5);
}

TEST(RetryCount, StartsFromZeroInTheFallbackGroup) {
  World world;
  world.Row("g", "g");
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().num_retries = 2;
  world.Build();
  const Trace trace = world.Run("g", Answers("g=500"));
  EXPECT_THAT(trace.calls, ::testing::ElementsAre("g", "g", "g", "f"));
  EXPECT_EQ(trace.attempted_retries, 0);
  EXPECT_EQ(trace.attempted_fallbacks, 1);
}

TEST(RetryCount, ClientsWishIsBoundedByTheAttemptCap) {
  World world = OneRow(0);
  world.settings().initial_retry_delay_s = 0;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.num_retries = 2'000'000'000;
  EXPECT_EQ(world.Run(controls, Always("500")).attempts, limits::kAttemptsPerRequestMax);
  controls.num_retries = -7;
  EXPECT_EQ(world.Run(controls, Always("500")).attempts, 1);
}

TEST(RetryPolicy, HitReplacesCountAndRetryability) {
  World world = OneRow(3);
  config::PerClassPolicy& policy = world.settings().retry_policy;
  policy.rate_limit = 1;
  policy.internal_server = 0;
  policy.bad_request = 1;
  policy.authentication = 1;
  world.settings().disable_cooldowns = true;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("429")).calls.size(), 2U);
  EXPECT_EQ(world.Run("g", Always("500")).calls.size(), 1U);
  EXPECT_EQ(world.Run("g", Always("400")).calls.size(), 2U);
  EXPECT_EQ(world.Run("g", Always("policy")).calls.size(), 2U);  // parent class
  EXPECT_EQ(world.Run("g", Always("401")).calls.size(), 2U);
  EXPECT_EQ(world.Run("g", Always("404")).calls.size(), 1U);   // not covered, not retryable
  EXPECT_EQ(world.Run("g", Always("503")).calls.size(), 4U);   // not covered, normal rules
}

TEST(RetryPolicy, NotFoundAndDefault) {
  World world = OneRow(0);
  world.settings().retry_policy.not_found = 2;
  world.settings().retry_policy.default_value = 1;
  world.settings().disable_cooldowns = true;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("404")).calls.size(), 3U);
  EXPECT_EQ(world.Run("g", Always("413")).calls.size(), 2U);
}

TEST(RetryPolicy, GroupPolicyReplacesTheGlobalOne) {
  World world = OneRow(0);
  world.settings().retry_policy.rate_limit = 4;
  world.settings().retry_policy.timeout = 4;
  config::PerClassPolicy own;
  own.timeout = 1;
  world.settings().model_group_retry_policy = {{"g", own}};
  world.Build();
  EXPECT_EQ(world.Run("g", Always("timeout")).calls.size(), 2U);
  EXPECT_EQ(world.Run("g", Always("429")).calls.size(), 1U);
}

TEST(RetryPolicy, ClientsZeroSwitchesItOff) {
  World world = OneRow(0);
  world.settings().retry_policy.internal_server = 3;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.num_retries = 0;
  EXPECT_EQ(world.Run(controls, Always("500")).calls.size(), 1U);
  controls.num_retries = 1;
  EXPECT_EQ(world.Run(controls, Always("500")).calls.size(), 4U);
}

TEST(Pause, RouterRetryAfterIsAFloorAndMaximumHolds) {
  World world = OneRow(3);
  world.settings().retry_after_s = 3;
  world.settings().max_retry_delay_s = 3.5;
  world.settings().retry_jitter_s = 0;
  world.Build();
  EXPECT_THAT(world.Run("g", Always("500")).waits, ::testing::ElementsAre(3, 3, 3));
  EXPECT_THAT(world.Run("g", Always("429-after-60")).waits, ::testing::ElementsAre(60, 60, 60));
  EXPECT_THAT(world.Run("g", Always("429-after-61")).waits, ::testing::ElementsAre(3, 3, 3));
}

TEST(Pause, TotalTimeoutSkipsPausesThatCannotPayOff) {
  World world;
  world.Row("g", "g");
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().num_retries = 5;
  world.settings().retry_jitter_s = 0;
  world.settings().total_timeout_s = 2;
  world.Build();
  // 0.5 + 1 fit into 2 s, the next 2 do not: the rest of the time goes to the fallback.
  const Trace trace = world.Run("g", Answers("g=500"));
  EXPECT_THAT(trace.calls, ::testing::ElementsAre("g", "g", "g", "f"));
  EXPECT_THAT(trace.waits, ::testing::ElementsAre(0.5, 1));
  EXPECT_EQ(trace.status, 200);
}

TEST(Pause, NothingIsTriedAfterTheTotalTimeout) {
  World world;
  world.Row("g", "g");
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().total_timeout_s = 1;
  world.Build();
  const Trace trace = world.Run("g", [&](const Candidate&) {
    world.Advance(1.5);
    return ErrorFor("timeout", "openai");
  });
  EXPECT_THAT(trace.calls, ::testing::ElementsAre("g"));
  EXPECT_EQ(trace.status, 408);
}

}  // namespace
}  // namespace gw::routing::testing
