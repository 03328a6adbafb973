#include "translate/messages_over_chat.h"

#include <gtest/gtest.h>

#include "translate/dialect_test_support.h"
#include "translate/messages_encoder.h"
#include "translate/messages_request.h"

namespace gw::translate {
namespace {

struct RequestCase {
  std::string_view client;  // members beside the outer braces
  std::string_view chat;
};

class MessagesRequestTest : public testing::TestWithParam<RequestCase> {};

TEST_P(MessagesRequestTest, BecomesAChatBody) {
  const std::string got = MessagesToChatBody("{" + std::string(GetParam().client) + "}");
  EXPECT_EQ(got, "{" + std::string(GetParam().chat) + "}");
  EXPECT_EQ(json::ValidateUnpadded(got), nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MessagesRequestTest,
    testing::Values(
        RequestCase{R"("model":"m","max_tokens":1,"messages":[])",
                    R"("messages":[],"model":"m","max_tokens":1)"},
        RequestCase{R"("system":[{"type":"text","text":"a","cache_control":{}}],"messages":[])",
                    R"("messages":[{"role":"system","content":[{"type":"text","text":"a"}]}])"},
        RequestCase{
            R"("messages":[{"role":"user","content":[{"type":"text","text":"t"},
             {"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"a"},
              {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},
             {"type":"tool_result","tool_use_id":"2"}]}])",
            R"("messages":[{"role":"tool","tool_call_id":"1","content":"a"},)"
            R"({"role":"tool","tool_call_id":"2","content":""},)"
            R"({"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url",)"
            R"("image_url":{"url":"data:image/png;base64,AA"}}]}])"},
        RequestCase{
            R"("messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"r"},
             {"type":"text","text":"x"},{"type":"tool_use","id":"1","name":"f","input":{"a":"b"}}]}])",
            R"("messages":[{"role":"assistant","content":"x","tool_calls":[{"id":"1",)"
            R"("type":"function","function":{"name":"f","arguments":"{\"a\":\"b\"}"}}]}])"},
        RequestCase{
            R"("tools":[{"name":"f","input_schema":{}},{"type":"web_search_20250305","name":"w"}],
             "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true})",
            R"("messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],)"
            R"("tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false)"},
        RequestCase{R"("tool_choice":{"type":"any"},"stop_sequences":["x"],"metadata":{"user_id":"u"})",
                    R"("messages":[],"tool_choice":"required","stop":["x"],"user":"u")"},
        RequestCase{R"("thinking":{"type":"enabled","budget_tokens":1024})",
                    R"("messages":[],"reasoning_effort":"low")"},
        RequestCase{R"("thinking":{"type":"enabled","budget_tokens":2048})",
                    R"("messages":[],"reasoning_effort":"medium")"},
        RequestCase{R"("thinking":{"type":"enabled","budget_tokens":10000})",
                    R"("messages":[],"reasoning_effort":"high")"},
        RequestCase{R"("thinking":{"type":"disabled"},"output_format":{"type":"json_schema","schema":{}})",
                    R"("messages":[],"response_format":{"type":"json_schema","json_schema":)"
                    R"({"name":"answer","schema":{}}})"}));

constexpr std::string_view kClient =
    R"({"model":"m","max_tokens":9,"thinking":{"type":"enabled","budget_tokens":2000},)"
    R"("messages":[{"role":"user","content":"hi"}])";

std::string Client(std::string_view members) {
  return std::string(kClient) + std::string(members) + "}";
}

TEST(MessagesOverChat, UnsupportedParametersAreDroppedSilently) {
  DialectAttempt attempt("ollama_chat", "m",
                         Client(R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})"),
                         api::Endpoint::kMessages);
  EXPECT_EQ(attempt.UpstreamMember("think"), "true");
  EXPECT_EQ(attempt.UpstreamMember("options"), R"({"num_predict":9})");
}

TEST(MessagesOverChat, SplicesItsOwnBodyNotTheClients) {
  DialectAttempt attempt("openai", "gpt", R"({"max_tokens":9,"model":"m","messages":[{"role":"user","content":"hi"}]})",
                         api::Endpoint::kMessages);
  EXPECT_EQ(attempt.UpstreamMember("model"), R"("gpt")");
  EXPECT_EQ(attempt.UpstreamMember("messages"), R"([{"role":"user","content":"hi"}])");
}

TEST(MessagesOverChat, AnswerHoldsThinkingTextAndTools) {
  DialectAttempt attempt("ollama_chat", "m", Client(""), api::Endpoint::kMessages);
  EXPECT_EQ(attempt.Answer(R"({"message":{"content":"c","thinking":"r","tool_calls":[{"id":"1",)"
                           R"("function":{"name":"f","arguments":{"a":1}}}]},"done":true,)"
                           R"("prompt_eval_count":3,"eval_count":4})"),
            R"({"id":"chatcmpl-made","type":"message","role":"assistant","model":"shown","content":[)"
            R"({"type":"thinking","thinking":"r","signature":""},{"type":"text","text":"c"},)"
            R"({"type":"tool_use","id":"1","name":"f","input":{"a":1}}],"stop_reason":"tool_use",)"
            R"("stop_sequence":null,"stop_details":null,"usage":{"input_tokens":3,"output_tokens":4}})");
}

TEST(MessagesOverChat, ErrorBehindContentIsAnEventWithoutDone) {
  DialectAttempt attempt("ollama_chat", "m", Client(R"(,"stream":true)"), api::Endpoint::kMessages);
  const std::string out = attempt.Stream({"{\"message\":{\"content\":\"a\"}}\n{\"error\":\"boom\"}\n"});
  EXPECT_NE(out.find("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                     "\"invalid_request_error\",\"message\":"), std::string::npos) << out;
  EXPECT_EQ(out.find("[DONE]"), std::string::npos);
}

TEST(MessagesOverChat, BlocksOpenAndCloseAsKindsChange) {
  DialectAttempt attempt("ollama_chat", "m", Client(R"(,"stream":true)"), api::Endpoint::kMessages);
  const std::string out = attempt.Stream(
      {"{\"message\":{\"thinking\":\"r\"}}\n{\"message\":{\"content\":\"c\"}}\n"
       "{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":{}}},"
       "{\"id\":\"2\",\"function\":{\"name\":\"g\",\"arguments\":{}}}]}}\n{\"done\":true}\n"});
  std::string order;
  for (size_t at = 0; (at = out.find("event: ", at)) != std::string::npos; at += 7) {
    const std::string name = out.substr(at + 7, out.find('\n', at) - at - 7);
    order += name == "content_block_start" ? "<" : name == "content_block_stop" ? ">"
             : name == "content_block_delta" ? "." : "|";
  }
  EXPECT_EQ(order, "|<.><.><.><.>||") << out;
  EXPECT_NE(out.find(R"("id":"msg_made")"), std::string::npos);
}

TEST(MessagesEncoder, StopReasons) {
  EXPECT_EQ(StopReasonOf("stop"), "end_turn");
  EXPECT_EQ(StopReasonOf("length"), "max_tokens");
  EXPECT_EQ(StopReasonOf("tool_calls"), "tool_use");
  EXPECT_EQ(StopReasonOf("content_filter"), "refusal");
}

TEST(MessagesNative, OrdersLeaveAndEverythingElseStaysAsItIs) {
  DialectAttempt attempt("anthropic", "up",
                         R"({ "metadata":{"user_id":"u"}, "num_retries":1,"mod\u0065l" : "m", )"
                         R"("max_tokens": 5,"x":1.50, "model":"n","messages":[ ]})",
                         api::Endpoint::kMessages);
  attempt.deployment.default_params = {{"top_k", 3}, {"max_tokens", 7}};
  EXPECT_EQ(attempt.UpstreamBody(),
            R"({ "metadata":{"user_id":"u"},"mod\u0065l" : "up", )"
            R"("max_tokens": 5,"x":1.50, "model":"up","messages":[ ],"top_k":3})");
}

TEST(MessagesNative, OverridesReplaceMembers) {
  DialectAttempt attempt("anthropic", "up", R"({"model":"m","max_tokens":5,"messages":[]})",
                         api::Endpoint::kMessages);
  attempt.overrides = {{"model", "z"}, {"max_tokens", 9}};
  attempt.request.overrides = &attempt.overrides;
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"up","messages":[],"max_tokens":9})");
}

TEST(MessagesNative, ModelIsTheOnlyChangeOfAnAnswer) {
  DialectAttempt attempt("anthropic", "up", R"({"model":"m","max_tokens":5,"messages":[]})",
                         api::Endpoint::kMessages);
  EXPECT_EQ(attempt.Answer(R"({"content":[{"model":"x"}], "model" : "up","usage":{"input_tokens":1.0}})"),
            R"({"content":[{"model":"x"}], "model" : "shown","usage":{"input_tokens":1.0}})");
  EXPECT_TRUE(attempt.Answer("{").starts_with("error 500: "));
  EXPECT_TRUE(attempt.Answer(R"({"type":"error","error":{"type":"api_error","message":"x"}})")
                  .starts_with("error 500: "));
}

TEST(MessagesNative, ModelThatMaySetThePriceIsKept) {
  DialectAttempt attempt("anthropic", "up", R"({"model":"m","max_tokens":5,"stream":true})",
                         api::Endpoint::kMessages);
  auto translator = attempt.Make();
  std::string out;
  ASSERT_TRUE(translator->Feed(
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"served\"}}\n\n", out));
  EXPECT_EQ(translator->usage().answer_model, "served");
}

TEST(MessagesNative, StreamErrorsKeepTheSchema) {
  DialectAttempt attempt("anthropic", "up", R"({"model":"m","max_tokens":5,"stream":true})",
                         api::Endpoint::kMessages);
  const std::string failed =
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
  EXPECT_TRUE(attempt.Stream({failed}).starts_with("error 500: "));
  const std::string out = attempt.Stream(
      {"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n" + failed});
  EXPECT_NE(out.find("event: error\n"), std::string::npos);
  EXPECT_EQ(out.find("[DONE]"), std::string::npos);
}

}  // namespace
}  // namespace gw::translate
