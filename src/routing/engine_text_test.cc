#include "routing/engine_text.h"

#include <gtest/gtest.h>

#include <string>

namespace gw::routing {
namespace {

constexpr std::string_view kVllm = R"(# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 12.0
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.42
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.0e+06
vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="27000",swap="None"} 1.0
)";

TEST(EngineText, Vllm) {
  const auto sample = ParseEngineText(kVllm, "m");
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->waiting, 3);
  EXPECT_EQ(sample->running, 12);
  EXPECT_DOUBLE_EQ(sample->kv_usage, 0.42);
  EXPECT_EQ(sample->kv_tokens, 16 * 27'000);
}

TEST(EngineText, OlderVllmSglangAndLlamaCpp) {
  const auto old = ParseEngineText("vllm:num_requests_running 1\nvllm:gpu_cache_usage_perc 0.5\n", "");
  ASSERT_TRUE(old.has_value());
  EXPECT_DOUBLE_EQ(old->kv_usage, 0.5);
  const auto sglang = ParseEngineText(
      "sglang:num_running_reqs{model_name=\"m\"} 7\r\nsglang:num_queue_reqs{model_name=\"m\"} 2\r\n"
      "sglang:token_usage{model_name=\"m\"} 0.28\r\nsglang:max_total_num_tokens{model_name=\"m\"} 90000\r\n", "m");
  ASSERT_TRUE(sglang.has_value());
  EXPECT_EQ(sglang->running, 7);
  EXPECT_EQ(sglang->waiting, 2);
  EXPECT_DOUBLE_EQ(sglang->kv_usage, 0.28);
  EXPECT_EQ(sglang->kv_tokens, 90'000);
  const auto llama = ParseEngineText("llamacpp:requests_processing 1\nllamacpp:requests_deferred 4", "x");
  ASSERT_TRUE(llama.has_value());
  EXPECT_EQ(llama->running, 1);
  EXPECT_EQ(llama->waiting, 4);
}

TEST(EngineText, OwnModelCountsElseAll) {
  constexpr std::string_view text =
      "vllm:num_requests_running{model_name=\"a\"} 5\nvllm:num_requests_running{model_name=\"b\"} 2\n";
  EXPECT_EQ(ParseEngineText(text, "a")->running, 5);
  EXPECT_EQ(ParseEngineText(text, "b")->running, 2);
  EXPECT_EQ(ParseEngineText(text, "lora-adapter")->running, 7);
}

TEST(EngineText, RanksBehindOneAddressAreAddedUp) {
  constexpr std::string_view text =
      "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 1\n"
      "vllm:num_requests_waiting{engine=\"1\",model_name=\"m\"} 2\n"
      "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.1\n"
      "vllm:kv_cache_usage_perc{engine=\"1\",model_name=\"m\"} 0.7\n";
  const auto sample = ParseEngineText(text, "m");
  EXPECT_EQ(sample->waiting, 3);
  EXPECT_DOUBLE_EQ(sample->kv_usage, 0.7);
}

TEST(EngineText, QuotesBracesAndEscapesInLabels) {
  const auto sample = ParseEngineText(R"(vllm:num_requests_running{x="}\"} 9",model_name="m"} 4 1700000000)", "m");
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->running, 4);
}

TEST(EngineText, ForeignTextIsNothing) {
  for (const std::string_view text :
       {"", "\n\n", "<html>404</html>", "vllm:num_requests_running", "vllm:num_requests_running{",
        "vllm:num_requests_running{} x",
        "vllm:num_requests_running NaN", "vllm:num_requests_running -1", "vllm:num_requests_running +Inf",
        "vllm:num_requests_runnings 3", "vllm:kv_cache_usage_perc 0.5", "process_cpu_seconds_total 1\n"}) {
    EXPECT_FALSE(ParseEngineText(text, "m").has_value()) << text;
  }
  EXPECT_EQ(ParseEngineText("llamacpp:requests_processing 1\nllamacpp:kv_cache_usage_ratio 7", "")->kv_usage, 1);
}

}  // namespace
}  // namespace gw::routing
