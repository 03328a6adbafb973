// How far may one request go, and the process with all its retries? Mock parameters, waiting,
// num_retries_per_request, the retry budget; and what an explanation tells of it all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "routing/retry_budget.h"
#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RequestControls For(std::string model) {
  RequestControls controls;
  controls.model = std::move(model);
  return controls;
}

TEST(RetriesPerRequest, BoundsRetriesAndFallbacksTogether) {
  for (const auto& [cap, calls] : std::vector<std::pair<int, std::vector<std::string>>>{
           {0, {"a"}}, {1, {"a", "a"}}, {2, {"a", "a", "a"}}, {3, {"a", "a", "a", "b"}},
           {5, {"a", "a", "a", "b", "b", "b"}}, {50, {"a", "a", "a", "b", "b", "b"}}}) {
    World world;
    world.Row("a", "a");
    world.Row("b", "b");
    world.Fallback("a", {"b"});
    world.settings().num_retries = 2;
    world.settings().num_retries_per_request = cap;
    world.Build();
    EXPECT_EQ(world.Run("a", Always("500")).calls, calls) << cap;
  }
}

TEST(RetriesPerRequest, CountsOrderLevels) {
  World world;
  world.Row("g", "a").order = 1;
  world.Row("g", "b").order = 2;
  world.settings().num_retries_per_request = 0;
  world.Build();
  EXPECT_THAT(world.Run("g", Always("500")).calls, ElementsAre("a"));
}

TEST(RetryBudget, OutageCannotMultiplyTheLoad) {
  World world;
  world.Row("g", "one");
  world.settings().num_retries = 3;
  world.settings().retry_budget = 0.2;
  world.settings().retry_budget_burst = 5;
  world.Build();
  size_t attempts = 0;
  for (int i = 0; i < 100; ++i) attempts += world.Run("g", Always("500")).calls.size();
  EXPECT_LE(attempts, 100U + 20U + 5U);
  EXPECT_GE(attempts, 100U + 20U);
}

TEST(RetryBudget, FallbacksAreNotCounted) {
  World world;
  world.Row("g", "one");
  world.Row("f", "two");
  world.Fallback("g", {"f"});
  world.settings().num_retries = 3;
  world.settings().retry_budget = 0;
  world.settings().retry_budget_burst = 0;
  world.Build();
  for (int i = 0; i < 20; ++i) EXPECT_THAT(world.Run("g", Answers("one=500")).calls, ElementsAre("one", "two"));
}

TEST(RetryBudget, HoldsUnderThreads) {
  RetryBudget budget(10);
  std::atomic<int> retries{0};
  constexpr int kThreads = 4;
  constexpr int kFirst = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kFirst; ++i) {
        budget.OnFirstAttempt(0.1);
        while (budget.TakeRetry()) retries.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(retries.load(), kThreads * kFirst / 10 + 10);
  EXPECT_GE(retries.load(), kThreads * kFirst / 10);
}

World Cooled(double seconds) {
  World world;
  world.Row("g", "one");
  world.Row("f", "two");
  world.settings().cooldown_time_s = seconds;
  return world;
}

TEST(CooldownWait, OffByDefault) {
  World world = Cooled(5);
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("one=401")).status, 401);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_THAT(trace.waits, IsEmpty());
}

TEST(CooldownWait, FirstRowThatIsFreeServes) {
  World world = Cooled(5);
  world.settings().cooldown_wait_max_s = 10;
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("one=401")).status, 401);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 200);
  ASSERT_EQ(trace.waits.size(), 1U);
  EXPECT_NEAR(trace.waits[0], 5, 0.1);
}

TEST(CooldownWait, NotLongerThanAllowedAndNotWhereAFallbackHelps) {
  World world = Cooled(20);
  world.settings().cooldown_wait_max_s = 10;
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("one=401")).status, 401);
  EXPECT_EQ(world.Run("g", Always("ok")).status, 429);
  World other = Cooled(5);
  other.settings().cooldown_wait_max_s = 10;
  other.Fallback("g", {"f"});
  other.Build();
  EXPECT_EQ(other.Run("g", Answers("one=401")).status, 200);
  const Trace trace = other.Run("g", Always("ok"));
  EXPECT_THAT(trace.calls, ElementsAre("two"));
  EXPECT_THAT(trace.waits, IsEmpty());
}

TEST(Priority, WaitsForAHealthyRowAndTheHigherComesFirst) {
  const auto waited = [](std::optional<int> priority) {
    World world = Cooled(5);
    world.Build();
    EXPECT_EQ(world.Run("g", Answers("one=401")).status, 401);
    RequestControls controls = For("g");
    controls.priority = priority;
    const Trace trace = world.Run(controls, Always("ok"));
    return trace.waits.empty() ? -1.0 : trace.waits[0];
  };
  EXPECT_EQ(waited(std::nullopt), -1);
  const double high = waited(0);
  const double low = waited(3);
  EXPECT_GE(high, 4.9);
  EXPECT_LT(high, 5.05);
  EXPECT_GE(low, 4.9 + 3 * 0.03);
}

TEST(Priority, BoundByTheTimeout) {
  World world = Cooled(30);
  world.settings().default_priority = 1;
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("one=401")).status, 401);
  RequestControls controls = For("g");
  controls.timeout_s = 10;
  EXPECT_EQ(world.Run(controls, Always("ok")).status, 429);
  controls.timeout_s.reset();
  EXPECT_EQ(world.Run(controls, Always("ok")).status, 200);
}

class Mocks : public ::testing::Test {
 protected:
  Mocks() {
    for (const char* name : {"g", "generic", "window", "policy"}) world_.Row(name, name);
    world_.Fallback("g", {"generic"});
    world_.settings().context_window_fallbacks = {World::List("g", {"window"})};
    world_.settings().has_context_window_fallbacks = true;
    world_.settings().content_policy_fallbacks = {World::List("g", {"policy"})};
    world_.settings().has_content_policy_fallbacks = true;
    world_.settings().num_retries = 2;
    world_.Build();
  }
  Trace Ask(RequestControls::Mock mock) {
    RequestControls controls = For("g");
    controls.mock = mock;
    return world_.Run(controls, Always("ok"));
  }
  World world_;
};

TEST_F(Mocks, GoStraightToTheirList) {
  EXPECT_THAT(Ask(RequestControls::Mock::kFallbacks).calls, ElementsAre("generic"));
  EXPECT_THAT(Ask(RequestControls::Mock::kContextWindow).calls, ElementsAre("window"));
  EXPECT_THAT(Ask(RequestControls::Mock::kContentPolicy).calls, ElementsAre("policy"));
  EXPECT_THAT(Ask(RequestControls::Mock::kFallbacks).waits, IsEmpty());
}

TEST_F(Mocks, RateLimitFailsOnceThenTheUpstreamIsCalled) {
  const Trace trace = Ask(RequestControls::Mock::kRateLimit);
  EXPECT_THAT(trace.calls, ElementsAre("g"));
  EXPECT_EQ(trace.status, 200);
  EXPECT_EQ(trace.attempted_retries, 1);
}

TEST(UnsupportedParams, NoFallbackWhenTheRouterSaysSo) {
  World world;
  world.Row("g", "g");
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().fallback_on_unsupported_params = false;
  world.Build();
  EXPECT_THAT(world.Run("g", Answers("g=400")).calls, ElementsAre("g"));
  EXPECT_THAT(world.Run("g", Answers("g=500")).calls, ElementsAre("g", "f"));
}

TEST(Mirror, FirstRowOfTheRequestNamesIt) {
  World world;
  world.Row("g", "g").silent_model = "shadow";
  world.Row("f", "f").silent_model = "other";
  world.Fallback("g", {"f"});
  world.settings().num_retries = 1;
  world.Build();
  const Trace trace = world.Run("g", Answers("g=500"));
  std::vector<std::string> mirrored;
  for (const Candidate& candidate : trace.candidates) mirrored.emplace_back(candidate.mirror_model);
  EXPECT_THAT(mirrored, ElementsAre("shadow", "", ""));
}

TEST(ExplanationOf, AWholeRequest) {
  World world;
  world.Row("g", "cool");
  world.Row("g", "shut").blocked = true;
  world.Row("g", "late").order = 2;
  world.Row("g", "soon").order = 1;
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().num_retries = 1;
  world.Build();
  world.state().at(0).cooldown_until_ns = INT64_MAX;
  Explanation why;
  why.begin = why.now = world.now();
  world.Explain(&why);
  const Trace trace = world.Run("g", Answers("soon=500 late=400"));
  EXPECT_THAT(trace.calls, ElementsAre("soon", "soon", "late", "f"));
  std::string told;
  for (const Explanation::Event& event : why.events) {
    told += std::string(ExplanationKindName(event.kind)) + " " + event.group + ": " + event.text + "\n";
    for (const Explanation::Row& row : event.rows) told += " - " + row.id + " " + row.why + "\n";
  }
  for (const char* line :
       {"resolve g: a model group\n - cool openai/cool", "filter g: cooldown\n - cool cools down", "filter g: blocked\n - shut ",
        "filter g: order\n - late has order 2, 1 is due", "strategy g: simple-shuffle\n - soon", "pick g: soon",
        "outcome g: 500 InternalServerError", "retry g: yes: another attempt may succeed (0 of 1 made)",
        "retry g: no: the retries are used up (1 of 1 made)", "order g: rows of order 2 are next",
        "retry g: no: no attempt would change the answer", "fallback g: the list\n - f", "fallback g: -> f",
        "resolve f: a model group", "outcome f: answered"}) {
    EXPECT_THAT(told, HasSubstr(line));
  }
}

TEST(ExplanationOf, ARequestThatNobodyAsksAboutIsDecidedAlike) {
  for (uint64_t seed = 1; seed < 50; ++seed) {
    std::vector<std::vector<std::string>> calls;
    for (const bool asked : {false, true}) {
      World world;
      for (int i = 0; i < 5; ++i) world.Row("g", "r" + std::to_string(i)).weight = i;
      world.settings().num_retries = 3;
      world.Build();
      world.Seed(seed);
      Explanation why;
      if (asked) world.Explain(&why);
      calls.push_back(world.Run("g", Always("500")).calls);
    }
    EXPECT_EQ(calls[0], calls[1]);
  }
}

TEST(CopyForPlay, ChangesNothingOfTheOriginal) {
  World world;
  world.Row("g", "one");
  world.Row("g", "two");
  world.Build();
  EXPECT_EQ(world.Run("g", Answers("all=429")).status, 429);
  const auto copy = world.state().CopyFor(world.snapshot());
  for (uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(copy->at(i).cooldown_until_ns.load(), world.state().at(i).cooldown_until_ns.load());
    copy->at(i).cooldown_until_ns = 0;
    copy->at(i).in_flight = 7;
  }
  EXPECT_EQ(world.SlotsInUse(), 0);
  EXPECT_GT(world.state().CooldownLeft(0, world.now()) + world.state().CooldownLeft(1, world.now()), Duration::zero());
}

}  // namespace
}  // namespace gw::routing::testing
