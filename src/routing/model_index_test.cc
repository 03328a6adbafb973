#include <gtest/gtest.h>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

std::string FirstId(const World& world, std::string_view name) {
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve(name, scratch);
  return match == nullptr ? "" : match->deployments.front()->id;
}

std::string UpstreamModel(World& world, const std::string& name) {
  const Trace trace = world.Run(name, Always("ok"));
  return trace.candidates.empty() ? "" : trace.candidates.front().upstream_model;
}

TEST(ModelIndex, GroupHoldsItsRowsInConfigOrder) {
  World world;
  world.Row("g", "one");
  world.Row("other", "x");
  world.Row("g", "two");
  world.Build();
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve("g", scratch);
  ASSERT_NE(match, nullptr);
  ASSERT_EQ(match->deployments.size(), 2U);
  EXPECT_EQ(match->deployments[0]->id, "one");
  EXPECT_EQ(match->deployments[1]->id, "two");
  EXPECT_EQ(match->group, "g");
  EXPECT_NE(match, &scratch);
}

TEST(ModelIndex, IdNamesOneRow) {
  World world;
  world.Row("g", "one");
  world.Row("g", "two");
  world.Build();
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve("two", scratch);
  ASSERT_NE(match, nullptr);
  EXPECT_EQ(match->rule, ModelIndex::Rule::kId);
  ASSERT_EQ(match->deployments.size(), 1U);
  EXPECT_EQ(match->deployments[0]->id, "two");
}

TEST(ModelIndex, GroupBeatsIdOfTheSameName) {
  World world;
  world.Row("one", "first");
  world.Row("g", "one");
  world.Build();
  EXPECT_EQ(FirstId(world, "one"), "first");
}

TEST(ModelIndex, AliasShowsItsOwnName) {
  World world;
  world.Row("real", "id-real");
  world.settings().aliases = {{"alias", "real", false}, {"hidden", "real", true}};
  world.Build();
  for (const char* name : {"alias", "hidden"}) {
    const Trace trace = world.Run(name, Always("ok"));
    ASSERT_EQ(trace.candidates.size(), 1U);
    EXPECT_EQ(trace.candidates[0].deployment->id, "id-real");
    EXPECT_EQ(trace.candidates[0].model_group, name);
    EXPECT_FALSE(trace.candidates[0].is_fallback);
  }
}

TEST(ModelIndex, AliasBeatsGroupOfTheSameNameAndIsNotFollowedTwice) {
  World world;
  world.Row("a", "id-a");
  world.Row("b", "id-b");
  world.settings().aliases = {{"a", "b", false}, {"b", "a", false}};
  world.Build();
  EXPECT_EQ(FirstId(world, "a"), "id-b");
  EXPECT_EQ(FirstId(world, "b"), "id-a");
}

TEST(ModelIndex, AliasOfAWildcardNameFillsTheStar) {
  World world;
  world.Row("wild/*", "w").upstream_model = "pre-*";
  world.settings().aliases = {{"short", "wild/long", false}};
  world.Build();
  EXPECT_EQ(UpstreamModel(world, "short"), "pre-long");
}

TEST(ModelIndex, MostSpecificPatternWins) {
  World world;
  world.Row("*", "catch-all");
  world.Row("wild/*", "plain");
  world.Row("wild/special-*", "special");
  world.Row("wild/exact", "exact");
  world.Build();
  EXPECT_EQ(FirstId(world, "wild/exact"), "exact");
  EXPECT_EQ(FirstId(world, "wild/special-1"), "special");
  EXPECT_EQ(FirstId(world, "wild/org/model-x"), "plain");
  EXPECT_EQ(FirstId(world, "other"), "catch-all");
}

TEST(ModelIndex, PatternCharactersOtherThanStarAreLiteral) {
  World world;
  world.Row("a.b/*", "dot");
  world.Build();
  EXPECT_TRUE(world.index().Knows("a.b/x"));
  EXPECT_FALSE(world.index().Knows("aXb/x"));
  EXPECT_FALSE(world.index().Knows("pre/a.b/x"));
}

TEST(ModelIndex, RowsOfOnePatternAreOneGroup) {
  World world;
  world.Row("w/*", "one");
  world.Row("w/*", "two");
  world.Build();
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve("w/x", scratch);
  ASSERT_EQ(match, &scratch);
  EXPECT_EQ(match->deployments.size(), 2U);
  EXPECT_EQ(match->group, "w/x");
  EXPECT_EQ(match->captured, std::vector<std::string>{"x"});
  EXPECT_EQ(match->pattern, "w/*");
  EXPECT_EQ(world.index().GroupSize(0), 2U);
}

TEST(ModelIndex, CapturedTextFillsTheUpstreamModel) {
  World world;
  world.Row("vend/*", "v").upstream_model = "pre-*";
  world.Row("x/*/y/*", "xy").upstream_model = "*-*";
  world.Row("fixed/*", "f").upstream_model = "gpt-4o";
  world.Row("*", "any").upstream_model = "*";
  world.Build();
  EXPECT_EQ(UpstreamModel(world, "vend/foo"), "pre-foo");
  EXPECT_EQ(UpstreamModel(world, "vend/org/foo"), "pre-org/foo");
  EXPECT_EQ(UpstreamModel(world, "x/1/y/2"), "1-2");
  EXPECT_EQ(UpstreamModel(world, "fixed/foo"), "gpt-4o");
  EXPECT_EQ(UpstreamModel(world, "gpt-x"), "gpt-x");
  EXPECT_EQ(UpstreamModel(world, "openai/gpt-x"), "gpt-x");
}

TEST(ModelIndex, UpstreamNameIsTheLastResort) {
  World world;
  world.Row("g", "one");
  world.Row("h", "two").litellm_model = "openai/one";
  world.Build();
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve("openai/one", scratch);
  ASSERT_NE(match, nullptr);
  EXPECT_EQ(match->deployments.size(), 2U);
  EXPECT_FALSE(world.index().Knows("openai/nothing"));
}

TEST(ModelIndex, OnlyRowIsThatOfAGroupOfOne) {
  World world;
  world.Row("g", "one");
  world.Row("h", "two");
  world.Row("h", "three");
  world.Build();
  ASSERT_NE(world.index().OnlyRow("g"), nullptr);
  EXPECT_EQ(world.index().OnlyRow("g")->id, "one");
  EXPECT_EQ(world.index().OnlyRow("h"), nullptr);
  EXPECT_EQ(world.index().OnlyRow("one"), nullptr);  // an id
  EXPECT_EQ(world.index().OnlyRow("nope"), nullptr);
  EXPECT_FALSE(world.index().has_patterns());
}

TEST(ModelIndex, UnknownNameGetsLiteLlmsAnswer) {
  World world;
  world.Row("g", "one");
  world.Fallback("*", {"g"});
  world.Build();
  EXPECT_FALSE(world.index().Knows("nope"));
  const Trace trace = world.Run("nope", Always("ok"));
  EXPECT_EQ(trace.status, 400);
  EXPECT_TRUE(trace.calls.empty());  // default fallbacks do not apply to unknown names
  EXPECT_EQ(trace.error.cls, ErrorClass::kModelNotFound);
  EXPECT_EQ(trace.error.type, "invalid_request_error");
  EXPECT_EQ(trace.error.message,
            "Invalid model name passed in model=nope. Call `/v1/models` to view available models "
            "for your key.");
}

}  // namespace
}  // namespace gw::routing::testing
