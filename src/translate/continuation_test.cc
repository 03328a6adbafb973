#include "translate/continuation.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/json_tree.h"

namespace gw::translate {
namespace {

std::string Chunk(std::string_view id, std::string_view delta, std::string_view finish = "null") {
  return std::string("data: {\"id\":\"") + std::string(id) + "\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\"," +
         "\"choices\":[{\"index\":0,\"delta\":" + std::string(delta) + ",\"finish_reason\":" + std::string(finish) + "}]}\n\n";
}

struct Fixture {
  explicit Fixture(std::string text, api::Endpoint endpoint = api::Endpoint::kChat) : body(std::move(text)) {
    body.reserve(body.size() + json::kPadding);
    request.endpoint = endpoint;
    request.body = body;
    request.stream = true;
    row.provider = "hosted_vllm";
    row.row = config::FindProvider("hosted_vllm");
  }
  std::string body;
  ClientRequest request;
  config::Deployment row;
};

constexpr std::string_view kChat = R"({"model":"g","messages":[{"role":"user","content":"hi"}],"max_tokens":50,"stream":true})";

TEST(Continuation, TextBecomesTheLastMessageAndTheLimitShrinks) {
  Fixture f{std::string(kChat)};
  Continuation c(f.request);
  c.Note(Chunk("a", R"({"role":"assistant","content":""})") + Chunk("a", R"({"content":"one \"two\""})"));
  ASSERT_TRUE(c.IsPossible());
  EXPECT_EQ(c.text(), "one \"two\"");
  const auto body = c.NextBody(f.row, 8);
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, R"({"model":"g","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"one \"two\""}],)"
                   R"("max_tokens":42,"stream":true,"continue_final_message":true,"add_generation_prompt":false})");
  EXPECT_EQ(json::ValidateUnpadded(*body), nullptr);
}

TEST(Continuation, LimitNeverFallsBelowOne) {
  Fixture f{std::string(kChat)};
  Continuation c(f.request);
  c.Note(Chunk("a", R"({"content":"x"})"));
  EXPECT_NE(c.NextBody(f.row, 500)->find("\"max_tokens\":1,"), std::string::npos);
}

TEST(Continuation, LaterEventsCarryTheFirstIdAndNoSecondRole) {
  Fixture f{std::string(kChat)};
  Continuation c(f.request);
  c.Note(Chunk("first", R"({"role":"assistant","content":"a"})"));
  std::string events = Chunk("second", R"({"role":"assistant","content":"b"})") + "data: [DONE]\n\n";
  c.Rewrite(events);
  EXPECT_EQ(events, Chunk("first", R"({"content":"b"})") + "data: [DONE]\n\n");
  EXPECT_EQ(c.text(), "ab");
}

TEST(Continuation, OnlyPlainUnfinishedTextIsContinued) {
  const std::vector<std::string> refused = {
      Chunk("a", R"({"role":"assistant"})"),                                     // no text yet
      Chunk("a", R"({"content":"x"})", "\"stop\""),                              // complete
      Chunk("a", R"({"content":"x","tool_calls":[{"index":0}]})"),
      Chunk("a", R"({"content":"x","reasoning_content":"hm"})"),
      "data: {\"id\":\"a\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\n",
  };
  for (const std::string& events : refused) {
    Fixture f{std::string(kChat)};
    Continuation c(f.request);
    c.Note(events);
    EXPECT_FALSE(c.IsPossible()) << events;
  }
  Fixture several{R"({"model":"g","n":2,"messages":[]})"};
  Continuation c(several.request);
  c.Note(Chunk("a", R"({"content":"x"})"));
  EXPECT_FALSE(c.IsPossible());
}

TEST(Continuation, CompletionsAppendToThePrompt) {
  Fixture f{R"({"model":"g","prompt":"Once \u0075pon","stream":true})", api::Endpoint::kCompletions};
  Continuation c(f.request);
  c.Note("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":\" a time\\n\"}]}\n\n");
  f.row.provider = "openai";
  ASSERT_TRUE(c.IsPossible());
  EXPECT_TRUE(c.CanContinueAt(f.row));
  EXPECT_EQ(*c.NextBody(f.row, 0), R"({"model":"g","prompt":"Once \u0075pon a time\n","stream":true})");
  Fixture list{R"({"model":"g","prompt":["a"]})", api::Endpoint::kCompletions};
  Continuation no(list.request);
  no.Note("data: {\"choices\":[{\"index\":0,\"text\":\"x\"}]}\n\n");
  EXPECT_FALSE(no.NextBody(f.row, 0));
}

TEST(Continuation, ChatGoesOnOnlyWhereAPrefillIsUnderstood) {
  Fixture f{std::string(kChat)};
  Continuation c(f.request);
  EXPECT_TRUE(c.CanContinueAt(f.row));
  f.row.provider = "openai";
  f.row.row = config::FindProvider("openai");
  EXPECT_FALSE(c.CanContinueAt(f.row));
  f.row.model_info["supports_assistant_prefill"] = true;
  EXPECT_TRUE(c.CanContinueAt(f.row));
  f.row.model_info.clear();
  f.row.row = config::FindProvider("ollama_chat");
  EXPECT_TRUE(c.CanContinueAt(f.row));
}

}  // namespace
}  // namespace gw::translate
