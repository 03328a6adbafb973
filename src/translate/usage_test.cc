#include "translate/usage.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/finish_reason.h"

namespace gw::translate {
namespace {

TEST(Usage, ReadsTotalsAndDetails) {
  api::Usage usage;
  ReadOpenAiUsage(R"({"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,
      "prompt_tokens_details":{"cached_tokens":5,"audio_tokens":1,"cache_creation_tokens":3,"cache_write_tokens":4},
      "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":2}})",
                  &usage);
  EXPECT_EQ(usage.prompt_tokens, 11);
  EXPECT_EQ(usage.completion_tokens, 7);
  EXPECT_EQ(usage.total_tokens, 18);
  EXPECT_EQ(usage.cached_tokens, 5);
  EXPECT_EQ(usage.cache_creation_tokens, 4);
  EXPECT_EQ(usage.prompt_audio_tokens, 1);
  EXPECT_EQ(usage.completion_audio_tokens, 2);
  EXPECT_EQ(usage.reasoning_tokens, 3);
  EXPECT_TRUE(usage.reported);
  EXPECT_FALSE(usage.estimated);
}

TEST(Usage, AnthropicsNamesCountWhereOpenAisSayNothing) {
  api::Usage usage;
  ReadOpenAiUsage(R"({"cache_read_input_tokens":6,"cache_creation_input_tokens":2,"prompt_tokens":11,
      "completion_tokens":7,"total_tokens":18})", &usage);
  EXPECT_EQ(usage.cached_tokens, 6);
  EXPECT_EQ(usage.cache_creation_tokens, 2);
  api::Usage both;
  ReadOpenAiUsage(R"({"cache_read_input_tokens":6,"prompt_tokens":11,"completion_tokens":7,
      "prompt_tokens_details":{"cached_tokens":5}})", &both);
  EXPECT_EQ(both.cached_tokens, 5);
}

TEST(Usage, TakesOnlySaneNumbers) {
  api::Usage usage;
  ReadOpenAiUsage(R"({"prompt_tokens":"11","completion_tokens":-7,"total_tokens":null,
      "prompt_tokens_details":null,"completion_tokens_details":[1]})",
                  &usage);
  EXPECT_EQ(usage.prompt_tokens, 0);
  EXPECT_EQ(usage.completion_tokens, 0);
  EXPECT_EQ(usage.total_tokens, 0);
  api::Usage none;
  ReadOpenAiUsage("null", &none);
  ReadOpenAiUsage("[]", &none);
  EXPECT_FALSE(none.reported);
}

TEST(Usage, MissingTotalIsTheSum) {
  api::Usage usage;
  ReadOpenAiUsage(R"({"prompt_tokens":2,"completion_tokens":3.0,"prompt_cache_hit_tokens":1})", &usage);
  EXPECT_EQ(usage.total_tokens, 5);
  EXPECT_EQ(usage.cached_tokens, 1);
}

TEST(Usage, EstimatesFourBytesPerToken) {
  EXPECT_EQ(EstimateTokens(0), 0);
  EXPECT_EQ(EstimateTokens(1), 1);
  EXPECT_EQ(EstimateTokens(4), 1);
  EXPECT_EQ(EstimateTokens(5), 2);
}

TEST(Usage, TextIsCountedWithoutKeysAndDataUrls) {
  EXPECT_EQ(TextBytes(R"("four")"), 4U);
  EXPECT_EQ(TextBytes(R"([1,2,3])"), 12U);
  EXPECT_EQ(TextBytes(R"(["ab",["c"]])"), 3U);
  EXPECT_EQ(TextBytes(R"([{"role":"user","content":[{"text":"abc","n":5},{"url":"data:image/png;base64,AAAA"}]}])"), 7U);
  EXPECT_EQ(TextBytes("null"), 0U);
  EXPECT_EQ(PromptBytes(R"({"model":"long name","prompt":"abc"})"), 3U);
}

TEST(Usage, WritesDetailsOnlyWhereTheySaySomething) {
  api::Usage usage;
  EstimateUsage(40, 8, &usage);
  std::string out;
  AppendUsageJson(usage, false, out);
  EXPECT_EQ(out, R"({"completion_tokens":2,"prompt_tokens":10,"total_tokens":12})");
  out.clear();
  usage.cached_tokens = 3;
  usage.reasoning_tokens = 1;
  AppendUsageJson(usage, true, out);
  EXPECT_EQ(out,
            R"({"completion_tokens":2,"prompt_tokens":10,"total_tokens":12,"completion_tokens_details":)"
            R"({"reasoning_tokens":1,"text_tokens":1},"prompt_tokens_details":{"cached_tokens":3}})");
}

TEST(FinishReason, IsOneOfFive) {
  const std::pair<const char*, const char*> cases[] = {
      {"stop", "stop"}, {"length", "length"}, {"max_tokens", "length"}, {"tool_use", "tool_calls"},
      {"function_call", "function_call"}, {"SAFETY", "content_filter"}, {"IMAGE_SAFETY", "content_filter"},
      {"eos", "stop"}, {"", "stop"}, {"whatever", "stop"},
  };
  for (const auto& [upstream, normal] : cases) {
    EXPECT_EQ(NormalFinishReason(upstream), normal);
    EXPECT_EQ(QuotedFinishReason(NormalFinishReason(upstream)), '"' + std::string(normal) + '"');
  }
}

}  // namespace
}  // namespace gw::translate
