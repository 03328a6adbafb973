// What does one event cost a worker, and what does a scrape cost?
// Target: a successful request (about 20 families) in at most 0.5 us.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "metrics/litellm_metrics.h"

namespace gw::metrics {
namespace {

LitellmMetricsOptions Options() {
  LitellmMetricsOptions options;
  options.registry.workers = 8;
  return options;
}

SuccessRecord Success() {
  SuccessRecord record;
  record.caller.hashed_api_key = "250fde4203a9f7eeb9d7ebc4953dcb64d9ad7bd2a18775b38ef6e037aed22a09";
  record.caller.user = "default_user_id";
  record.caller.client_ip = "10.20.30.40";
  record.caller.user_agent = "OpenAI/Python 1.51.0";
  record.deployment = {"gpt-4o-mini", "gpt-4o-mini", "deployment-1", "https://api.openai.com/v1",
                       "openai"};
  record.requested_model = "gpt-4o-mini";
  record.route = "/v1/chat/completions";
  record.queue_time_s = 0.0001;
  record.total_s = 0.8;
  record.llm_api_s = 0.79;
  record.overhead_s = 0.0004;
  record.attempt_s = 0.79;
  record.spend_usd = 4.2e-6;
  record.prompt_tokens = 10;
  record.completion_tokens = 5;
  record.total_tokens = 15;
  record.cached_tokens = 4;
  record.remaining_requests = 99;
  record.remaining_tokens = 9999;
  return record;
}

void BM_OnSuccess(benchmark::State& state) {
  LitellmMetrics metrics(Options(), {});
  const SuccessRecord record = Success();
  for (auto _ : state) metrics.OnSuccess(0, record);
}
BENCHMARK(BM_OnSuccess);

// Many keys in turn: the cache's own misses in the processor show.
void BM_OnSuccessManyKeys(benchmark::State& state) {
  LitellmMetrics metrics(Options(), {});
  SuccessRecord record = Success();
  std::vector<std::string> keys;
  for (int64_t i = 0; i < state.range(0); ++i) {
    keys.push_back(std::string(record.caller.hashed_api_key) + std::to_string(i));
  }
  size_t next = 0;
  for (auto _ : state) {
    record.caller.hashed_api_key = keys[next];
    next = next + 1 == keys.size() ? 0 : next + 1;
    metrics.OnSuccess(0, record);
  }
}
BENCHMARK(BM_OnSuccessManyKeys)->Arg(100)->Arg(1000);

void BM_OnClientFailure(benchmark::State& state) {
  LitellmMetrics metrics(Options(), {});
  ClientFailureRecord record;
  record.caller = Success().caller;
  record.requested_model = "gpt-4o-mini";
  record.route = "/v1/chat/completions";
  record.status = 429;
  record.exception_class = "Openai.RateLimitError";
  for (auto _ : state) metrics.OnClientFailure(0, record);
}
BENCHMARK(BM_OnClientFailure);

void BM_OnAttempt(benchmark::State& state) {
  LitellmMetrics metrics(Options(), {});
  const AttemptRecord record = {Success().deployment, "success"};
  for (auto _ : state) metrics.OnAttempt(0, record);
}
BENCHMARK(BM_OnAttempt);

// Lines of a scrape: 100,000 counter series, or 5,000 histogram series of 20 lines.
void BM_Render(benchmark::State& state) {
  const bool is_histogram = state.range(0) != 0;
  Registry registry({.workers = 8, .series_per_family_max = 200'000, .created_series = false});
  Family* family = registry.Add({"family", "Help", is_histogram ? Type::kHistogram : Type::kCounter,
                                 {"key", "model"},
                                 std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
                                                     1, 2, 3, 4, 5, 6, 7, 8}});
  for (int i = 0; i < (is_histogram ? 5'000 : 100'000); ++i) {
    const std::string key = std::to_string(i);
    Series* series = family->With(std::array<std::string_view, 2>{key, "gpt-4o-mini"});
    if (is_histogram) {
      series->Observe(0, 0.35);
    } else {
      series->Add(0, 1.5);
    }
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    registry.Render(ExpositionFormat::kText004, {}, out);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * out.size()));
}
BENCHMARK(BM_Render)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gw::metrics

BENCHMARK_MAIN();
