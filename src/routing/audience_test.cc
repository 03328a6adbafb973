// Who may be served by whom: teams, routing groups, tags in full, pre-call checks, probes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string IdFor(const World& world, std::string_view name, std::string_view team) {
  ModelIndex::Match scratch;
  const ModelIndex::Match* match = world.index().Resolve(name, team, scratch);
  return match == nullptr ? "-" : match->deployments.front()->id;
}

config::Deployment& TeamRow(World& world, std::string group, std::string id, std::string team,
                            std::string public_name) {
  config::Deployment& row = world.Row(std::move(group), std::move(id));
  row.team_id = std::move(team);
  row.team_public_model_name = std::move(public_name);
  return row;
}

TEST(Teams, RowIsInvisibleToOthersUnderEveryName) {
  World world;
  TeamRow(world, "internal", "red-1", "red", "gpt");
  world.settings().aliases = {{"alias", "internal", false}};
  world.Build();
  for (const char* name : {"internal", "red-1", "gpt", "openai/red-1", "alias"}) {
    EXPECT_EQ(IdFor(world, name, "red"), "red-1") << name;
    EXPECT_EQ(IdFor(world, name, ""), "-") << name;
    EXPECT_EQ(IdFor(world, name, "blue"), "-") << name;
  }
}

TEST(Teams, OwnNameBeatsGroupAndOwnPatternBeatsGlobalPattern) {
  World world;
  world.Row("gpt", "everybody");
  world.Row("open/*", "pattern");
  TeamRow(world, "x", "mine", "red", "gpt");
  TeamRow(world, "y", "mine-pattern", "red", "*");
  world.Build();
  EXPECT_EQ(IdFor(world, "gpt", "red"), "mine");
  EXPECT_EQ(IdFor(world, "gpt", "blue"), "everybody");
  EXPECT_EQ(IdFor(world, "open/a", "red"), "mine-pattern");
  EXPECT_EQ(IdFor(world, "open/a", ""), "pattern");
}

TEST(Teams, GroupHoldsTheTeamsRowsBesideEverybodys) {
  World world;
  world.Row("g", "all-1");
  world.Row("g", "red-1").team_id = "red";
  world.Row("g", "blue-1").team_id = "blue";
  world.Row("g", "all-2");
  world.Build();
  ModelIndex::Match scratch;
  const auto ids = [&](std::string_view team) {
    std::vector<std::string> out;
    for (const auto* row : world.index().Resolve("g", team, scratch)->deployments) out.push_back(row->id);
    return out;
  };
  EXPECT_THAT(ids("red"), ElementsAre("all-1", "red-1", "all-2"));
  EXPECT_THAT(ids("blue"), ElementsAre("all-1", "blue-1", "all-2"));
  EXPECT_THAT(ids("green"), ElementsAre("all-1", "all-2"));
}

TEST(Teams, PatternFillsTheUpstreamModel) {
  World world;
  TeamRow(world, "internal", "t", "red", "a/*/b/*").upstream_model = "*-*";
  world.Build();
  RequestControls controls;
  controls.model = "a/1/b/2";
  controls.team_id = "red";
  const Trace trace = world.Run(controls, Always("ok"));
  ASSERT_EQ(trace.candidates.size(), 1U);
  EXPECT_EQ(trace.candidates[0].upstream_model, "1-2");
  EXPECT_EQ(trace.candidates[0].model_group, "a/1/b/2");
}

TEST(RoutingGroups, NameCallsAllAndStrategyHoldsForEachModel) {
  World world;
  world.Row("a", "busy");
  world.Row("a", "idle");
  world.Row("b", "b");
  world.Row("free", "f1");
  world.settings().routing_groups = {{.name = "both",
                                      .models = {"a", "b"},
                                      .strategy = config::RoutingStrategy::kLeastBusy,
                                      .args = {}}};
  world.Build();
  world.state().at(0).in_flight = 3;
  for (int i = 0; i < 30; ++i) {
    EXPECT_THAT(world.Run("a", Always("ok")).calls, ElementsAre("idle"));
    EXPECT_THAT(world.Run("both", Always("ok")).calls, ElementsAre(AnyOf("idle", "b")));
  }
  ModelIndex::Match scratch;
  EXPECT_EQ(world.index().Resolve("free", scratch)->settings, nullptr);
  EXPECT_EQ(world.Run("both", Always("ok")).candidates[0].model_group, "both");
}

class Tags : public ::testing::Test {
 protected:
  std::vector<std::string> Ask(std::vector<std::string> tags, std::string_view user_agent = {}) {
    if (!is_built_) world_.Build();
    is_built_ = true;
    RequestControls controls;
    controls.model = "g";
    controls.tags = std::move(tags);
    controls.user_agent = user_agent;
    trace_ = world_.Run(controls, Always("ok"));
    return trace_.calls;
  }
  World world_;
  Trace trace_;
  bool is_built_ = false;
};

TEST_F(Tags, AllMustMatchWhenTheRouterSaysSo) {
  world_.settings().enable_tag_filtering = true;
  world_.settings().tag_filtering_match_any = false;
  world_.Row("g", "one").tags = {"a"};
  world_.Row("g", "both").tags = {"a", "b"};
  world_.Row("g", "base").tags = {"default"};
  EXPECT_THAT(Ask({"a", "b"}), ElementsAre("both"));
  EXPECT_THAT(Ask({"a", "c"}), ElementsAre("base"));
  EXPECT_THAT(Ask({"b"}), ElementsAre("both"));
}

TEST_F(Tags, PrefixSaysWhichTagsRoute) {
  world_.settings().enable_tag_filtering = true;
  world_.settings().tag_routing_prefix = "route:";
  world_.Row("g", "eu").tags = {"route:eu"};
  world_.Row("g", "base").tags = {"default"};
  EXPECT_THAT(Ask({"route:eu", "spend:team"}), ElementsAre("eu"));
  EXPECT_THAT(Ask({"spend:team"}), ElementsAre("base"));
  EXPECT_THAT(Ask({"!route:eu"}), ElementsAre("base"));
  EXPECT_THAT(Ask({"!spend:team"}), ElementsAre("base"));
}

TEST_F(Tags, OneRowSwitchesTheGroupOn) {
  world_.Row("g", "paid").tags = {"paid"};
  world_.Row("g", "base").tags = {"default"};
  world_.Row("g", "switch").enable_tag_filtering = true;
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Ask({"paid"}), ElementsAre("paid"));
}

TEST_F(Tags, RegexMatchesTheUserAgent) {
  world_.settings().enable_tag_filtering = true;
  world_.Row("g", "code").tag_regex = {"^User-Agent: claude-code/", "(?i)codex"};
  world_.Row("g", "base").tags = {"default"};
  EXPECT_THAT(Ask({}, "claude-code/1.0"), ElementsAre("code"));
  EXPECT_THAT(Ask({}, "my CODEX"), ElementsAre("code"));
  EXPECT_THAT(Ask({}, "curl/8"), ElementsAre("base"));
  EXPECT_THAT(Ask({}), ElementsAre("base"));
  EXPECT_THAT(Ask({"other"}, "claude-code/1.0"), ElementsAre("code"));
}

TEST_F(Tags, RegexIsNoSubstituteWhereAllTagsAreAskedFor) {
  world_.settings().enable_tag_filtering = true;
  world_.settings().tag_filtering_match_any = false;
  world_.Row("g", "code").tag_regex = {"claude"};
  world_.Row("g", "base").tags = {"default"};
  EXPECT_THAT(Ask({"paid"}, "claude"), ElementsAre("base"));
}

TEST_F(Tags, FailOpenLeadsToTheDefaultPool) {
  world_.settings().enable_tag_filtering = true;
  world_.Row("g", "paid").tags = {"paid"};
  world_.Row("g", "base").tags = {"default"};
  world_.Row("g", "other").allow_fail_open = true;
  EXPECT_THAT(Ask({"&nobody"}), ElementsAre("base"));
  world_.state().at(0).cooldown_until_ns = INT64_MAX;
  EXPECT_THAT(Ask({"paid"}), ElementsAre("base"));
}

TEST_F(Tags, ClosedWithoutIt) {
  world_.settings().enable_tag_filtering = true;
  world_.Row("g", "paid").tags = {"paid"};
  world_.Row("g", "base").tags = {"default"};
  EXPECT_THAT(Ask({"&nobody"}), IsEmpty());
  EXPECT_EQ(trace_.status, 401);
}

class PreCall : public ::testing::Test {
 protected:
  PreCall() {
    world_.settings().enable_pre_call_checks = true;
    world_.Row("g", "small").max_input_tokens = 100;
    world_.Row("g", "large").max_input_tokens = 1000;
    world_.Row("big", "big");
  }
  Trace Ask(const RequestControls& controls) {
    if (!is_built_) world_.Build();
    is_built_ = true;
    return world_.Run(controls, Always("ok"));
  }
  static RequestControls Tokens(int64_t tokens) {
    RequestControls controls;
    controls.model = "g";
    controls.input_tokens_estimate = tokens;
    return controls;
  }
  World world_;
  bool is_built_ = false;
};

TEST_F(PreCall, RowsThatAreTooSmallAreSkipped) {
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Ask(Tokens(500)).calls, ElementsAre("large"));
  EXPECT_EQ(Ask(Tokens(1000)).status, 200);
}

TEST_F(PreCall, TooLargeForAllIsLiteLlmsErrorWithoutACall) {
  const Trace trace = Ask(Tokens(2000));
  EXPECT_THAT(trace.calls, IsEmpty());
  EXPECT_EQ(trace.status, 400);
  EXPECT_EQ(trace.error.cls, ErrorClass::kContextWindowExceeded);
  EXPECT_THAT(trace.error.message,
              HasSubstr("litellm._pre_call_checks: Context Window exceeded for given call. No models have "
                        "context window large enough for this call.\nModel=g, Max Input Tokens=1000, Got=2000"));
}

TEST_F(PreCall, ContextWindowFallbacksApplyAtOnce) {
  world_.settings().context_window_fallbacks = {World::List("g", {"big"})};
  world_.settings().has_context_window_fallbacks = true;
  world_.settings().num_retries = 3;
  const Trace trace = Ask(Tokens(2000));
  EXPECT_THAT(trace.calls, ElementsAre("big"));
  EXPECT_THAT(trace.waits, IsEmpty());
}

TEST_F(PreCall, OffMeansOff) {
  world_.settings().enable_pre_call_checks = false;
  EXPECT_EQ(Ask(Tokens(1'000'000)).status, 200);
}

TEST_F(PreCall, Region) {
  world_.Row("r", "eu").region_name = "eu-west-1";
  world_.Row("r", "us").region_name = "us";
  world_.Row("r", "nowhere");
  RequestControls controls;
  controls.model = "r";
  controls.allowed_region = "eu";
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Ask(controls).calls, ElementsAre("eu"));
  controls.allowed_region = "us";
  EXPECT_THAT(Ask(controls).calls, ElementsAre("us"));
  controls.allowed_region = "asia";
  EXPECT_EQ(Ask(controls).status, 429);
}

TEST_F(PreCall, ParametersThatNobodyTakesAreABadRequest) {
  const auto refuse = [](std::string_view id) {
    return [id](const config::Deployment& row) -> std::optional<Error> {
      if (!id.empty() && row.id != id) return std::nullopt;
      Error error;
      error.cls = ErrorClass::kUnsupportedParams;
      error.status = 400;
      error.message = "does not support parameters";
      return error;
    };
  };
  RequestControls controls = Tokens(1);
  controls.refuse_params = refuse("small");
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Ask(controls).calls, ElementsAre("large"));
  controls.refuse_params = refuse("");
  EXPECT_EQ(Ask(controls).status, 400);
  EXPECT_EQ(Ask(controls).error.cls, ErrorClass::kUnsupportedParams);
}

TEST(HealthRouting, FailedProbesAreSkippedWhileTheyAreFresh) {
  World world;
  world.Row("g", "ill");
  world.Row("g", "well");
  world.settings().health_check_routing = true;
  world.settings().health_check_staleness_s = 60;
  world.Build();
  world.state().SetProbe(0, false, world.now());
  for (int i = 0; i < 20; ++i) EXPECT_THAT(world.Run("g", Always("ok")).calls, ElementsAre("well"));
  world.state().SetProbe(1, false, world.now());
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);  // all failed: the filter is skipped
  world.state().SetProbe(1, true, world.now());
  world.Advance(120);
  bool ill_was_called = false;
  for (int i = 0; i < 40; ++i) ill_was_called |= world.Run("g", Always("ok")).calls.front() == "ill";
  EXPECT_TRUE(ill_was_called);
}

TEST(HealthRouting, WithAPolicyCooledRowsAreCalledWhenAllCool) {
  World world;
  world.Row("g", "one");
  world.settings().health_check_routing = true;
  world.settings().allowed_fails_policy.internal_server = 5;
  world.Build();
  world.state().at(0).cooldown_until_ns = INT64_MAX;
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
}

}  // namespace
}  // namespace gw::routing::testing
