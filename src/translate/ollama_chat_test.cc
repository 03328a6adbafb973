#include "translate/ollama_chat.h"

#include <gtest/gtest.h>

#include "translate/dialect_test_support.h"
#include "translate/ollama_generate.h"

namespace gw::translate {
namespace {

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";

std::string Body(std::string_view members) {
  std::string out = "{\"model\":\"m\",";
  out += kHi;
  if (!members.empty()) out += ",";
  return out + std::string(members) + "}";
}

struct MemberCase {
  std::string_view provider;
  std::string_view model;
  std::string_view client;  // members beside model and messages
  std::string_view member;  // of the upstream's body
  std::string_view want;
};

class OllamaMember : public testing::TestWithParam<MemberCase> {};

TEST_P(OllamaMember, IsMapped) {
  const MemberCase& c = GetParam();
  DialectAttempt attempt(c.provider, c.model, Body(c.client));
  EXPECT_EQ(attempt.UpstreamMember(c.member), c.want) << attempt.UpstreamBody();
}

INSTANTIATE_TEST_SUITE_P(
    Table, OllamaMember,
    testing::Values(
        MemberCase{"ollama_chat", "m", R"("max_tokens":5,"max_completion_tokens":6)", "options",
                   R"({"num_predict":6})"},
        MemberCase{"ollama_chat", "m", R"("temperature":null)", "options", "{}"},
        MemberCase{"ollama_chat", "m", R"("stop":"x")", "options", R"({"stop":["x"]})"},
        MemberCase{"ollama_chat", "m", R"("frequency_penalty":1)", "options",
                   R"({"repeat_penalty":1})"},
        MemberCase{"ollama", "m", R"("frequency_penalty":1)", "options",
                   R"({"frequency_penalty":1})"},
        MemberCase{"ollama", "m", R"("keep_alive":"5m")", "options", R"({"keep_alive":"5m"})"},
        MemberCase{"ollama_chat", "m", R"("keep_alive":"5m")", "keep_alive", R"("5m")"},
        MemberCase{"ollama_chat", "m", R"("user":"u","n":1,"stream_options":{},"num_retries":2)",
                   "options", "{}"},
        MemberCase{"ollama_chat", "m", R"("response_format":{"type":"json_object"})", "format",
                   R"("json")"},
        MemberCase{"ollama_chat", "m", R"("response_format":{"type":"text"})", "format", "absent"},
        MemberCase{"ollama_chat", "m", R"("reasoning_effort":"none")", "think", "false"},
        MemberCase{"ollama_chat", "gpt-oss:20b", R"("reasoning_effort":"low")", "think",
                   R"("low")"},
        MemberCase{"ollama_chat", "m", R"("think":true)", "think", "true"},
        MemberCase{"ollama_chat", "m", R"("functions":[{"name":"f"}])", "tools",
                   R"([{"type":"function","function":{"name":"f"}}])"},
        MemberCase{"ollama_chat", "m", R"("mod\u0065l":"evil")", "model", R"("m")"},
        MemberCase{"ollama", "m", "", "prompt", R"("### User:\nhi\n\n")"}));

TEST(OllamaRequest, UnsupportedParametersAreRefusedOrDropped) {
  for (const std::string_view param :
       {R"("n":2)", R"("presence_penalty":1)", R"("logit_bias":{"1":2})", R"("logprobs":true)"}) {
    DialectAttempt attempt("ollama_chat", "m", Body(param));
    auto built = attempt.Make()->BuildRequest();
    ASSERT_FALSE(built.ok()) << param;
    EXPECT_EQ(built.error().cls, ErrorClass::kUnsupportedParams);
    EXPECT_EQ(built.error().status, 400);
    attempt.target.drop_params = true;
    EXPECT_EQ(attempt.UpstreamMember("options"), "{}") << param;
  }
}

TEST(OllamaRequest, AllowedParametersPass) {
  DialectAttempt attempt("ollama_chat", "m",
                         Body(R"("presence_penalty":1,"allowed_openai_params":["presence_penalty"])"));
  EXPECT_EQ(attempt.UpstreamMember("options"), R"({"presence_penalty":1})");
}

TEST(OllamaRequest, DefaultsFillGapsAndOverridesReplace) {
  DialectAttempt attempt("ollama_chat", "m",
                         Body(R"("temperature":1,"top_p":1,"seed":3,"additional_drop_params":["seed"])"));
  attempt.deployment.default_params = {{"temperature", 2}, {"num_ctx", 4096}, {"seed", 4}};
  attempt.overrides = {{"model", "other"}, {"top_p", 2}};
  attempt.request.overrides = &attempt.overrides;
  EXPECT_EQ(attempt.UpstreamMember("options"), R"({"top_p":2,"temperature":1,"num_ctx":4096})");
}

TEST(OllamaRequest, ChatWithToolsOrImagesLeavesGenerate) {
  const auto path = [](std::string_view body) {
    DialectAttempt attempt("ollama", "m", body);
    auto translator = attempt.Make();
    auto built = translator->BuildRequest();
    return built ? built->path : built.error().message;
  };
  EXPECT_EQ(path(Body("")), "/api/generate");
  EXPECT_EQ(path(Body(R"("tools":[{"type":"function","function":{"name":"f"}}])")), "/api/chat");
  EXPECT_EQ(path(R"({"messages":[{"role":"user","content":[{"type":"image_url",)"
                 R"("image_url":{"url":"data:image/png;base64,AA=="}}]}]})"),
            "/api/chat");
  EXPECT_EQ(path(R"({"messages":[{"role":"tool","content":"x","tool_call_id":"c"}]})"),
            "/api/chat");
}

TEST(OllamaRequest, BadMessagesAreRefused) {
  for (const std::string_view messages :
       {R"("text")", "[1]", "{}",
        R"([{"role":"user","content":[{"type":"image_url","image_url":"https://x/y.png"}]}])",
        R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{broken"}}]}])"}) {
    const std::string body = R"({"messages":)" + std::string(messages) + "}";
    DialectAttempt attempt("ollama_chat", "m", body);
    auto built = attempt.Make()->BuildRequest();
    ASSERT_FALSE(built.ok()) << messages;
    EXPECT_EQ(built.error().status, 400);
  }
}

TEST(OllamaRequest, KeyPathAndExtraHeaders) {
  DialectAttempt attempt("ollama_chat", "m", Body(""));
  attempt.deployment.api_key = "k";
  attempt.deployment.origin.base_path = "/x/api/chat";
  attempt.deployment.extra_headers = {{"x-a", "b"}};
  auto translator = attempt.Make();
  auto built = translator->BuildRequest();
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(built->path, "");
  EXPECT_EQ(built->headers, (HeaderList{{"authorization", "Bearer k"}, {"x-a", "b"}}));
}

TEST(OllamaRequest, ThinkingOfEarlierTurnsGoesBack) {
  DialectAttempt attempt("ollama_chat", "m",
                         R"({"messages":[{"role":"assistant","content":"a","reasoning_content":"r"},)"
                         R"({"role":"developer","content":"d"}]})");
  EXPECT_EQ(attempt.UpstreamMember("messages"),
            R"([{"role":"assistant","content":"a","images":[],"thinking":"r"},)"
            R"({"role":"system","content":"d","images":[]}])");
}

TEST(GeneratePrompt, OneBlockPerMessage) {
  std::string out;
  AppendGeneratePrompt(R"([{"role":"system","content":"s"},{"role":"user","content":[
      {"type":"text","text":"a\"b"},{"type":"text","text":"c"}]},
      {"role":"assistant","content":null}])", out);
  EXPECT_EQ(out, R"(### System:\ns\n\n### User:\na\"bc\n\n### Assistant:\n\n\n)");
}

// ---- answers

TEST(OllamaAnswer, ThinkTagsAndThinkingMemberBecomeReasoning) {
  DialectAttempt attempt("ollama_chat", "m", Body(""));
  const std::string tagged =
      attempt.Answer(R"({"message":{"content":"<think>r</think>c"},"done":true,"eval_count":1})");
  EXPECT_NE(tagged.find(R"("content":"c","role":"assistant","reasoning_content":"r")"),
            std::string::npos) << tagged;
  const std::string member =
      attempt.Answer(R"({"message":{"content":"c","thinking":"r"},"done":true})");
  EXPECT_NE(member.find(R"("content":"c","role":"assistant","reasoning_content":"r")"),
            std::string::npos) << member;
}

TEST(OllamaAnswer, MissingCountsAreEstimated) {
  DialectAttempt attempt("ollama_chat", "m", Body(""));
  auto translator = attempt.Make();
  ASSERT_TRUE(translator->BuildRequest().ok());
  std::string body = R"({"message":{"content":"12345678"},"done":true,"eval_count":9})";
  body.reserve(body.size() + json::kPadding);
  ASSERT_TRUE(translator->TranslateBody(body).ok());
  EXPECT_EQ(translator->usage().completion_tokens, 9);
  EXPECT_GT(translator->usage().prompt_tokens, 0);
  EXPECT_TRUE(translator->usage().estimated);
}

TEST(OllamaAnswer, WhatIsNoAnswerIsAnUpstreamError) {
  DialectAttempt attempt("ollama_chat", "m", Body(""));
  for (const std::string_view body : {"", "  ", "{", "[]", "1", "{}", R"({"id":1})",
                                      R"({"error":"model runner has unexpectedly stopped"})"}) {
    EXPECT_TRUE(attempt.Answer(body).starts_with("error 500: litellm.APIConnectionError"))
        << body << " -> " << attempt.Answer(body);
  }
}

TEST(OllamaAnswer, NameAfterAFallbackCarriesTheProvider) {
  DialectAttempt attempt("ollama_chat", "ok.t2", Body(""));
  attempt.target.shown_model = {};
  EXPECT_NE(attempt.Answer(R"({"message":{"content":"c"},"done":true})")
                .find(R"("model":"ollama_chat/ok.t2")"), std::string::npos);
}

std::string StreamOf(std::string_view text) {
  DialectAttempt attempt("ollama_chat", "m", Body(R"("stream":true)"));
  return attempt.Stream({text});
}

TEST(OllamaStream, ErrorLineBeforeContentCanBeRetried) {
  EXPECT_TRUE(StreamOf("{\"error\":\"boom\"}\n").starts_with("error 500: "));
}

TEST(OllamaStream, GarbageBeforeContentFailsAndIsSkippedBehindIt) {
  EXPECT_TRUE(StreamOf("{not json\n").starts_with("error 500: "));
  const std::string out = StreamOf(
      "{\"message\":{\"content\":\"a\"},\"done\":false}\n{not json\n"
      "{\"message\":{\"content\":\"b\"},\"done\":true}\n");
  EXPECT_NE(out.find(R"("content":"a")"), std::string::npos);
  EXPECT_NE(out.find(R"("content":"b")"), std::string::npos);
  EXPECT_TRUE(out.ends_with("data: [DONE]\n\n")) << out;
}

TEST(OllamaStream, EmptyStreamFailsAndMissingEndIsWritten) {
  EXPECT_TRUE(StreamOf("").starts_with("error 500: "));
  EXPECT_TRUE(StreamOf("{\"message\":{\"content\":\"a\"},\"done\":false}\n")
                  .ends_with("\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"));
}

TEST(OllamaStream, ThinkTagsSplitOverLines) {
  const std::string out = StreamOf(
      "{\"message\":{\"content\":\"<thi\"}}\n{\"message\":{\"content\":\"nk>r</th\"}}\n"
      "{\"message\":{\"content\":\"ink>c\"},\"done\":true}\n");
  EXPECT_NE(out.find(R"("delta":{"role":"assistant","reasoning_content":"r"})"), std::string::npos)
      << out;
  EXPECT_NE(out.find(R"("delta":{"content":"c"})"), std::string::npos) << out;
}

TEST(OllamaStream, LineOverTheLimitFails) {
  std::string line = "{\"message\":{\"content\":\"";
  line.append(limits::kStreamEventBytesMax, 'x');
  EXPECT_TRUE(StreamOf(line).starts_with("error 500: "));
}

TEST(OllamaEmbeddings, ListAndOptionsAndLegacyAnswer) {
  DialectAttempt attempt("ollama", "e",
                         R"({"input":["a","b"],"dimensions":3,"num_ctx":9,"truncate":true,)"
                         R"("encoding_format":"float","user":"u"})",
                         api::Endpoint::kEmbeddings);
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"e","input":["a","b"],"dimensions":3,)"
                                    R"("truncate":true,"options":{"num_ctx":9}})");
  EXPECT_EQ(attempt.Answer(R"({"embedding":[1,2]})"),
            R"({"model":"shown","data":[{"embedding":[1,2],"index":0,"object":"embedding"}],)"
            R"("object":"list","usage":{"completion_tokens":0,"prompt_tokens":1,"total_tokens":1}})");
  EXPECT_TRUE(attempt.Answer("{}").starts_with("error 500: "));
}

TEST(OllamaEmbeddings, TokenIdsAreRefused) {
  DialectAttempt attempt("ollama", "e", R"({"input":[1,2]})", api::Endpoint::kEmbeddings);
  EXPECT_TRUE(attempt.UpstreamBody().starts_with("error 400: "));
}

}  // namespace
}  // namespace gw::translate
