#include "metrics/litellm_metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "metrics/series_cache.h"
#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using test::ParseSamples;
using test::Rendered;

LitellmMetricsOptions Options(uint32_t workers = 1) {
  LitellmMetricsOptions options;
  options.registry = {.workers = workers, .series_per_family_max = 20'000,
                      .created_series = false};
  return options;
}

SuccessRecord Success() {
  SuccessRecord record;
  record.caller.hashed_api_key = "key";
  record.deployment = {"group", "model", "id-1", "http://h/v1", "openai"};
  record.requested_model = "group";
  record.route = "/v1/chat/completions";
  record.prompt_tokens = 10;
  record.completion_tokens = 5;
  record.total_tokens = 15;
  return record;
}

// The one sample of `name` whose text holds `part`; -1 when there is not exactly one.
double Sample(const std::map<std::string, double>& samples, std::string_view name,
              std::string_view part = "") {
  double value = -1;
  int found = 0;
  for (const auto& [text, v] : samples) {
    if (text.substr(0, text.find('{')) != name || text.find(part) == std::string::npos) continue;
    value = v;
    ++found;
  }
  return found == 1 ? value : -1;
}

TEST(LitellmMetrics, StreamFamiliesDifferFromPlainOnes) {
  LitellmMetrics metrics(Options(), {});
  SuccessRecord record = Success();
  record.stream = true;
  record.time_to_first_token_s = 0.52;
  record.first_token_from_start_s = 0.53;
  record.attempt_s = 1.5;
  record.overhead_s = 9;
  record.inter_token_s = 0.2;
  metrics.OnSuccess(0, record);
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_llm_api_time_to_first_token_metric_sum"), 0.52);
  EXPECT_DOUBLE_EQ(Sample(samples, "litellm_deployment_latency_per_output_token_sum"), 0.106);
  EXPECT_EQ(Sample(samples, "litellm_gw_inter_token_latency_seconds_sum"), 0.2);
  EXPECT_EQ(Sample(samples, "litellm_overhead_latency_metric_count"), -1);
  EXPECT_EQ(Sample(samples, "litellm_gw_retry_backoff_seconds_count"), 0);
}

TEST(LitellmMetrics, EndUserIsHiddenUnlessAsked) {
  SuccessRecord record = Success();
  record.caller.end_user = "alice";
  LitellmMetrics hidden(Options(), {});
  hidden.OnSuccess(0, record);
  EXPECT_EQ(Rendered(hidden.registry()).find("alice"), std::string::npos);

  LitellmMetricsOptions options = Options();
  options.choice.end_user = true;
  LitellmMetrics shown(options, {});
  shown.OnSuccess(0, record);
  record.caller.end_user = "bob";
  shown.OnSuccess(0, record);
  const auto samples = ParseSamples(Rendered(shown.registry()));
  EXPECT_EQ(Sample(samples, "litellm_spend_metric_total", "end_user=\"alice\""), 0);
  EXPECT_EQ(Sample(samples, "litellm_requests_metric_total", "end_user=\"bob\""), 1);
}

TEST(LitellmMetrics, StreamLabelTellsAbsentFromFalse) {
  LitellmMetricsOptions options = Options();
  options.choice.stream = true;
  LitellmMetrics metrics(options, {});
  SuccessRecord record = Success();
  metrics.OnSuccess(0, record);
  record.stream_field_present = true;
  metrics.OnSuccess(0, record);
  record.stream = true;
  metrics.OnSuccess(0, record);
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  for (const std::string_view label : {"None", "False", "True"}) {
    EXPECT_EQ(Sample(samples, "litellm_proxy_total_requests_metric_total",
                     "stream=\"" + std::string(label) + "\""),
              1);
  }
}

TEST(LitellmMetrics, RefusedKeysCreateNoSeries) {
  LitellmMetrics metrics(Options(), {});
  ClientFailureRecord record;
  record.status = 401;
  record.exception_class = "ProxyException";
  for (const std::string_view key : {"guess-1", "guess-2"}) {
    record.caller.hashed_api_key = key;
    metrics.OnClientFailure(0, record);
  }
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_proxy_failed_requests_metric_total",
                   "hashed_api_key=\"None\""),
            2);
  EXPECT_EQ(Sample(samples, "litellm_proxy_total_requests_metric_total", "status_code=\"401\""),
            2);
}

TEST(LitellmMetrics, CooldownNamesTheGroupAsModel) {
  LitellmMetrics metrics(Options(), {});
  metrics.OnCooldown(0, {"duo", "id-1", "http://h", "openai", "429"});
  EXPECT_EQ(ParseSamples(Rendered(metrics.registry()))
                [R"(litellm_deployment_cooled_down_total{api_base="http://h",)"
                 R"(api_provider="openai",exception_status="429",litellm_model_name="duo",)"
                 R"(model_id="id-1"})"],
            1);
}

TEST(LitellmMetrics, OurOwnFamiliesCountAttemptsStreamsAndSeries) {
  LitellmMetrics metrics(Options(), {});
  const DeploymentLabels deployment = {"group", "model", "id-1", "http://h", "openai"};
  metrics.OnAttempt(0, {deployment, "timeout"});
  metrics.OnAttempt(0, {deployment, "timeout"});
  metrics.OnAttempt(0, {deployment, "success"});
  metrics.OnStreamAborted(0, "client");
  metrics.OnCallbackFailure(0, "Logger");
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_gw_deployment_attempts_total", "timeout"), 2);
  EXPECT_EQ(Sample(samples, "litellm_gw_deployment_attempts_total", "success"), 1);
  EXPECT_EQ(Sample(samples, "litellm_gw_stream_aborted_total", "client"), 1);
  EXPECT_EQ(Sample(samples, "litellm_gw_stream_aborted_total", "upstream"), 0);
  EXPECT_EQ(Sample(samples, "litellm_callback_logging_failures_metric_total", "Logger"), 1);
  EXPECT_EQ(Sample(samples, "litellm_gw_metric_series", "litellm_gw_deployment_attempts_total"),
            2);
  EXPECT_EQ(Sample(samples, "litellm_gw_metric_overflow_total",
                   "litellm_gw_deployment_attempts_total"),
            0);
}

TEST(LitellmMetrics, StateAndCooldownAreReadAtScrape) {
  int state = 0;
  LiveState live;
  live.active_streams = [] { return 7.0; };
  live.deployments = [&](const std::function<void(const LiveState::Deployment&)>& visit) {
    visit({{"group", "model", "id-1", "http://h", "openai"}, state, state == 2 ? 4.5 : -1});
  };
  LitellmMetrics metrics(Options(), live);
  auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_deployment_state", "id-1"), 0);
  EXPECT_EQ(Sample(samples, "litellm_gw_deployment_cooldown_seconds", "id-1"), 0);
  EXPECT_EQ(Sample(samples, "litellm_gw_active_streams"), 7);
  state = 2;
  samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_deployment_state", "id-1"), 2);
  EXPECT_EQ(Sample(samples, "litellm_gw_deployment_cooldown_seconds", "id-1"), 4.5);
}

TEST(LitellmMetrics, ClientTextIsCutAndManyTextsStayBounded) {
  LitellmMetricsOptions options = Options();
  options.registry.series_per_family_max = 10;
  LitellmMetrics metrics(options, {});
  SuccessRecord record = Success();
  const std::string agent(60'000, 'a');
  record.caller.user_agent = agent;
  metrics.OnSuccess(0, record);
  EXPECT_LT(Rendered(metrics.registry()).size(), 200'000U);
  std::string name;
  for (int i = 0; i < 10'000; ++i) {
    name = std::to_string(i);
    record.caller.user_agent = name;
    metrics.OnSuccess(0, record);
  }
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_requests_metric_total", "user_agent=\"other\""), 9'991);
  EXPECT_EQ(Sample(samples, "litellm_total_tokens_metric_total"), 10'001 * 15);
}

TEST(LitellmMetrics, FullGaugeFamiliesAreSkipped) {
  LitellmMetricsOptions options = Options();
  options.registry.series_per_family_max = 1;
  LitellmMetrics metrics(options, {});
  SuccessRecord record = Success();
  record.remaining_requests = 5;
  metrics.OnSuccess(0, record);
  record.deployment.model_id = "id-2";
  for (int i = 0; i < 3; ++i) metrics.OnSuccess(0, record);
  const auto samples = ParseSamples(Rendered(metrics.registry()));
  EXPECT_EQ(Sample(samples, "litellm_remaining_requests_metric", "id-1"), 5);
  EXPECT_EQ(Sample(samples, "litellm_gw_metric_overflow_total",
                   "family=\"litellm_remaining_requests_metric\""),
            1);
}

TEST(SeriesCache, KeysKnowWhereValuesEnd) {
  CacheKey a, b;
  a.Append("a");
  a.Append("bc");
  b.Append("ab");
  b.Append("c");
  EXPECT_NE(a.text(), b.text());
}

TEST(SeriesCache, StartsAnewWhenFull) {
  SeriesCache cache;
  for (size_t i = 0; i <= kCachedLabelSetsMax; ++i) {
    CacheKey key;
    key.Append(std::to_string(i));
    EXPECT_EQ(cache.Find(key).resolved, 0U);
    cache.Find(key).resolved = 1;
  }
  EXPECT_EQ(cache.size(), 1U);
}

// Workers report while another thread scrapes; successes and failures add up in every scrape end.
TEST(LitellmMetrics, WorkersAndScrapesRunTogether) {
  constexpr uint32_t kWorkers = 3;
  constexpr int kRounds = 2'000;
  LitellmMetrics metrics(Options(kWorkers), {});
  std::vector<std::jthread> threads;
  for (uint32_t worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string id = "id-" + std::to_string(i % 11);
        SuccessRecord success = Success();
        success.deployment.model_id = id;
        metrics.OnSuccess(worker, success);
        AttemptFailureRecord failure;
        failure.deployment = success.deployment;
        failure.exception_status = "500";
        metrics.OnAttemptFailure(worker, failure);
      }
    });
  }
  for (int i = 0; i < 5; ++i) (void)Rendered(metrics.registry());
  threads.clear();  // joins
  double success = 0, failure = 0, total = 0;
  for (const auto& [name, value] : ParseSamples(Rendered(metrics.registry()))) {
    if (name.starts_with("litellm_deployment_success_responses_total")) success += value;
    if (name.starts_with("litellm_deployment_failure_responses_total")) failure += value;
    if (name.starts_with("litellm_deployment_total_requests_total")) total += value;
  }
  EXPECT_EQ(success, kWorkers * kRounds);
  EXPECT_EQ(failure, kWorkers * kRounds);
  EXPECT_EQ(total, success + failure);
}

// A reload is counted by another thread than worker 0's while that one makes new cells: no count of
// either is lost, and neither writes what the other allocated.
TEST(LitellmMetrics, ReloadsAreCountedBesideTheFirstWorker) {
  constexpr int kRounds = 3'000;
  for (int round = 0; round < 20; ++round) {
    LitellmMetrics metrics(Options(1), {});
    std::atomic<bool> go = false;
    std::jthread worker([&] {
      while (!go) std::this_thread::yield();
      for (int i = 0; i < kRounds; ++i) metrics.OnStreamAborted(0, i % 2 == 0 ? "client" : "upstream");
    });
    go = true;
    for (const std::string_view outcome : {"applied", "unchanged", "rejected", "applied"}) metrics.OnReload(outcome);
    worker.join();
    const auto samples = ParseSamples(Rendered(metrics.registry()));
    EXPECT_EQ(Sample(samples, "litellm_gw_config_reloads_total", "applied"), 2);
    EXPECT_EQ(Sample(samples, "litellm_gw_config_reloads_total", "unchanged"), 1);
    EXPECT_EQ(Sample(samples, "litellm_gw_config_reloads_total", "rejected"), 1);
    EXPECT_EQ(Sample(samples, "litellm_gw_stream_aborted_total", "client"), kRounds / 2);
    EXPECT_EQ(Sample(samples, "litellm_gw_stream_aborted_total", "upstream"), kRounds / 2);
  }
}

}  // namespace
}  // namespace gw::metrics
