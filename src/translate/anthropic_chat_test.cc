#include "translate/anthropic_chat.h"

#include <gtest/gtest.h>

#include "translate/anthropic_messages.h"
#include "translate/anthropic_request.h"
#include "translate/dialect_test_support.h"

namespace gw::translate {
namespace {

std::string Body(std::string_view members) {
  std::string out = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  if (!members.empty()) out += ",";
  return out + std::string(members) + "}";
}

constexpr std::string_view kTool =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

struct MemberCase {
  std::string_view model;
  std::string_view client;
  std::string_view member;
  std::string_view want;
};

class AnthropicMember : public testing::TestWithParam<MemberCase> {};

TEST_P(AnthropicMember, IsMapped) {
  const MemberCase& c = GetParam();
  DialectAttempt attempt("anthropic", c.model, Body(c.client));
  EXPECT_EQ(attempt.UpstreamMember(c.member), c.want) << attempt.UpstreamBody();
}

INSTANTIATE_TEST_SUITE_P(
    Table, AnthropicMember,
    testing::Values(
        MemberCase{"m", "", "max_tokens", "128000"},
        MemberCase{"m", R"("max_tokens":5,"max_completion_tokens":6)", "max_tokens", "6"},
        MemberCase{"m", R"("reasoning_effort":"low")", "max_tokens", "5120"},
        MemberCase{"m", R"("reasoning_effort":"medium")", "max_tokens", "6144"},
        MemberCase{"m", R"("reasoning_effort":"medium")", "thinking",
                   R"({"type":"enabled","budget_tokens":2048})"},
        MemberCase{"m", R"("reasoning_effort":"none")", "thinking", "absent"},
        MemberCase{"claude-opus-4-6", R"("reasoning_effort":"high")", "thinking",
                   R"({"type":"adaptive","display":"summarized"})"},
        MemberCase{"claude-opus-4-6", R"("reasoning_effort":"high")", "output_config",
                   R"({"effort":"high"})"},
        MemberCase{"m", R"("thinking":{"type":"enabled","budget_tokens":1500})", "thinking",
                   R"({"type":"enabled","budget_tokens":1500})"},
        MemberCase{"m", R"("thinking":{"type":"enabled","budget_tokens":1500})", "max_tokens",
                   "5596"},
        MemberCase{"m", R"("stop":["a"," \n","b"])", "stop_sequences", R"(["a","b"])"},
        MemberCase{"m", R"("stop":" ")", "stop_sequences", "absent"},
        MemberCase{"m", R"("user":"jo@example.com")", "metadata", "absent"},
        MemberCase{"m", R"("user":"+49 (30) 1234567")", "metadata", "absent"},
        MemberCase{"m", R"("user":"12345678-9012-abcd")", "metadata",
                   R"({"user_id":"12345678-9012-abcd"})"},
        MemberCase{"m", R"("service_tier":"auto")", "service_tier", R"("auto")"},
        MemberCase{"m", R"("service_tier":"default")", "service_tier", R"("standard_only")"},
        MemberCase{"m", R"("service_tier":"standard_only")", "service_tier", R"("standard_only")"},
        MemberCase{"m", R"("service_tier":5)", "service_tier", "absent"},
        MemberCase{"m", R"("top_k":3)", "top_k", "3"},
        MemberCase{"m", R"("metadata":{"a":1},"fallbacks":[])", "metadata", "absent"},
        MemberCase{"m", R"("tool_choice":"auto")", "tool_choice", "absent"},
        MemberCase{"claude-sonnet-4-5", R"("response_format":{"type":"json_schema","json_schema":
            {"schema":{"type":"object","properties":{"x":{"type":"object"}}}}})",
                   "output_format",
                   R"({"type":"json_schema","schema":{"type":"object","properties":{"x":)"
                   R"({"type":"object","additionalProperties":false}},"additionalProperties":false}})"},
        MemberCase{"m", R"("response_format":{"type":"json_object"},"reasoning_effort":"low")",
                   "tool_choice", "absent"},
        MemberCase{"m", R"("web_search_options":{"search_context_size":"low","user_location":
            {"type":"approximate","approximate":{"city":"Rome"}}})",
                   "tools",
                   R"([{"type":"web_search_20250305","name":"web_search","max_uses":1,)"
                   R"("user_location":{"type":"approximate","city":"Rome"}}])"}));

TEST(AnthropicChat, TiersOfOpenAiAloneAreRefusedOrDropped) {
  DialectAttempt attempt("anthropic", "m", Body(R"("service_tier":"flex")"));
  EXPECT_TRUE(attempt.UpstreamBody().starts_with("error 400: litellm.UnsupportedParamsError: "));
  attempt.target.drop_params = true;
  EXPECT_EQ(attempt.UpstreamMember("service_tier"), "absent");
}

TEST(AnthropicRequest, ToolChoiceAndParallelCalls) {
  const auto choice = [](std::string_view members) {
    DialectAttempt attempt("anthropic", "m", Body(std::string(kTool) + std::string(members)));
    return attempt.UpstreamMember("tool_choice");
  };
  EXPECT_EQ(choice(""), "absent");
  EXPECT_EQ(choice(R"(,"tool_choice":"none","parallel_tool_calls":false)"), R"({"type":"none"})");
  EXPECT_EQ(choice(R"(,"tool_choice":"required")"), R"({"type":"any"})");
  EXPECT_EQ(choice(R"(,"parallel_tool_calls":false)"),
            R"({"type":"auto","disable_parallel_tool_use":true})");
  EXPECT_EQ(choice(R"(,"tool_choice":{"type":"tool","name":"f"})"),
            R"({"type":"tool","name":"f"})");
}

TEST(AnthropicRequest, LimitOfThePriceMapIsTheDefault) {
  DialectAttempt attempt("anthropic", "m", Body(""));
  attempt.facts.max_output_tokens = 4096;
  attempt.deployment.facts = &attempt.facts;
  EXPECT_EQ(attempt.UpstreamMember("max_tokens"), "4096");
}

TEST(AnthropicRequest, UnsupportedParametersAreRefusedOrDropped) {
  for (const std::string_view param : {R"("seed":1)", R"("n":2)", R"("presence_penalty":1)"}) {
    DialectAttempt attempt("anthropic", "m", Body(param));
    auto built = attempt.Make()->BuildRequest();
    ASSERT_FALSE(built.ok()) << param;
    EXPECT_EQ(built.error().cls, ErrorClass::kUnsupportedParams);
    attempt.target.drop_params = true;
    EXPECT_FALSE(attempt.UpstreamBody().starts_with("error")) << param;
  }
}

TEST(AnthropicRequest, HeadersOfKeysAndBetas) {
  DialectAttempt attempt("anthropic", "claude-sonnet-4-5",
                         Body(R"("response_format":{"type":"json_object"})"));
  attempt.deployment.api_key = "sk-ant-oat-1";
  attempt.deployment.extra_headers = {{"Anthropic-Beta", "mine"}, {"anthropic-version", "2024-01-01"}};
  auto translator = attempt.Make();
  auto built = translator->BuildRequest();
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(built->headers,
            (HeaderList{{"authorization", "Bearer sk-ant-oat-1"},
                        {"anthropic-beta", "structured-outputs-2025-11-13,mine,oauth-2025-04-20"},
                        {"anthropic-version", "2024-01-01"}}));
}

TEST(AnthropicRequest, PathFollowsTheConfiguredBase) {
  DialectAttempt attempt("anthropic", "m", Body(""));
  const auto path = [&attempt](std::string_view base) {
    attempt.deployment.origin.base_path = base;
    auto translator = attempt.Make();
    auto built = translator->BuildRequest();
    return built ? built->path : built.error().message;
  };
  EXPECT_EQ(path(""), "/v1/messages");
  EXPECT_EQ(path("/proxy/v1"), "/messages");
  EXPECT_EQ(path("/proxy/v1/messages"), "");
}

struct MessagesCase {
  std::string_view client;
  std::string_view system;
  std::string_view messages;
};

class AnthropicMessagesTest : public testing::TestWithParam<MessagesCase> {};

TEST_P(AnthropicMessagesTest, AreConverted) {
  config::Deployment deployment;
  auto got = ToAnthropicMessages(GetParam().client, deployment);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->system, GetParam().system);
  EXPECT_EQ(got->messages, GetParam().messages);
  EXPECT_EQ(json::ValidateUnpadded("[" + got->messages + "]"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AnthropicMessagesTest,
    testing::Values(
        MessagesCase{R"([{"role":"system","content":"a"},{"role":"developer","content":
            [{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}])",
                     R"({"type":"text","text":"a"},{"type":"text","text":"b",)"
                     R"("cache_control":{"type":"ephemeral"}})",
                     ""},
        MessagesCase{R"([{"role":"user","content":"a"},{"role":"user","content":""},
                         {"role":"user","content":"b"}])",
                     "",
                     R"({"role":"user","content":[{"type":"text","text":"a"},)"
                     R"({"type":"text","text":"b"}]})"},
        // The white space of a prefill goes, that of earlier turns stays.
        MessagesCase{R"([{"role":"assistant","content":"x "},{"role":"user","content":"y "},
                         {"role":"assistant","content":"z \n"}])",
                     "",
                     R"({"role":"assistant","content":[{"type":"text","text":"x "}]},)"
                     R"({"role":"user","content":[{"type":"text","text":"y "}]},)"
                     R"({"role":"assistant","content":[{"type":"text","text":"z"}]})"},
        MessagesCase{R"([{"role":"assistant","content":"t","thinking_blocks":[{"type":"thinking",
            "thinking":"r","signature":"s"}],"tool_calls":[{"id":"c:1","function":{"name":"a b",
            "arguments":""}}]},{"role":"tool","tool_call_id":"c:1","content":[{"type":"text",
            "text":"ok"}]},{"role":"user","content":"go on"}])",
                     "",
                     R"({"role":"assistant","content":[{"type":"thinking",
            "thinking":"r","signature":"s"},{"type":"text","text":"t"},)"
                     R"({"type":"tool_use","id":"c_1","name":"a_b","input":{}}]},)"
                     R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1",)"
                     R"("content":[{"type":"text","text":"ok"}]},{"type":"text","text":"go on"}]})"},
        MessagesCase{R"([{"role":"assistant","function_call":{"name":"f","arguments":"{\"a\":1}"}},
                         {"role":"function","name":"f","content":"1"}])",
                     "",
                     R"({"role":"assistant","content":[{"type":"tool_use","id":"f","name":"f",)"
                     R"("input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result",)"
                     R"("tool_use_id":"f","content":"1"}]})"},
        MessagesCase{R"([{"role":"user","content":[{"type":"image_url","image_url":"https://x/y"},
            {"type":"file","file":{"file_data":"data:application\/pdf;base64,AA=="}},
            {"type":"file","file":{"file_id":"file_1"}}]}])",
                     "",
                     R"({"role":"user","content":[{"type":"image","source":{"type":"url",)"
                     R"("url":"https://x/y"}},{"type":"document","source":{"type":"base64",)"
                     R"("media_type":"application/pdf","data":"AA=="}},)"
                     R"({"type":"document","source":{"type":"file","file_id":"file_1"}}]})"}));

TEST(CleanToolName, KeepsWhatAnthropicTakes) {
  EXPECT_EQ(CleanToolName("get_Weather-1"), "get_Weather-1");
  EXPECT_EQ(CleanToolName("a.b c"), "a_b_c");
  EXPECT_EQ(CleanToolName(""), "_");
  EXPECT_EQ(CleanToolName(std::string(200, 'x')).size(), 128U);
}

// ---- answers

TEST(AnthropicAnswer, CleanedToolNamesComeBack) {
  DialectAttempt attempt("anthropic", "m",
                         Body(R"("tools":[{"type":"function","function":{"name":"a.b"}}])"));
  EXPECT_NE(attempt.UpstreamBody().find(R"("name":"a_b")"), std::string::npos);
  const std::string out = attempt.Answer(
      R"({"content":[{"type":"tool_use","id":"t","name":"a_b","input":{"x":"\"1\""}}],)"
      R"("stop_reason":"tool_use"})");
  EXPECT_NE(out.find(R"("arguments":"{\"x\":\"\\\"1\\\"\"}","name":"a.b"},"id":"t")"),
            std::string::npos) << out;
}

TEST(AnthropicAnswer, InputOfTheJsonToolIsTheContent) {
  DialectAttempt attempt("anthropic", "m", Body(R"("response_format":{"type":"json_object"})"));
  const std::string out = attempt.Answer(
      R"({"content":[{"type":"tool_use","id":"t","name":"json_tool_call","input":{"x":1}}],)"
      R"("stop_reason":"tool_use"})");
  EXPECT_NE(out.find(R"("finish_reason":"stop")"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("content":"{\"x\":1}")"), std::string::npos) << out;
  EXPECT_EQ(out.find("tool_calls"), std::string::npos) << out;
}

TEST(AnthropicAnswer, WhatIsNoAnswerIsAnUpstreamError) {
  DialectAttempt attempt("anthropic", "m", Body(""));
  for (const std::string_view body : {"", "{", "[]", "{}", R"({"content":"x"})"}) {
    EXPECT_TRUE(attempt.Answer(body).starts_with("error 500: ")) << body;
  }
}

std::string Event(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }

std::string StreamOf(std::string_view members, const std::vector<std::string_view>& events) {
  DialectAttempt attempt("anthropic", "m", Body(std::string(members) + R"("stream":true)"));
  std::string text;
  for (const std::string_view event : events) text += Event(event);
  return attempt.Stream({text});
}

constexpr std::string_view kText =
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})";
constexpr std::string_view kToolStart =
    R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})";
constexpr std::string_view kBlockStop = R"({"type":"content_block_stop","index":1})";
constexpr std::string_view kStop = R"({"type":"message_stop"})";

TEST(AnthropicStream, ToolWithoutArgumentsGetsAnObject) {
  const std::string out = StreamOf("", {kToolStart, kBlockStop, kStop});
  EXPECT_NE(out.find(R"({"index":0,"type":"function","function":{"arguments":"{}"}})"),
            std::string::npos) << out;
  EXPECT_NE(out.find(R"("finish_reason":"tool_calls")"), std::string::npos) << out;
}

TEST(AnthropicStream, JsonToolIsStreamedAsContent) {
  const std::string out = StreamOf(
      R"("response_format":{"type":"json_object"},)",
      {R"({"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"json_tool_call"}})",
       R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"x\""}})",
       R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":":1}"}})",
       kBlockStop, R"({"type":"message_delta","delta":{"stop_reason":"tool_use"}})", kStop});
  EXPECT_NE(out.find(R"("content":"{\"x\"")"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("finish_reason":"stop")"), std::string::npos) << out;
  EXPECT_EQ(out.find("tool_calls"), std::string::npos) << out;
}

TEST(AnthropicStream, ThinkingAndSignatureBecomeBlocks) {
  const std::string out = StreamOf(
      "", {R"({"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"r"}})",
           R"({"type":"content_block_delta","delta":{"type":"signature_delta","signature":"s"}})",
           kText, kStop});
  EXPECT_NE(out.find(R"("reasoning_content":"r","thinking_blocks":[{"type":"thinking","thinking":"r"}])"),
            std::string::npos) << out;
  EXPECT_NE(out.find(R"("signature":"s")"), std::string::npos) << out;
}

TEST(AnthropicStream, UsageComesFromStartAndDelta) {
  DialectAttempt attempt("anthropic", "m", Body(R"("stream":true)"));
  auto translator = attempt.Make();
  ASSERT_TRUE(translator->BuildRequest().ok());
  std::string out;
  const std::string text =
      Event(R"({"type":"message_start","message":{"model":"served","usage":{"input_tokens":9,)"
            R"("cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":1}}})") +
      Event(kText) + Event(R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},)"
                           R"("usage":{"output_tokens":7}})");
  ASSERT_TRUE(translator->Feed(text, out).ok());
  EXPECT_EQ(translator->usage().answer_model, "served");
  EXPECT_EQ(translator->usage().prompt_tokens, 14);
  EXPECT_EQ(translator->usage().completion_tokens, 7);
  EXPECT_EQ(translator->usage().cached_tokens, 3);
  EXPECT_TRUE(translator->usage().reported);
  auto end = translator->Finish(out);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->done);
  EXPECT_NE(out.find(R"("finish_reason":"length")"), std::string::npos);
}

TEST(AnthropicStream, ErrorsBeforeContentAreErrors) {
  EXPECT_TRUE(StreamOf("", {R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})"})
                  .starts_with("error 500: "));
  EXPECT_TRUE(StreamOf("", {R"({"type":"error","error":{"type":"rate_limit_error","message":"x"}})"})
                  .starts_with("error 429: "));
  EXPECT_TRUE(StreamOf("", {"{not json"}).starts_with("error 500: "));
  EXPECT_TRUE(StreamOf("", {R"({"type":"ping"})"}).starts_with("error 500: "));
}

TEST(AnthropicStream, MalformedEventBehindContentIsSkipped) {
  const std::string out = StreamOf("", {kText, "{not json", kText, kStop});
  EXPECT_TRUE(out.ends_with("data: [DONE]\n\n")) << out;
}

TEST(AnthropicStream, RefusalIsAContentFilter) {
  DialectAttempt attempt("anthropic", "m", Body(R"("stream":true)"));
  auto translator = attempt.Make();
  std::string out;
  ASSERT_TRUE(translator->Feed(Event(R"({"type":"message_delta","delta":{"stop_reason":"refusal"}})"), out).ok());
  EXPECT_TRUE(translator->content_filtered());
}

}  // namespace
}  // namespace gw::translate
