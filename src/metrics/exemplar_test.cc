#include "metrics/exemplar.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using Slot = std::array<Word, kExemplarWords>;
constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";

std::string Header(std::string_view text) { return std::string(text); }

TEST(TraceIdOf, AcceptsOnlyValidHeaders) {
  EXPECT_EQ(TraceIdOf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), kTrace);
  EXPECT_EQ(TraceIdOf("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"), kTrace);
  for (const std::string& bad : {
           Header(""), Header("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"),
           Header("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
           Header("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
           Header("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
           Header("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
           Header("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"),
           Header("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
           Header("00-0af7651916cd43dd8448eb211c8031\"c-b7ad6b7169203331-01")}) {
    EXPECT_EQ(TraceIdOf(bad), "") << bad;
  }
}

TEST(Exemplar, TheYoungestOfAllWorkersIsKept) {
  Slot first{}, second{};
  Exemplar youngest;
  ReadYoungerExemplar(first.data(), youngest);
  EXPECT_TRUE(youngest.empty());
  WriteExemplar(first.data(), {"a", ExemplarId::Kind::kTrace, 10}, 0.5);
  WriteExemplar(second.data(), {"b", ExemplarId::Kind::kCall, 9}, 0.6);
  ReadYoungerExemplar(second.data(), youngest);
  EXPECT_EQ(youngest.label(), "call_id");
  ReadYoungerExemplar(first.data(), youngest);
  ReadYoungerExemplar(second.data(), youngest);
  EXPECT_EQ(youngest.id, "a");
  EXPECT_EQ(youngest.value, 0.5);
  EXPECT_EQ(youngest.label(), "trace_id");
}

TEST(Exemplar, IdsAreCutAndOddOnesAreNotTaken) {
  Slot slot{};
  Exemplar exemplar;
  for (const std::string_view odd : {"a\"b", "a b", "a\\b", "a\nb", "\xC3\xA4"}) {
    WriteExemplar(slot.data(), {odd, ExemplarId::Kind::kCall, 1}, 1);
    ReadYoungerExemplar(slot.data(), exemplar);
    EXPECT_TRUE(exemplar.empty()) << odd;
  }
  WriteExemplar(slot.data(), {std::string(300, 'x'), ExemplarId::Kind::kCall, 1}, 1);
  ReadYoungerExemplar(slot.data(), exemplar);
  EXPECT_EQ(exemplar.id, std::string(kExemplarIdBytesMax, 'x'));
}

// An id always comes with its own value, however often it is overwritten.
TEST(Exemplar, ReadersNeverSeeHalfOfOne) {
  Slot slot{};
  std::atomic<bool> is_over = false;
  std::jthread writer([&] {
    for (int i = 0; i < 100'000; ++i) {
      const int digit = i % 10;
      WriteExemplar(slot.data(), {std::string(36, static_cast<char>('0' + digit)), ExemplarId::Kind::kCall,
                                  static_cast<double>(i + 1)}, digit);
    }
    is_over = true;
  });
  int seen = 0;
  while (!is_over || seen == 0) {
    Exemplar exemplar;
    ReadYoungerExemplar(slot.data(), exemplar);
    if (exemplar.empty()) continue;
    ++seen;
    ASSERT_EQ(exemplar.id, std::string(36, static_cast<char>('0' + static_cast<int>(exemplar.value))));
  }
}

TEST(Exemplar, StandsOnItsBucketInOpenMetricsOnly) {
  Registry registry({.workers = 2, .created_series = false});
  Series* series = registry.Add({"h", "", Type::kHistogram, {"a"}, {1, 2}})->With(std::array<std::string_view, 1>{"x"});
  series->Observe(0, 1.5, {kTrace, ExemplarId::Kind::kTrace, 1700000000.25});
  series->Observe(1, 9, {"call-1", ExemplarId::Kind::kCall, 1700000001});
  series->Observe(0, 0.5);
  EXPECT_EQ(test::Rendered(registry, ExpositionFormat::kOpenMetrics),
            "# HELP h \n# TYPE h histogram\n"
            "h_bucket{a=\"x\",le=\"1.0\"} 1.0\n"
            "h_bucket{a=\"x\",le=\"2.0\"} 2.0 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 1.5 1700000000.250\n"
            "h_bucket{a=\"x\",le=\"+Inf\"} 3.0 # {call_id=\"call-1\"} 9.0 1700000001.000\n"
            "h_count{a=\"x\"} 3.0\nh_sum{a=\"x\"} 11.0\n# EOF\n");
  EXPECT_EQ(test::Rendered(registry).find('#', 30), std::string::npos);
}

}  // namespace
}  // namespace gw::metrics
