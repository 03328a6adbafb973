// Fallbacks of whole requests: lists, walk, hops, error texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Groups of one row each, named alike.
World Groups(const std::vector<std::string>& names) {
  World world;
  for (const std::string& name : names) world.Row(name, name);
  return world;
}

std::vector<std::string> HopTexts(const Trace& trace) {
  std::vector<std::string> texts;
  for (const FallbackHop& hop : trace.hops) {
    texts.push_back(hop.from_group + "->" + hop.to_group + " " +
                    std::to_string(hop.exception_status) + " " + hop.exception_class +
                    (hop.succeeded ? " ok" : " failed"));
  }
  return texts;
}

TEST(Hops, NestedAsTheMetricsShowThem) {
  World world;
  world.Row("one", "one");
  world.Row("two", "two").provider = "ollama_chat";
  world.Row("three", "three");
  world.Fallback("one", {"two", "three"});
  world.Build();
  const Trace trace = world.Run("one", Answers("one=500 two=500"));
  EXPECT_THAT(HopTexts(trace), ElementsAre("one->two 500 Openai.InternalServerError ok",
                                           "two->three 500 Ollama_chat.InternalServerError ok"));
  EXPECT_EQ(trace.attempted_fallbacks, 1);
  EXPECT_EQ(trace.candidates.back().model_group, "three");
  EXPECT_TRUE(trace.candidates.back().is_fallback);
  EXPECT_FALSE(trace.candidates.front().is_fallback);
}

TEST(Hops, AllFailed) {
  World world = Groups({"one", "two", "three"});
  world.Fallback("one", {"two", "three"});
  world.Build();
  const Trace trace = world.Run("one", Answers("one=503 two=500 three=429"));
  // The inner hop's fate is known first.
  EXPECT_THAT(HopTexts(trace), ElementsAre("two->three 500 Openai.InternalServerError failed",
                                           "one->two 503 Openai.ServiceUnavailableError failed"));
  EXPECT_EQ(trace.status, 503);
  EXPECT_EQ(trace.last_row->id, "three");
}

TEST(Hops, OrderLevelIsAHopToTheSameGroup) {
  World world;
  world.Row("g", "a").order = 1;
  world.Row("g", "b").order = 2;
  world.Build();
  const Trace trace = world.Run("g", Answers("a=500"));
  EXPECT_THAT(HopTexts(trace), ElementsAre("g->g 500 Openai.InternalServerError ok"));
  EXPECT_EQ(trace.attempted_fallbacks, 1);
  EXPECT_EQ(trace.candidates.back().model_group, "g");
  EXPECT_TRUE(trace.candidates.back().is_fallback);
}

TEST(Walk, ChainOfGroups) {
  World world = Groups({"a", "b", "c"});
  world.Fallback("a", {"b"});
  world.Fallback("b", {"c"});
  world.Build();
  EXPECT_THAT(world.Run("a", Answers("a=500 b=500")).calls, ElementsAre("a", "b", "c"));
}

TEST(Walk, LoopOfGroupsEnds) {
  World world = Groups({"a", "b"});
  world.Fallback("a", {"b"});
  world.Fallback("b", {"a"});
  world.Build();
  const Trace trace = world.Run("a", Always("500"));
  EXPECT_THAT(trace.calls, ElementsAre("a", "b"));
  EXPECT_EQ(trace.status, 500);
}

TEST(Walk, MaxFallbacksBoundsTheDepthOfChains) {
  World world = Groups({"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"});
  for (int i = 0; i < 7; ++i) {
    world.Fallback("n" + std::to_string(i), {"n" + std::to_string(i + 1)});
  }
  world.Build();
  EXPECT_THAT(world.Run("n0", Always("500")).calls,
              ElementsAre("n0", "n1", "n2", "n3", "n4", "n5"));
}

TEST(Walk, MaxFallbacksDoesNotCutAFlatList) {
  World world = Groups({"g", "1", "2", "3", "4", "5", "6", "7", "8"});
  world.Fallback("g", {"1", "2", "3", "4", "5", "6", "7", "8"});
  world.Build();
  EXPECT_THAT(world.Run("g", Always("500")).calls,
              ElementsAre("g", "1", "2", "3", "4", "5", "6", "7", "8"));
}

TEST(Walk, ZeroMaxFallbacksMeansNone) {
  World world = Groups({"g", "f"});
  world.Fallback("g", {"f"});
  world.settings().max_fallbacks = 0;
  world.Build();
  EXPECT_THAT(world.Run("g", Always("500")).calls, ElementsAre("g"));
}

TEST(Walk, TargetsOwnListComesFirstThenTheRest) {
  World world = Groups({"g", "a", "b", "a1"});
  world.Fallback("g", {"a", "b"});
  world.Fallback("a", {"a1"});
  world.Build();
  EXPECT_THAT(world.Run("g", Answers("g=500 a=500 a1=500")).calls,
              ElementsAre("g", "a", "a1", "b"));
}

TEST(Walk, DefaultListServesGroupsWithoutAnEntryAndComesLast) {
  World world = Groups({"plain", "own", "target", "net"});
  world.Fallback("own", {"target"});
  world.Fallback("*", {"net"});
  world.Build();
  EXPECT_THAT(world.Run("plain", Answers("plain=500")).calls, ElementsAre("plain", "net"));
  EXPECT_THAT(world.Run("own", Answers("own=500")).calls, ElementsAre("own", "target"));
  EXPECT_THAT(world.Run("own", Answers("own=500 target=500")).calls,
              ElementsAre("own", "target", "net"));
  EXPECT_THAT(world.Run("net", Always("500")).calls, ElementsAre("net"));
}

TEST(Walk, UnknownTargetIsPassedOver) {
  World world = Groups({"g", "f"});
  world.Fallback("g", {"nowhere", "f"});
  world.Build();
  const Trace trace = world.Run("g", Answers("g=500"));
  EXPECT_THAT(trace.calls, ElementsAre("g", "f"));
  EXPECT_EQ(trace.status, 200);
}

TEST(Walk, TargetMayBeAnIdAnAliasOrAWildcardName) {
  World world = Groups({"g", "real"});
  world.Row("w/*", "w").upstream_model = "*";
  world.settings().aliases = {{"alias", "real", false}};
  world.Row("many", "one");
  world.Row("many", "two");
  world.Fallback("g", {"two", "alias", "w/x"});
  world.Build();
  const Trace trace = world.Run("g", Answers("g=500 two=500 real=500"));
  EXPECT_THAT(trace.calls, ElementsAre("g", "two", "real", "w"));
  EXPECT_EQ(trace.candidates.back().upstream_model, "x");
  EXPECT_EQ(trace.candidates.back().model_group, "w/x");
}

TEST(Walk, AliasUsesTheListOfItsOwnNameElseOfTheRealGroup) {
  World world = Groups({"real", "f", "own"});
  world.settings().aliases = {{"with", "real", false}, {"without", "real", false}};
  world.Fallback("real", {"f"});
  world.Fallback("with", {"own"});
  world.Build();
  EXPECT_THAT(world.Run("with", Answers("real=500")).calls, ElementsAre("real", "own"));
  EXPECT_THAT(world.Run("without", Answers("real=500")).calls, ElementsAre("real", "f"));
}

TEST(Lists, ProviderPrefixIsOptionalInTheKey) {
  World world = Groups({"gpt-4", "openai/gpt-5", "f"});
  world.Fallback("openai/gpt-4", {"f"});
  world.Fallback("gpt-5", {"f"});
  world.Build();
  EXPECT_THAT(world.Run("gpt-4", Answers("gpt-4=500")).calls, ElementsAre("gpt-4", "f"));
  EXPECT_THAT(world.Run("openai/gpt-5", Answers("openai/gpt-5=500")).calls,
              ElementsAre("openai/gpt-5", "f"));
}

TEST(Lists, ContextWindowListIsTheOnlyOneWhenConfigured) {
  World world = Groups({"small", "unlisted", "big", "f"});
  world.settings().context_window_fallbacks = {World::List("small", {"big"})};
  world.settings().has_context_window_fallbacks = true;
  world.Fallback("small", {"f"});
  world.Fallback("unlisted", {"f"});
  world.Build();
  EXPECT_THAT(world.Run("small", Answers("small=ctx")).calls, ElementsAre("small", "big"));
  EXPECT_THAT(world.Run("small", Answers("small=500")).calls, ElementsAre("small", "f"));
  const Trace trace = world.Run("unlisted", Answers("unlisted=ctx"));
  EXPECT_THAT(trace.calls, ElementsAre("unlisted"));
  EXPECT_EQ(trace.status, 400);
  EXPECT_THAT(world.Run("unlisted", Answers("unlisted=policy")).calls,
              ElementsAre("unlisted", "f"));
}

TEST(Lists, ContentPolicyListLikewise) {
  World world = Groups({"g", "safe", "f"});
  world.settings().content_policy_fallbacks = {World::List("g", {"safe"})};
  world.settings().has_content_policy_fallbacks = true;
  world.Fallback("g", {"f"});
  world.Build();
  EXPECT_THAT(world.Run("g", Answers("g=policy")).calls, ElementsAre("g", "safe"));
  EXPECT_THAT(world.Run("g", Answers("g=ctx")).calls, ElementsAre("g", "f"));
}

TEST(Lists, ClientListReplacesTheConfigs) {
  World world = Groups({"g", "f", "f0", "ok"});
  world.Fallback("g", {"f"});
  world.Fallback("f0", {"f"});
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.fallbacks = {{"f0", {}}, {"ok", {}}};
  EXPECT_THAT(world.Run(controls, Answers("g=500 f0=500")).calls, ElementsAre("g", "f0", "ok"));
  controls.fallbacks->clear();
  EXPECT_THAT(world.Run(controls, Answers("g=500")).calls, ElementsAre("g"));
}

TEST(Lists, ClientsContextWindowListReplacesTheConfigs) {
  World world = Groups({"g", "f", "big", "huge"});
  world.settings().context_window_fallbacks = {World::List("g", {"big"})};
  world.settings().has_context_window_fallbacks = true;
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.context_window_fallbacks = {World::List("g", {"huge"})};
  EXPECT_THAT(world.Run(controls, Answers("g=ctx")).calls, ElementsAre("g", "huge"));
}

TEST(Lists, OverridesTravelWithTheirTargetOnly) {
  World world = Groups({"g", "f", "h"});
  world.Build();
  RequestControls controls;
  controls.model = "g";
  controls.fallbacks = {{"f", {{"messages", "other"}}}, {"h", {}}};
  const Trace trace = world.Run(controls, Answers("g=500 f=500"));
  ASSERT_EQ(trace.candidates.size(), 3U);
  EXPECT_EQ(trace.candidates[0].target, nullptr);
  EXPECT_EQ(trace.candidates[1].target, &controls.fallbacks->front());
  EXPECT_EQ(trace.candidates[2].target, nullptr);
}

TEST(Lists, ClientMayForbidFallbacksOfAnyKind) {
  World world = Groups({"g", "f"});
  world.Row("ordered", "a").order = 1;
  world.Row("ordered", "b").order = 2;
  world.Fallback("*", {"f"});
  world.Build();
  RequestControls controls;
  controls.disable_fallbacks = true;
  controls.model = "g";
  const Trace trace = world.Run(controls, Always("500"));
  EXPECT_THAT(trace.calls, ElementsAre("g"));
  EXPECT_EQ(trace.error.message, "upstream said 500");
  controls.model = "ordered";
  EXPECT_THAT(world.Run(controls, Always("500")).calls, ElementsAre("a"));
}

TEST(ErrorText, NamesOnlyTheGroupsOwnTargets) {
  World world = Groups({"g", "x", "y", "lonely", "secret"});
  world.Fallback("g", {"x", "y"});
  world.Fallback("secret", {"x"});
  world.Build();
  const Trace trace = world.Run("g", Answers("g=500 x=503 y=429"));
  EXPECT_EQ(trace.error.message,
            "upstream said 500\n\nLiteLLM: model group 'g' failed with the error above. Fallback "
            "to x, y also failed: upstream said 503");
  const Trace alone = world.Run("lonely", Always("500"));
  EXPECT_THAT(alone.error.message, HasSubstr("upstream said 500\n\nLiteLLM: model group 'lonely'"));
  EXPECT_THAT(alone.error.message, Not(HasSubstr("secret")));
}

TEST(ErrorText, OfOrderLevelsIsTheLastOnes) {
  World world = Groups({"x", "y", "plain"});
  for (const char* group : {"g", "bare"}) {
    world.Row(group, group + std::string("1")).order = 1;
    world.Row(group, group + std::string("2")).order = 2;
  }
  world.Fallback("g", {"x", "y"});
  world.Fallback("plain", {"bare"});
  world.Build();
  const Trace bare = world.Run("bare", Answers("bare1=500 bare2=503"));
  EXPECT_EQ(bare.error.message, "upstream said 503");
  // Behind the levels, what the first fallback failed with.
  const Trace trace = world.Run("g", Answers("g1=500 g2=503 x=429 y=401"));
  EXPECT_EQ(trace.error.message, "upstream said 429");
  EXPECT_THAT(HopTexts(trace), ElementsAre("g->g 500 Openai.InternalServerError failed",
                                           "x->y 429 Openai.RateLimitError failed",
                                           "g->x 503 Openai.ServiceUnavailableError failed"));
  // The group that was asked for has no levels: its own error stays.
  const Trace plain = world.Run("plain", Answers("plain=500 bare1=429 bare2=503"));
  EXPECT_EQ(plain.error.message,
            "upstream said 500\n\nLiteLLM: model group 'plain' failed with the error above. Fallback "
            "to bare also failed: upstream said 503");
}

TEST(ErrorText, MayBeSuppressed) {
  World world = Groups({"g", "x"});
  world.Fallback("g", {"x"});
  world.settings().expose_router_debug_in_errors = false;
  world.Build();
  EXPECT_EQ(world.Run("g", Always("500")).error.message, "upstream said 500");
}

TEST(ErrorText, QuotedFallbackErrorIsCutBetweenCharacters) {
  World world = Groups({"g", "x"});
  world.Fallback("g", {"x"});
  world.Build();
  std::string long_text(1999, 'a');
  for (int i = 0; i < 100; ++i) long_text += "\xC3\xA4";
  const Trace trace = world.Run("g", [&](const Candidate& c) {
    Error error = *ErrorFor("500", "openai");
    if (c.deployment->id == "x") error.message = long_text;
    return std::optional<Error>(error);
  });
  EXPECT_TRUE(trace.error.message.ends_with(": " + std::string(1999, 'a')));
}

TEST(MidStream, FailureEndsTheRequestWithItsOwnError) {
  World world = Groups({"g", "f", "h"});
  world.Fallback("g", {"f", "h"});
  world.settings().num_retries = 3;
  world.Build();
  const Trace trace = world.Run("g", [](const Candidate& c) {
    Error error = *ErrorFor("500", "openai");
    if (c.deployment->id == "f") {
      error.mid_stream = true;
      error.message = "cut";
    }
    return std::optional<Error>(error);
  });
  EXPECT_EQ(trace.calls.back(), "f");
  EXPECT_EQ(trace.calls.size(), 5U);
  EXPECT_EQ(trace.error.message, "cut");
  EXPECT_TRUE(trace.error.mid_stream);
  ASSERT_EQ(trace.hops.size(), 1U);
  EXPECT_TRUE(trace.hops[0].succeeded);  // the fallback gave a stream
  EXPECT_EQ(world.SlotsInUse(), 0);
  EXPECT_EQ(world.state().HealthAt(1, world.now()), Health::kPartialOutage);
}

}  // namespace
}  // namespace gw::routing::testing
