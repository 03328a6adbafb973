// What does one event cost a worker, and what does a scrape cost?
// Target: a successful request (about 20 families) in at most 0.5 us.
#include <benchmark/benchmark.h>
#include <malloc.h>

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

// The same with what costs most: custom labels, an exemplar and native buckets.
void BM_OnSuccessAllOn(benchmark::State& state) {
  LitellmMetricsOptions options = Options();
  options.registry.native_histograms = true;
  options.choice.metadata_labels = {"metadata.team", "metadata.project"};
  options.choice.tags = {"prod"};
  LitellmMetrics metrics(options, {});
  const CustomLabels custom{{"red", "gateway"}, 1};
  SuccessRecord record = Success();
  record.caller.custom = &custom;
  record.exemplar = {"0af7651916cd43dd8448eb211c80319c", ExemplarId::Kind::kTrace, 1.7e9};
  for (auto _ : state) metrics.OnSuccess(0, record);
}
BENCHMARK(BM_OnSuccessAllOn);

// What the allocator has handed out (glibc's: the benchmarks are not linked with jemalloc).
[[nodiscard]] double HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

const std::vector<double> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600};

// Of the label sets of BM_Render.
constexpr size_t kLabelTextBytes = std::string_view(
    R"(api_provider="openai",client_ip="10.20.30.40",hashed_api_key="",model="gpt-4o-mini",user="default_user_id")").size() + 64;

constexpr double kBytesPerLineMax = 200;

// A scrape of 100,000 lines: counters, or histograms of 20 lines a series. Labels as a request has them.
// bytes_per_label_set: memory beyond the label text, one of eight workers writing; it may be 200 for each line that
// a scrape prints of the label set.
void BM_Render(benchmark::State& state, Type type, ExpositionFormat format, bool extras) {
  Registry registry({.workers = 8, .series_per_family_max = 200'000, .created_series = extras,
                     .native_histograms = extras});
  Family* family = registry.Add({"litellm_family", "Help", type,
                                 {"hashed_api_key", "model", "api_provider", "user", "client_ip"},
                                 type == Type::kHistogram ? kBounds : std::vector<double>()});
  const int series = type == Type::kHistogram ? 5'000 : 100'000;
  double text = 0;
  const double before = HeapBytes();
  for (int i = 0; i < series; ++i) {
    const std::string key = "250fde4203a9f7eeb9d7ebc4953dcb64d9ad7bd2a18775b38ef6e037" + std::to_string(10'000'000 + i);
    Series* one = family->With(std::array<std::string_view, 5>{key, "gpt-4o-mini", "openai", "default_user_id", "10.20.30.40"});
    text += static_cast<double>(kLabelTextBytes);
    if (type == Type::kHistogram) {
      one->Observe(0, 0.35, {extras ? "0af7651916cd43dd8448eb211c80319c" : "", ExemplarId::Kind::kTrace, 1.7e9});
    } else {
      one->Add(0, 1.5);
    }
  }
  const double bytes = (HeapBytes() - before - text) / series;
  state.counters["bytes_per_label_set"] = bytes;
  if (bytes > kBytesPerLineMax * 100'000 / series) state.SkipWithError("a series takes too much memory");
  std::string out;
  for (auto _ : state) {
    out.clear();
    registry.Render(format, {}, out);
  }
  state.counters["MB"] = static_cast<double>(out.size()) / 1e6;
}
BENCHMARK_CAPTURE(BM_Render, counters_text, Type::kCounter, ExpositionFormat::kText004, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, counters_created, Type::kCounter, ExpositionFormat::kText004, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, counters_openmetrics, Type::kCounter, ExpositionFormat::kOpenMetrics, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, counters_protobuf, Type::kCounter, ExpositionFormat::kProtobuf, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, histograms_text, Type::kHistogram, ExpositionFormat::kText004, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, histograms_exemplars, Type::kHistogram, ExpositionFormat::kOpenMetrics, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Render, histograms_native, Type::kHistogram, ExpositionFormat::kProtobuf, true)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gw::metrics

BENCHMARK_MAIN();
