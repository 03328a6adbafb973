// Do pieces become the answer that the client would have got whole?
#include "telemetry/stream_answer.h"

#include <gtest/gtest.h>

namespace gw::telemetry {
namespace {

std::string Assembled(api::Endpoint endpoint, std::string_view sse, const api::Usage& usage = {}) {
  return json::Serialize(AssembleStream(endpoint, sse, usage));
}

TEST(StreamAnswer, ChatWithToolCallsAndReasoning) {
  constexpr std::string_view kSse =
      "data: {\"id\":\"c\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
      "\"reasoning_content\":\"think\"}}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\r\n\r\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call\",\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
      "\":1}\"}}]}}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\n"
      "data: [DONE]\n\n";
  EXPECT_EQ(Assembled(api::Endpoint::kChat, kSse),
            R"({"id":"c","created":1,"model":"m","usage":{"total_tokens":7},"object":"chat.completion","choices":[)"
            R"({"finish_reason":"tool_calls","index":0,"message":{"role":"assistant","reasoning_content":"think",)"
            R"("content":"Hello","tool_calls":[{"id":"call","type":"function","function":{"arguments":"{\"a\":1}",)"
            R"("name":"f"}}],"function_call":null}}]})");
}

TEST(StreamAnswer, TextCompletionAndItsUsage) {
  api::Usage usage;
  usage.prompt_tokens = 1;
  usage.completion_tokens = 2;
  usage.total_tokens = 3;
  const std::string text = Assembled(api::Endpoint::kCompletions,
                                     "data: {\"id\":\"t\",\"choices\":[{\"index\":0,\"text\":\"a\"}]}\n\n"
                                     "data: {\"id\":\"t\",\"choices\":[{\"index\":0,\"text\":\"b\",\"finish_reason\":"
                                     "\"stop\"}]}\n\ndata: [DONE]\n\n",
                                     usage);
  EXPECT_NE(text.find(R"("text":"ab")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("total_tokens":3)"), std::string::npos) << "the client had not asked for usage";
}

TEST(StreamAnswer, AnthropicBlocks) {
  constexpr std::string_view kSse =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg\",\"role\":\"assistant\","
      "\"content\":[],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n"
      "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
      "\"text\":\"\"}}\n\n"
      "event: ping\ndata: {\"type\":\"ping\"}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
      "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":"
      "\"f\",\"input\":{}}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
      "\"{\\\"a\\\":\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
      "\"1}\"}}\n\n"
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}\n\n";
  EXPECT_EQ(Assembled(api::Endpoint::kMessages, kSse),
            R"({"id":"msg","role":"assistant","content":[{"type":"text","text":"Hi"},{"type":"tool_use","id":"t",)"
            R"("name":"f","input":{"a":1}}],"usage":{"input_tokens":3,"output_tokens":9},"stop_reason":"tool_use"})");
}

TEST(StreamAnswer, WhatIsCutOrForeignGivesWhatThereIs) {
  EXPECT_EQ(Assembled(api::Endpoint::kChat, ""), "null");
  EXPECT_EQ(Assembled(api::Endpoint::kChat, "data: [DONE]\n\n"), "null");
  EXPECT_EQ(Assembled(api::Endpoint::kChat, "data: {\"choices\":7}\n\ndata: [1]\n\ndata: {"), "null");
  const std::string half = Assembled(
      api::Endpoint::kChat,
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}, 5]}\n\ndata: {\"id\":\"c\",\"cho");
  EXPECT_NE(half.find(R"("content":"Hel")"), std::string::npos) << half;
  EXPECT_EQ(Assembled(api::Endpoint::kMessages, "data: {\"type\":\"content_block_delta\",\"index\":4}\n\n"), "null");
}

}  // namespace
}  // namespace gw::telemetry
