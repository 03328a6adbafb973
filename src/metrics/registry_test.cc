#include "metrics/registry.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <thread>

#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using One = std::array<std::string_view, 1>;

RegistryOptions Options(uint32_t workers, size_t max = 1000) {
  return {.workers = workers, .series_per_family_max = max, .created_series = false};
}

TEST(Registry, EqualLabelSetsAreOneSeries) {
  Registry registry(Options(1));
  Family* family = registry.Add({"c", "", Type::kCounter, {"l"}, {}});
  EXPECT_EQ(family->With(One{"a"}), family->With(One{"a"}));
  EXPECT_NE(family->With(One{"a"}), family->With(One{"b"}));
  // Equal once cleaned.
  EXPECT_EQ(family->With(One{"x y"}), family->With(One{"x\ny"}));
  EXPECT_EQ(family->series_count(), 3U);
}

TEST(Registry, CountersNeverFallAndIgnoreNaN) {
  Registry registry(Options(1));
  Series* series = registry.Add({"c", "", Type::kCounter, {}, {}})->With({});
  series->Add(0, 2);
  series->Add(0, -1);
  series->Add(0, std::nan(""));
  EXPECT_EQ(series->Value(), 2);
}

TEST(Registry, ObservationOnABoundCountsInItsBucket) {
  Registry registry(Options(1));
  Series* series = registry.Add({"h", "", Type::kHistogram, {}, {1, 2}})->With({});
  for (const double v : {0.5, 1.0, 1.5, 2.0, 3.0}) series->Observe(0, v);
  series->Observe(0, std::nan(""));
  auto samples = test::ParseSamples(test::Rendered(registry));
  EXPECT_EQ(samples["h_bucket{le=\"1.0\"}"], 2);
  EXPECT_EQ(samples["h_bucket{le=\"2.0\"}"], 4);
  EXPECT_EQ(samples["h_bucket{le=\"+Inf\"}"], 5);
  EXPECT_EQ(samples["h_count"], 5);
  EXPECT_EQ(samples["h_sum"], 8);
}

TEST(Registry, BoundsAreSortedAndUniqueAndFinite) {
  Registry registry(Options(1));
  const Family* family =
      registry.Add({"h", "", Type::kHistogram, {}, {2, 1, 2, HUGE_VAL, std::nan("")}});
  EXPECT_EQ(family->spec().bounds, (std::vector<double>{1, 2}));
}

TEST(Registry, DeclaredTotalIsNotDoubled) {
  Registry registry(Options(1));
  EXPECT_EQ(registry.Add({"x_total", "", Type::kCounter, {}, {}})->spec().name, "x");
}

TEST(Registry, SurplusCountersShareOneSeries) {
  Registry registry(Options(1, 2));
  Family* family = registry.Add({"c", "", Type::kCounter, {"l", "m"}, {}});
  const auto add = [&](std::string_view l) {
    family->With(std::array<std::string_view, 2>{l, "m"})->Add(0, 1);
  };
  for (const std::string_view l : {"a", "b", "c", "d", "a"}) add(l);
  auto samples = test::ParseSamples(test::Rendered(registry));
  EXPECT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[R"(c_total{l="a",m="m"})"], 2);
  EXPECT_EQ(samples[R"(c_total{l="other",m="other"})"], 2);
  EXPECT_EQ(family->overflow_count(), 2U);
}

TEST(Registry, SurplusIsSharedWithALabelSetThatIsAllOtherByItself) {
  Registry registry(Options(1, 1));
  Family* family = registry.Add({"c", "", Type::kCounter, {"l"}, {}});
  Series* other = family->With(One{"other"});
  EXPECT_EQ(family->With(One{"b"}), other);
}

TEST(Registry, SurplusGaugesAreDropped) {
  Registry registry(Options(1, 1));
  Family* family = registry.Add({"g", "", Type::kGauge, {"l"}, {}});
  EXPECT_NE(family->With(One{"a"}), nullptr);
  EXPECT_EQ(family->With(One{"b"}), nullptr);
  EXPECT_EQ(family->overflow_count(), 1U);
}

TEST(Registry, ManyLabelSetsStayBounded) {
  Registry registry(Options(1, 100));
  Family* family = registry.Add({"c", "", Type::kCounter, {"l"}, {}});
  for (int i = 0; i < 100'000; ++i) family->With(One{std::to_string(i)})->Add(0, 1);
  EXPECT_EQ(family->series_count(), 101U);
  EXPECT_EQ(test::ParseSamples(test::Rendered(registry))[R"(c_total{l="other"})"], 99'900);
}

TEST(Registry, HistogramWithMoreBucketsThanAnArenaBlockWorks) {
  Registry registry(Options(1));
  std::vector<double> bounds;
  for (int i = 0; i < 5000; ++i) bounds.push_back(i);
  Series* series = registry.Add({"h", "", Type::kHistogram, {}, bounds})->With({});
  series->Observe(0, 4999.5);
  EXPECT_EQ(test::ParseSamples(test::Rendered(registry))["h_count"], 1);
}

TEST(Registry, PiecesAreTheWholeText) {
  Registry registry({.workers = 1});
  Family* counter = registry.Add({"c", "", Type::kCounter, {"l"}, {}});
  Family* histogram = registry.Add({"h", "", Type::kHistogram, {"l"}, {1, 2}});
  for (int i = 0; i < 20'000; ++i) {
    counter->With(One{std::to_string(i)})->Add(0, i);
    histogram->With(One{std::to_string(i)})->Observe(0, i);
  }
  for (const auto format : {ExpositionFormat::kText004, ExpositionFormat::kOpenMetrics, ExpositionFormat::kProtobuf}) {
    std::string whole, pieces, rest;
    registry.Render(format, {}, whole);
    size_t longest = 0, count = 0;
    registry.Render(format, {}, rest, [&](std::string& piece) {
      longest = std::max(longest, piece.size());
      ++count;
      pieces += piece;
      piece.clear();
    });
    EXPECT_TRUE(pieces + rest == whole);
    const bool is_family_whole = format == ExpositionFormat::kProtobuf;
    EXPECT_GE(count, is_family_whole ? 2U : 5U);
    if (!is_family_whole) {
      EXPECT_LT(longest, Registry::kPieceBytes + 1024);
    }
  }
}

// Writers, series creation and scrapes at once: nothing is lost, and no scrape sees a counter
// fall or a count that differs from its +Inf bucket. Meant for the thread sanitizer too.
TEST(Registry, ScrapesRunBesideWriters) {
  constexpr uint32_t kWorkers = 4;
  constexpr int kRounds = 5'000;
  Registry registry(Options(kWorkers));
  Family* counter = registry.Add({"c", "", Type::kCounter, {"l"}, {}});
  Family* histogram = registry.Add({"h", "", Type::kHistogram, {"l"}, {1, 2}});
  Family* gauge = registry.Add({"g", "", Type::kGauge, {}, {}});

  std::vector<std::jthread> threads;
  for (uint32_t worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string label = std::to_string(i % 37);
        counter->With(One{label})->Add(worker, 1);
        histogram->With(One{label})->Observe(worker, i % 4);
        gauge->With({})->Set(i);
      }
    });
  }
  std::map<std::string, double> before;
  for (int scrape = 0; scrape < 50; ++scrape) {
    auto samples = test::ParseSamples(test::Rendered(registry));
    for (const auto& [name, value] : before) {
      if (name == "g") continue;
      ASSERT_GE(samples[name], value) << name;
    }
    for (const auto& [name, value] : samples) {
      if (!name.starts_with("h_count")) continue;
      const std::string label = name.substr(name.find("l="));
      ASSERT_EQ(samples["h_bucket{" + label.substr(0, label.size() - 1) + ",le=\"+Inf\"}"], value)
          << name;
    }
    before = std::move(samples);
  }
  threads.clear();  // joins
  double counted = 0, observed = 0, sum = 0;
  for (const auto& [name, value] : test::ParseSamples(test::Rendered(registry))) {
    if (name.starts_with("c_total")) counted += value;
    if (name.starts_with("h_count")) observed += value;
    if (name.starts_with("h_sum")) sum += value;
  }
  EXPECT_EQ(counted, kWorkers * kRounds);
  EXPECT_EQ(observed, kWorkers * kRounds);
  EXPECT_EQ(sum, kWorkers * kRounds * 1.5);
  EXPECT_EQ(gauge->With({})->Value(), kRounds - 1);
}

}  // namespace
}  // namespace gw::metrics
