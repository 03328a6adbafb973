#include "routing/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

std::map<std::string, int> CountPicks(World& world, const std::string& group, int requests) {
  std::map<std::string, int> picks;
  for (int i = 0; i < requests; ++i) ++picks[world.Run(group, Always("ok")).calls.at(0)];
  return picks;
}

TEST(SimpleShuffle, IsUniformWithoutMetrics) {
  World world;
  for (const char* id : {"a", "b", "c"}) world.Row("g", id);
  world.Build();
  for (const auto& [id, count] : CountPicks(world, "g", 30'000)) EXPECT_NEAR(count, 10'000, 400);
}

TEST(SimpleShuffle, FollowsWeights) {
  World world;
  world.Row("g", "three").weight = 3;
  world.Row("g", "one").weight = 1;
  world.Row("g", "none");
  world.Row("g", "zero").weight = 0;
  world.Build();
  auto picks = CountPicks(world, "g", 40'000);
  EXPECT_NEAR(picks["three"], 30'000, 400);
  EXPECT_NEAR(picks["one"], 10'000, 400);
  EXPECT_EQ(picks.size(), 2U);
}

TEST(SimpleShuffle, RpmWeightsWhenNobodyHasAWeightAndNeverLimits) {
  World world;
  world.Row("g", "big").rpm = 900;
  world.Row("g", "small").rpm = 100;
  world.Row("g", "none").tpm = 1'000'000;
  world.Build();
  auto picks = CountPicks(world, "g", 40'000);
  EXPECT_NEAR(picks["big"], 36'000, 400);
  EXPECT_NEAR(picks["small"], 4'000, 400);
  EXPECT_EQ(picks.count("none"), 0U);
}

TEST(SimpleShuffle, TpmWeightsLast) {
  World world;
  world.Row("g", "big").tpm = 3'000;
  world.Row("g", "small").tpm = 1'000;
  world.Build();
  EXPECT_NEAR(CountPicks(world, "g", 40'000)["big"], 30'000, 400);
}

TEST(SimpleShuffle, RetryDoesNotReachARowOfWeightZero) {
  World world;
  world.Row("g", "all").weight = 1;
  world.Row("g", "zero").weight = 0;
  world.settings().num_retries = 3;
  world.Build();
  EXPECT_THAT(world.Run("g", Always("500")).calls, ::testing::Each("all"));
}

TEST(SimpleShuffle, RetryPrefersRowsNotTriedYet) {
  World world;
  for (const char* id : {"a", "b", "c", "d"}) world.Row("g", id);
  world.settings().num_retries = 3;
  world.Build();
  for (int i = 0; i < 50; ++i) {
    world.Advance(120);
    EXPECT_THAT(world.Run("g", Always("500")).calls,
                ::testing::UnorderedElementsAre("a", "b", "c", "d"));
  }
}

TEST(SimpleShuffle, RowThatAnsweredForGoodIsNotAskedAgain) {
  World world;
  world.Row("g", "unauthorized");
  world.Row("g", "broken");
  world.settings().num_retries = 6;
  world.settings().disable_cooldowns = true;
  world.Build();
  for (int i = 0; i < 20; ++i) {
    const Trace trace = world.Run("g", Answers("unauthorized=401 broken=500"));
    EXPECT_EQ(trace.calls.size(), 7U);
    EXPECT_EQ(std::count(trace.calls.begin(), trace.calls.end(), "unauthorized"), 1);
  }
}

TEST(LeastBusy, FewestInFlightWinAndTiesAreRandom) {
  World world;
  for (const char* id : {"a", "b", "c"}) world.Row("g", id);
  world.settings().strategy = config::RoutingStrategy::kLeastBusy;
  world.Build();
  world.state().at(0).in_flight = 5;
  const auto picks = CountPicks(world, "g", 4'000);
  EXPECT_EQ(picks.count("a"), 0U);
  EXPECT_NEAR(picks.at("b"), 2'000, 200);
}

TEST(CostBased, CheapestKnownPriceWins) {
  World world;
  config::ModelFacts facts;
  facts.price.input_cost_per_token = 1e-6;
  facts.price.output_cost_per_token = 2e-6;
  world.Row("g", "unknown");
  world.Row("g", "map").facts = &facts;
  config::Deployment& own = world.Row("g", "own");
  own.facts = &facts;
  own.price.output_cost_per_token = 1e-6;
  world.settings().strategy = config::RoutingStrategy::kCostBased;
  world.Build();
  EXPECT_EQ(CountPicks(world, "g", 20).at("own"), 20);
}

TEST(Filters, LowestOrderOnlyAndRowsWithoutOrderDropOut) {
  World world;
  world.Row("g", "second").order = 2;
  world.Row("g", "first").order = 1;
  world.Row("g", "none");
  world.Build();
  EXPECT_EQ(CountPicks(world, "g", 100).at("first"), 100);
}

TEST(Filters, CooledFirstLevelMovesTrafficToTheNext) {
  World world;
  world.Row("g", "second").order = 2;
  world.Row("g", "first").order = 1;
  world.Build();
  EXPECT_THAT(world.Run("g", Answers("first=429")).calls,
              ::testing::ElementsAre("first", "second"));
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_THAT(trace.calls, ::testing::ElementsAre("second"));
  EXPECT_EQ(trace.attempted_fallbacks, 0);
  world.Advance(6);
  EXPECT_THAT(world.Run("g", Always("ok")).calls, ::testing::ElementsAre("first"));
}

TEST(Filters, BlockedRowsAreSkippedAndAloneAreA503) {
  World world;
  world.Row("g", "blocked").blocked = true;
  world.Row("g", "open");
  world.Row("shut", "shut").blocked = true;
  world.Row("f", "f");
  world.Row("shut-f", "shut-f").blocked = true;
  world.Fallback("shut-f", {"f"});
  world.Build();
  EXPECT_EQ(CountPicks(world, "g", 50).at("open"), 50);
  const Trace trace = world.Run("shut", Always("ok"));
  EXPECT_EQ(trace.status, 503);
  EXPECT_EQ(trace.attempts, 0);
  EXPECT_THAT(world.Run("shut-f", Always("ok")).calls, ::testing::ElementsAre("f"));
}

class TagFilter : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.Row("g", "free").tags = {"free"};
    world_.Row("g", "paid").tags = {"paid", "eu"};
    world_.Row("g", "base").tags = {"default"};
    world_.settings().enable_tag_filtering = true;
    world_.Build();
  }
  Trace Ask(std::vector<std::string> tags) {
    RequestControls controls;
    controls.model = "g";
    controls.tags = std::move(tags);
    return world_.Run(controls, Always("ok"));
  }
  World world_;
};

TEST_F(TagFilter, OneCommonTagSuffices) {
  EXPECT_THAT(Ask({"paid"}).calls, ::testing::ElementsAre("paid"));
  EXPECT_THAT(Ask({"nobody", "eu"}).calls, ::testing::ElementsAre("paid"));
}

TEST_F(TagFilter, UntaggedAndUnknownTagsUseTheDefaultRows) {
  EXPECT_THAT(Ask({}).calls, ::testing::ElementsAre("base"));
  EXPECT_THAT(Ask({"nobody"}).calls, ::testing::ElementsAre("base"));
}

TEST_F(TagFilter, ExclusionAndRequirement) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(Ask({"&eu"}).calls, ::testing::ElementsAre("paid"));
    EXPECT_THAT(Ask({"!free", "!default"}).calls, ::testing::ElementsAre("paid"));
  }
  EXPECT_EQ(Ask({"&nobody"}).status, 401);
}

TEST_F(TagFilter, TagOfACooledRowIsRefusedNotRerouted) {
  world_.state().at(1).cooldown_until_ns = INT64_MAX;
  const Trace trace = Ask({"paid"});
  EXPECT_EQ(trace.status, 401);
  EXPECT_THAT(trace.error.message, ::testing::HasSubstr("due to tags configuration"));
}

}  // namespace
}  // namespace gw::routing::testing
