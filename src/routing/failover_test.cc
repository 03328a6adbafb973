// Weighted failover, waiting for a row's own limits, and how exactly the shuffle follows weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class Failover : public ::testing::Test {
 protected:
  Failover() { world_.settings().enable_weighted_failover = true; }
  void Rows(std::initializer_list<const char*> ids) {
    for (const char* id : ids) world_.Row("g", id);
  }
  World world_;
};

TEST_F(Failover, MeasuredPairAFailsThenB) {
  Rows({"a", "b"});
  world_.Build();
  for (int i = 0; i < 10; ++i) {
    const Trace trace = world_.Run("g", Answers("a=400"));
    EXPECT_EQ(trace.status, 200);
    EXPECT_EQ(trace.calls.back(), "b");
    EXPECT_EQ(trace.attempted_fallbacks, trace.calls.size() == 2 ? 1 : 0);
    if (trace.calls.size() != 2) continue;
    EXPECT_TRUE(trace.candidates.back().is_fallback);
    EXPECT_EQ(trace.candidates.back().model_group, "g");
  }
}

TEST_F(Failover, EachOtherRowOnceAlsoWithRetries) {
  Rows({"a", "b", "c", "d"});
  world_.settings().num_retries = 1;
  world_.settings().disable_cooldowns = true;
  world_.Build();
  const Trace trace = world_.Run("g", Always("500"));
  EXPECT_THAT(trace.calls, UnorderedElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(trace.status, 500);
}

TEST_F(Failover, NotForClientsThatForbidFallbacks) {
  Rows({"a", "b"});
  world_.Build();
  RequestControls controls;
  controls.model = "g";
  controls.disable_fallbacks = true;
  EXPECT_EQ(world_.Run(controls, Always("400")).calls.size(), 1U);
}

TEST_F(Failover, NotForPromptsThatAreTooLong) {
  Rows({"a", "b"});
  world_.Build();
  EXPECT_EQ(world_.Run("g", Always("ctx")).calls.size(), 1U);
}

TEST_F(Failover, OnlyUnderTheShuffle) {
  Rows({"a", "b"});
  world_.settings().strategy = config::RoutingStrategy::kLeastBusy;
  world_.Build();
  EXPECT_EQ(world_.Run("g", Always("400")).calls.size(), 1U);
}

TEST_F(Failover, OrderLevelsComeFirst) {
  world_.Row("g", "a1").order = 1;
  world_.Row("g", "b1").order = 1;
  world_.Row("g", "c2").order = 2;
  world_.Row("f", "f");
  world_.Fallback("g", {"f"});
  world_.Build();
  const Trace trace = world_.Run("g", Answers("a1=400 b1=400 c2=400"));
  ASSERT_EQ(trace.calls.size(), 4U);
  EXPECT_EQ(trace.calls[1], "c2");
  EXPECT_EQ(trace.calls[2], trace.calls[0] == "a1" ? "b1" : "a1");
  EXPECT_EQ(trace.calls[3], "f");
}

TEST_F(Failover, BusyRowsEndItInsteadOfALoop) {
  world_.Row("g", "a");
  world_.Row("g", "b").max_parallel_requests = 1;
  world_.Build();
  world_.state().at(1).in_flight = 1;
  const Trace trace = world_.Run("g", Always("400"));
  EXPECT_THAT(trace.calls, ElementsAre("a"));
  EXPECT_EQ(trace.status, 400) << "the upstream's own error";
}

TEST_F(Failover, CooledRowsAreLeftAlone) {
  Rows({"a", "b"});
  world_.Build();
  world_.state().at(1).cooldown_until_ns = INT64_MAX;
  EXPECT_THAT(world_.Run("g", Always("400")).calls, ElementsAre("a"));
}

class WaitForRoom : public ::testing::Test {
 protected:
  void Build(double wait_max_s) {
    world_.Row("g", "a").rpm = 1;
    world_.Row("g", "b").rpm = 1;
    world_.Row("f", "f");
    world_.settings().enforce_model_rate_limits = true;
    world_.settings().rate_limit_wait_max_s = wait_max_s;
    world_.Build();
    (void)world_.Run("g", Always("ok"));
    world_.Advance(20);
    (void)world_.Run("g", Always("ok"));
  }
  World world_;
};

TEST_F(WaitForRoom, UntilTheFirstRowIsFree) {
  Build(60);
  const Trace trace = world_.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 200);
  ASSERT_EQ(trace.waits.size(), 1U);
  EXPECT_GE(trace.waits[0], 39.9);
  EXPECT_LE(trace.waits[0], 40.3);
}

TEST_F(WaitForRoom, NotLongerThanAllowed) {
  Build(30);
  const Trace trace = world_.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_TRUE(trace.waits.empty());
  EXPECT_EQ(trace.error.retry_after_s, 40);
}

TEST_F(WaitForRoom, NotPastTheTotalTimeout) {
  world_.settings().total_timeout_s = 10;
  Build(60);
  const Trace trace = world_.Run("g", Always("ok"));
  EXPECT_EQ(trace.status, 429);
  EXPECT_TRUE(trace.waits.empty());
}

TEST_F(WaitForRoom, SumOfAllWaitsIsBounded) {
  Build(60);
  RequestControls controls;
  controls.model = "g";
  RequestRoute route(world_.index(), world_.state(), controls);
  double waited = 0;
  for (int i = 0; i < 10; ++i) {
    const Step step = route.Next(world_.now(), world_.random());
    if (step.kind == Step::Kind::kFail) break;
    ASSERT_EQ(step.kind, Step::Kind::kWait);
    waited += Seconds(step.wait);
    world_.Advance(Seconds(step.wait));
    while (world_.Run("g", Always("ok")).waits.empty()) {  // somebody else is always quicker
      if (world_.SlotsInUse() != 0) break;
      if (world_.state().UsageAt(0, world_.now()).requests > 0 &&
          world_.state().UsageAt(1, world_.now()).requests > 0) {
        break;
      }
    }
  }
  EXPECT_LE(waited, 60);
}

// Pearson's chi-square against the configured shares; 15.09 is the 1 % point for 5 degrees.
TEST(ShuffleStatistics, SharesFitTheWeights) {
  constexpr std::array<double, 6> kWeights = {1, 2, 3, 5, 8, 13};
  constexpr int kRequests = 60'000;
  World world;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    world.Row("g", std::to_string(i)).weight = kWeights[i];
  }
  world.Build();
  world.Seed(20'240'601);
  std::array<int, kWeights.size()> picks{};
  for (int i = 0; i < kRequests; ++i) {
    ++picks[static_cast<size_t>(*ParseInt(world.Run("g", Always("ok")).calls.at(0)))];
  }
  double chi_square = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    const double expected = kRequests * kWeights[i] / 32;
    chi_square += (picks[i] - expected) * (picks[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 15.09);
}

}  // namespace
}  // namespace gw::routing::testing
