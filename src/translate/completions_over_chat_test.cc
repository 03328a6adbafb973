#include "translate/completions_over_chat.h"

#include <gtest/gtest.h>

#include "translate/dialect_test_support.h"

namespace gw::translate {
namespace {

TEST(CompletionsOverChat, PromptBecomesAMessage) {
  DialectAttempt attempt("ollama_chat", "m",
                         R"({"model":"m","prompt":["Once"],"max_tokens":3,"echo":true,"logprobs":2})",
                         api::Endpoint::kCompletions);
  EXPECT_EQ(attempt.UpstreamBody(),
            R"({"model":"m","messages":[{"role":"user","content":"Once","images":[]}],)"
            R"("options":{"num_predict":3},"stream":false})");
}

TEST(CompletionsOverChat, GenerateGetsThePromptAsItIs) {
  DialectAttempt attempt("ollama", "m", R"({"model":"m","prompt":"Once\n"})",
                         api::Endpoint::kCompletions);
  EXPECT_EQ(attempt.UpstreamBody(),
            R"({"model":"m","prompt":"Once\n","images":[],"options":{},"stream":false})");
}

TEST(CompletionsOverChat, TokensAndSeveralPromptsAreRefused) {
  for (const std::string_view prompt : {"[1,2]", R"(["a","b"])", "[[1]]", "null"}) {
    DialectAttempt attempt("ollama_chat", "m", R"({"prompt":)" + std::string(prompt) + "}",
                           api::Endpoint::kCompletions);
    EXPECT_TRUE(attempt.UpstreamBody().starts_with("error 400: ")) << prompt;
  }
}

TEST(CompletionsOverChat, StreamIsTheSameAtEveryCut) {
  DialectAttempt attempt("ollama", "m",
                         R"({"prompt":"x","stream":true,"stream_options":{"include_usage":true}})",
                         api::Endpoint::kCompletions);
  const std::string upstream =
      "{\"response\":\"a\",\"done\":false}\n"
      "{\"response\":\"b\",\"done\":true,\"done_reason\":\"length\",\"prompt_eval_count\":1,\"eval_count\":2}\n";
  const std::string head =
      R"(data: {"id":"chatcmpl-made","object":"text_completion","created":1700000001,"model":"shown","choices":[)";
  const std::string want =
      head + R"({"index":0,"text":"a"}]})" "\n\n" + head + R"({"index":0,"text":"b"}]})" "\n\n" +
      head + R"({"finish_reason":"length","index":0,"text":""}]})" "\n\n" + head +
      R"(],"usage":{"completion_tokens":2,"prompt_tokens":1,"total_tokens":3,)"
      R"("completion_tokens_details":{"reasoning_tokens":0,"text_tokens":2}}})" "\n\n" +
      "data: [DONE]\n\n";
  const std::string_view all = upstream;
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    ASSERT_EQ(attempt.Stream({all.substr(0, cut), all.substr(cut)}), want) << cut;
  }
}

TEST(CompletionsOverChat, StreamErrorIsTheOpenAiOne) {
  DialectAttempt attempt("ollama", "m", R"({"prompt":"x","stream":true})",
                         api::Endpoint::kCompletions);
  auto translator = attempt.Make();
  std::string out;
  translator->AppendStreamError(Error{}, out);
  EXPECT_TRUE(out.ends_with("data: [DONE]\n\n"));
}

}  // namespace
}  // namespace gw::translate
