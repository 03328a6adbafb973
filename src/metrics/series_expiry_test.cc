#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "metrics/litellm_metrics.h"
#include "metrics/registry.h"
#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using One = std::array<std::string_view, 1>;
using test::ParseSamples;
using test::Rendered;

RegistryOptions Options(Expiry expiry) {
  return {.workers = 2, .created_series = false, .expiry = expiry};
}

FamilySpec Counters(std::string label = "l") {
  FamilySpec spec{"c", "", Type::kCounter, {std::move(label)}, {}};
  spec.expires = true;
  return spec;
}

// Both workers have dropped what they kept.
void ReleaseAll(Registry& registry) {
  for (const uint32_t worker : {0U, 1U}) registry.Release(worker, registry.generation());
}

TEST(SeriesExpiry, IdleSeriesGoAndBusyOnesStay) {
  Registry registry(Options({.idle_s_max = 60}));
  Family* family = registry.Add(Counters());
  family->With(One{"idle"})->Add(0, 1);
  Series* busy = family->With(One{"busy"});
  for (double now = 0; now <= 120; now += 30) {
    busy->Add(1, 0);  // also a write that changes nothing is a sign of life
    registry.Sweep(now);
  }
  EXPECT_EQ(ParseSamples(Rendered(registry)), (std::map<std::string, double>{{"c_total{l=\"busy\"}", 0}}));
  EXPECT_EQ(family->series_count(), 1U);
  EXPECT_EQ(registry.generation(), 1U);
  // What comes again is a new series.
  family->With(One{"idle"})->Add(0, 5);
  EXPECT_EQ(ParseSamples(Rendered(registry))["c_total{l=\"idle\"}"], 5);
}

TEST(SeriesExpiry, WithoutTheSettingNothingGoes) {
  Registry registry(Options({}));
  Family* family = registry.Add(Counters());
  family->With(One{"a"})->Add(0, 1);
  for (double now = 0; now < 1e6; now += 1e5) registry.Sweep(now);
  EXPECT_EQ(family->series_count(), 1U);
  EXPECT_EQ(registry.generation(), 0U);
}

TEST(SeriesExpiry, AWriteThroughAnOldPointerBringsTheSeriesBack) {
  Registry registry(Options({.idle_s_max = 1}));
  Family* family = registry.Add(Counters());
  Series* kept = family->With(One{"a"});
  kept->Add(0, 3);
  for (const double now : {0.0, 10.0, 20.0}) registry.Sweep(now);
  EXPECT_EQ(family->series_count(), 0U);
  kept->Add(0, 2);  // a worker that has not released yet
  ReleaseAll(registry);
  registry.Sweep(21);
  EXPECT_EQ(ParseSamples(Rendered(registry))["c_total{l=\"a\"}"], 5);
}

// It was taken out again by the sweep that had brought it back, and what was written was lost.
TEST(SeriesExpiry, ASeriesThatComesBackAfterSeveralSweepsStays) {
  Registry registry(Options({.idle_s_max = 1}));
  Family* family = registry.Add(Counters());
  Series* kept = family->With(One{"a"});
  kept->Add(0, 3);
  for (const double now : {0.0, 10.0, 20.0}) registry.Sweep(now);
  kept->Add(0, 2);
  for (const double now : {20.1, 20.2}) registry.Sweep(now);
  ReleaseAll(registry);
  registry.Sweep(21);
  EXPECT_EQ(ParseSamples(Rendered(registry))["c_total{l=\"a\"}"], 5);
}

TEST(SeriesExpiry, ALateWriteGoesToTheSuccessor) {
  Registry registry(Options({.idle_s_max = 1}));
  FamilySpec spec{"h", "", Type::kHistogram, {"l"}, {1}};
  spec.expires = true;
  Family* family = registry.Add(spec);
  Series* kept = family->With(One{"a"});
  kept->Observe(0, 0.5);
  for (const double now : {0.0, 10.0, 20.0}) registry.Sweep(now);
  Series* next = family->With(One{"a"});
  ASSERT_NE(next, kept);
  next->Observe(0, 7);
  kept->Observe(0, 0.25);
  ReleaseAll(registry);
  registry.Sweep(20.5);
  auto samples = ParseSamples(Rendered(registry));
  EXPECT_EQ(samples["h_bucket{l=\"a\",le=\"1.0\"}"], 1);
  EXPECT_EQ(samples["h_count{l=\"a\"}"], 2);
  EXPECT_EQ(samples["h_sum{l=\"a\"}"], 7.25);
}

// A gauge's slot holds its value, not a pointer to cells: freeing it took the one for the other.
TEST(SeriesExpiry, GaugesGoToo) {
  Registry registry(Options({.idle_s_max = 1}));
  FamilySpec spec{"g", "", Type::kGauge, {"l"}, {}};
  spec.expires = true;
  Family* family = registry.Add(spec);
  family->With(One{"a"})->Set(100);
  for (const double now : {0.0, 10.0, 20.0}) registry.Sweep(now);
  EXPECT_EQ(family->series_count(), 0U);
  for (const double now : {21.0, 22.0}) {
    ReleaseAll(registry);
    registry.Sweep(now);
  }
  family->With(One{"a"})->Set(7);
  EXPECT_EQ(ParseSamples(Rendered(registry)), (std::map<std::string, double>{{"g{l=\"a\"}", 7}}));
}

TEST(SeriesExpiry, EndUsersBeyondTheNumberGoOldestFirst) {
  Registry registry(Options({.end_user_series_max = 2}));
  Family* family = registry.Add(Counters("end_user"));
  Series* first = family->With(One{"a"});
  for (const std::string_view name : {"None", "b"}) family->With(One{name})->Add(0, 1);
  registry.Sweep(0);
  registry.Sweep(1);
  first->Add(0, 1);
  family->With(One{"c"})->Add(0, 1);
  registry.Sweep(2);
  const auto samples = ParseSamples(Rendered(registry));
  EXPECT_EQ(samples.size(), 3U);  // two users, and None, which is nobody
  EXPECT_TRUE(samples.contains("c_total{end_user=\"None\"}"));
  EXPECT_FALSE(samples.contains("c_total{end_user=\"b\"}"));
}

// The address space of a family whose label sets come and go does not grow.
TEST(SeriesExpiry, MemoryOfGoneSeriesIsUsedAgain) {
  Registry registry({.workers = 1, .created_series = false, .expiry = {.idle_s_max = 1}, .native_histograms = true});
  FamilySpec spec{"h", "", Type::kHistogram, {"l"}, {1, 2, 3}};
  spec.expires = true;
  Family* family = registry.Add(spec);
  std::string name;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 50; ++i) {
      name = std::to_string(round * 50 + i);
      Series* series = family->With(One{name});
      series->Observe(0, 0.5, {"trace", ExemplarId::Kind::kTrace, 1});
      series->Observe(0, 500);
    }
    registry.Release(0, registry.generation());
    registry.Sweep(round);
    EXPECT_LE(family->series_count(), 150U);
  }
  EXPECT_LT(registry.arena_bytes(), 4U << 20);  // 20,000 series would take over 20 MB
}

// Workers write through their caches while series expire under them: the sum over a series' lives is
// exact, because a worker's own label sets are used all the time.
TEST(SeriesExpiry, WorkersSweepsAndScrapesRunTogether) {
  LitellmMetricsOptions options;
  options.registry = {.workers = 2, .created_series = false, .expiry = {.idle_s_max = 2}};
  LitellmMetrics metrics(options, {});
  std::atomic<int> running = 2;
  constexpr int kRounds = 20'000;
  std::vector<std::jthread> workers;
  for (uint32_t worker = 0; worker < 2; ++worker) {
    workers.emplace_back([&, worker] {
      for (int i = 0; i < kRounds; ++i) {
        SuccessRecord record;
        record.caller.hashed_api_key = "always";
        record.total_tokens = 1;
        metrics.OnSuccess(worker, record);
        const std::string once = std::to_string(i / 10);
        record.caller.hashed_api_key = once;
        metrics.OnSuccess(worker, record);
        if (i % 50 == 0) metrics.Quiesce(worker);
      }
      while (running > 0) {
        metrics.Quiesce(worker);
        if (worker == 0) running = 0;
        std::this_thread::yield();
      }
    });
  }
  double now = 0;
  while (running > 0) {
    metrics.Sweep(now += 0.01);  // nobody is starved for two hundred of these
    (void)Rendered(metrics.registry());
  }
  workers.clear();
  double always = 0;
  for (const auto& [name, value] : ParseSamples(Rendered(metrics.registry()))) {
    const bool is_tokens = name.starts_with("litellm_total_tokens_metric_total");
    if (is_tokens && name.find("\"always\"") != std::string::npos) always += value;
  }
  EXPECT_EQ(always, 2 * kRounds);
}

}  // namespace
}  // namespace gw::metrics
