#include "translate/openai_answer.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/openai_test_support.h"

namespace gw::translate {
namespace {

struct AnswerCase {
  const char* name;
  const char* upstream;
  const char* client;
};

constexpr const char* kRequest = R"({"model":"g","messages":[{"role":"user","content":"12345678"}]})";

TEST(OpenAiAnswer, SplicesChat) {
  const AnswerCase cases[] = {
      {"Whole",
       R"({"id":"i","object":"chat.completion","created":5,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"x":{"y":[1]}})",
       R"({"id":"i","object":"chat.completion","created":5,"model":"shown","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"x":{"y":[1]}})"},
      {"FinishNormalised",
       R"({"id":"i","object":"o","created":5,"model":"up","choices":[{"message":{"role":"assistant","content":""},"finish_reason":"eos"},{"message":{"role":"assistant"},"finish_reason":null},{"message":{"role":"assistant"}}],"usage":{}})",
       R"({"id":"i","object":"o","created":5,"model":"shown","choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"},{"message":{"role":"assistant"},"finish_reason":"stop"},{"finish_reason":"stop","message":{"role":"assistant"}}],"usage":{}})"},
      {"ReasoningRenamed",
       R"({"id":"i","object":"o","created":5,"model":"up","choices":[{"finish_reason":"stop","message":{"role":"assistant","reasoning":"r","content":"a"}},{"finish_reason":"stop","message":{"role":"assistant","reasoning":"r","reasoning_content":"r"}}],"usage":{}})",
       R"({"id":"i","object":"o","created":5,"model":"shown","choices":[{"finish_reason":"stop","message":{"role":"assistant","reasoning_content":"r","content":"a"}},{"finish_reason":"stop","message":{"role":"assistant","reasoning":"r","reasoning_content":"r"}}],"usage":{}})"},
      {"ThinkingSplitOff",
       R"({"id":"i","object":"o","created":5,"model":"up","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"<think>a\n\"b\"</think>\\c"}}],"usage":{}})",
       R"({"id":"i","object":"o","created":5,"model":"shown","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"\\c","reasoning_content":"a\n\"b\""}}],"usage":{}})"},
      {"ThinkingWithoutEndStays",
       R"({"id":"i","object":"o","created":5,"model":"up","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"<think>a"}}],"usage":{}})",
       R"({"id":"i","object":"o","created":5,"model":"shown","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"<think>a"}}],"usage":{}})"},
      {"MissingPartsFilledIn", R"({"choices":[{"finish_reason":"length","message":{"content":"abcdefgh"}}],"usage":null})",
       R"({"choices":[{"finish_reason":"length","message":{"role":"assistant","content":"abcdefgh"}}],"id":"chatcmpl-made","object":"chat.completion","created":1700000001,"model":"shown","usage":{"completion_tokens":2,"prompt_tokens":3,"total_tokens":5}})"},
      {"NoChoices", R"({"id":"i","object":"chat.completion","model":"up","choices":[]})",
       R"({"id":"i","object":"chat.completion","model":"shown","choices":[],"created":1700000001,"usage":{"completion_tokens":0,"prompt_tokens":3,"total_tokens":3}})"},
      {"ModelSpelledWithEscapes", R"({"id":"i","object":"o","created":1,"m\u006fdel":"up","model":"up","choices":[],"usage":{}})",
       R"({"id":"i","object":"o","created":1,"m\u006fdel":"shown","model":"shown","choices":[],"usage":{}})"},
  };
  for (const AnswerCase& c : cases) {
    const std::string answer = Attempt("openai", "up", kRequest).Answer(c.upstream);
    EXPECT_EQ(answer, c.client) << c.name;
    EXPECT_EQ(json::ValidateUnpadded(answer), nullptr) << c.name;
  }
}

TEST(OpenAiAnswer, WhatIsNoAnswer) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer is empty."},
      {" \n", "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer is empty."},
      {R"({"id": "x", "choices": [{"index")",
       "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer is not JSON."},
      {"[]", "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer is not a JSON object."},
      {"{}", "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer has no choices."},
      {R"({"choices":{}})", "error: litellm.InternalServerError: InternalServerError: OpenAIException - The answer has no choices."},
      {R"({"error":{"message":"boom","code":429}})", "error: litellm.RateLimitError: RateLimitError: OpenAIException - boom"},
      {R"({"error":{"message":"boom"}})", "error: litellm.InternalServerError: InternalServerError: OpenAIException - boom"},
  };
  for (const auto& [upstream, client] : cases)
    EXPECT_EQ(Attempt("openai", "up", kRequest).Answer(upstream), client);
}

TEST(OpenAiAnswer, UsageAndFilterAreReported) {
  Attempt attempt("openai", "up", kRequest);
  const auto translator = attempt.Make();
  std::string body = R"({"service_tier":"flex","choices":[{"finish_reason":"SAFETY","message":{}}],"usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5}})";
  body.reserve(body.size() + json::kPadding);
  ASSERT_TRUE(translator->TranslateBody(body));
  EXPECT_TRUE(translator->usage().reported);
  EXPECT_EQ(translator->usage().total_tokens, 5);
  EXPECT_EQ(translator->usage().service_tier, "flex");
  EXPECT_TRUE(translator->content_filtered());
}

TEST(OpenAiAnswer, ModelThatMaySetThePriceIsKept) {
  Attempt attempt("openai", "up", kRequest);
  const auto model = [&attempt](std::string_view member) {
    const auto translator = attempt.Make();
    std::string body = "{" + std::string(member) + R"("choices":[],"usage":{}})";
    body.reserve(body.size() + json::kPadding);
    EXPECT_TRUE(translator->TranslateBody(body)) << body;
    return translator->usage().answer_model;
  };
  EXPECT_EQ(model(R"("model":"up-2030-01-02",)"), "up-2030-01-02");
  EXPECT_EQ(model(R"("model":"up",)"), "");  // the row's own
  EXPECT_EQ(model(R"("model":7,)"), "");
  EXPECT_EQ(model(""), "");
  attempt.deployment.base_model = "unknown";
  EXPECT_EQ(model(R"("model":"other",)"), "other");
  attempt.deployment.facts_of_base_model = true;
  EXPECT_EQ(model(R"("model":"other",)"), "");
  attempt.deployment.facts_of_base_model = false;
  attempt.deployment.has_custom_price = true;
  EXPECT_EQ(model(R"("model":"other",)"), "");
}

TEST(OpenAiAnswer, Embeddings) {
  const Attempt attempt("openai", "up", R"({"model":"g","input":["abcd","efgh"]})", api::Endpoint::kEmbeddings);
  EXPECT_EQ(attempt.Answer(R"({"object":"list","model":"up","data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":9,"total_tokens":9}})"),
            R"({"object":"list","model":"shown","data":[{"embedding":[0.5]}],"usage":{"completion_tokens":0,"prompt_tokens":9,"total_tokens":9}})");
  EXPECT_EQ(attempt.Answer(R"({"data":[]})"),
            R"({"data":[],"object":"list","model":"shown","usage":{"completion_tokens":0,"prompt_tokens":2,"total_tokens":2}})");
  EXPECT_TRUE(attempt.Answer(R"({"object":"list"})").starts_with("error: litellm.InternalServerError: "));
}

TEST(OpenAiAnswer, TextCompletion) {
  const Attempt attempt("text-completion-openai", "up", R"({"model":"g","prompt":"abcd"})", api::Endpoint::kCompletions);
  EXPECT_EQ(attempt.Answer(R"({"id":"c","created":1,"model":"up","choices":[{"text":"abcdefgh","index":0,"finish_reason":"stop"}]})"),
            R"({"id":"c","created":1,"model":"shown","choices":[{"text":"abcdefgh","index":0,"finish_reason":"stop"}],"object":"text_completion","usage":{"completion_tokens":2,"prompt_tokens":1,"total_tokens":3}})");
}

}  // namespace
}  // namespace gw::translate
