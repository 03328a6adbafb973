#include "cache/key.h"

#include <gtest/gtest.h>

namespace gw::cache {
namespace {

using api::Endpoint;

std::string Text(std::string body, KeyContext context = {}) {
  body.reserve(body.size() + json::kPadding);
  if (context.model.empty()) context.model = "g";
  return CanonicalText(ReadQuestion(context.endpoint, body), context);
}

TEST(CacheKey, SaysWhatWasAskedLineByLine) {
  EXPECT_EQ(Text(R"({"temperature": 0.5, "messages": [ {"role": "user", "content": "a b"} ], "model": "x"})"),
            "call: chat\nmodel: \"g\"\nmessages: [{\"role\":\"user\",\"content\":\"a b\"}]\ntemperature: 0.5\n");
}

TEST(CacheKey, OrderSpaceAndNeedlessEscapesDoNotMatter) {
  const std::string plain = Text(R"({"messages":[{"content":"é/"}],"n":1})");
  EXPECT_EQ(Text(R"({ "n" : 1 , "messages" : [ { "content" : "é\/" } ] })"), plain);
  EXPECT_EQ(Text(R"({"\u006e":1,"messages":[{"content":"\u00e9/"}]})"), plain);
}

TEST(CacheKey, TheLastOfARepeatedMemberCounts) {
  EXPECT_EQ(Text(R"({"n":1,"messages":[],"\u006e":2})"), Text(R"({"messages":[],"n":2})"));
}

TEST(CacheKey, OrdersToTheGatewayAreNoPartOfTheQuestion) {
  const std::string plain = Text(R"({"messages":[]})");
  EXPECT_EQ(Text(R"({"messages":[],"metadata":{"a":1},"cache":{"ttl":1},"timeout":3,"num_retries":2,"tags":["x"],
                    "fallbacks":["b"],"litellm_call_id":"c","input_cost_per_token":1,"stream":false,"user":"u"})"),
            plain + "user: \"u\"\n");
}

TEST(CacheKey, EverythingThatReachesAnUpstreamIsPart) {
  const std::string plain = Text(R"({"messages":[]})");
  for (const char* more : {R"("guided_json":{"a":1})", R"("top_k":3)", R"("extra_body":{"x":1})", R"("seed":1)",
                           R"("user":"u")", R"("mock_response":"m")"}) {
    EXPECT_NE(Text(std::string(R"({"messages":[],)") + more + "}"), plain) << more;
  }
}

TEST(CacheKey, MemberOrderInsideAValueMatters) {
  EXPECT_NE(Text(R"({"tools":[{"a":1,"b":2}]})"), Text(R"({"tools":[{"b":2,"a":1}]})"));
}

TEST(CacheKey, GroupStreamTagsAndEndpointSeparate) {
  const std::string body = R"({"messages":[]})";
  KeyContext context;
  context.model = "g";
  const std::string plain = Text(body, context);
  KeyContext other = context;
  other.model = "h";
  EXPECT_NE(Text(body, other), plain);
  other = context;
  other.stream = true;
  EXPECT_NE(Text(body, other), plain);
  other = context;
  const std::vector<std::string> tags = {"eu"};
  other.tags = tags;
  EXPECT_NE(Text(body, other), plain);
  other = context;
  other.model_in_body = false;
  EXPECT_NE(Text(body, other), plain);
  other = context;
  other.endpoint = Endpoint::kCompletions;
  EXPECT_NE(Text(body, other), plain);
}

TEST(CacheKey, NoMemberCanPretendToBeAnotherLine) {
  EXPECT_NE(Text(R"({"a":"1","b":"2"})"), Text(R"({"a: \"1\"\nb":"2"})"));
  EXPECT_NE(Text(R"({"a":"x\nb: 1"})"), Text(R"({"a":"x","b":1})"));
}

TEST(CacheKey, LoneSurrogatesStayApart) {
  EXPECT_NE(Text(R"({"a":"\ud800"})"), Text(R"({"a":"\ud801"})"));
}

TEST(CacheKey, KeyIsAHashBehindTheNamespace) {
  const std::string key = MakeKey("", "text", "");
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(MakeKey("ns", "text", ""), "ns:" + key);
  EXPECT_NE(MakeKey("", "text", "\"a\""), MakeKey("", "text", "\"b\""));
}

TEST(CacheKey, InputOfEmbeddingsStandsApart) {
  const std::string body = R"({"input":["a"],"dimensions":8})" + std::string(json::kPadding, ' ');
  const Question question = ReadQuestion(Endpoint::kEmbeddings, body);
  EXPECT_EQ(question.input, R"(["a"])");
  ASSERT_EQ(question.params.size(), 1U);
  EXPECT_EQ(question.params[0].name(), "dimensions");
}

TEST(CacheKey, GroupsThatShareAnswersHaveOneModel) {
  config::CacheSettings settings;
  settings.groups = {{"a", "b"}, {"c"}};
  EXPECT_EQ(KeyModel(settings, "a"), KeyModel(settings, "b"));
  EXPECT_EQ(KeyModel(settings, "d"), "d");
}

TEST(CacheKey, ReadsTheRequestsControls) {
  const std::string body = R"({"messages":[{},{}],"cache":{"no-store":true},"caching":false,"ttl":5})";
  const Question question = ReadQuestion(Endpoint::kChat, body + std::string(json::kPadding, ' '));
  EXPECT_EQ(question.messages, 2U);
  EXPECT_TRUE(question.controls.no_store);
  EXPECT_TRUE(question.controls.off);
  EXPECT_EQ(question.controls.ttl_s, 5);
}

}  // namespace
}  // namespace gw::cache
