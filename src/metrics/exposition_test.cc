#include "metrics/exposition.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using test::Rendered;

std::string Number(double value) {
  std::string out;
  AppendNumber(out, value);
  return out;
}

TEST(AppendNumber, PrintsLikeTheReferenceClient) {
  EXPECT_EQ(Number(0), "0.0");
  EXPECT_EQ(Number(9), "9.0");
  EXPECT_EQ(Number(-3), "-3.0");
  EXPECT_EQ(Number(0.005), "0.005");
  EXPECT_EQ(Number(999999), "999999.0");
  EXPECT_EQ(Number(1e6), "1e+06");
  EXPECT_EQ(Number(998912000), "9.98912e+08");
  EXPECT_EQ(Number(1.195831296e9), "1.195831296e+09");
  EXPECT_EQ(Number(1234567.5), "1.2345675e+06");
  EXPECT_EQ(Number(12345678901.0), "1.2345678901e+10");
  EXPECT_EQ(Number(1e16), "1e+16");
  EXPECT_EQ(Number(9223372036854775807.0), "9.223372036854776e+18");
  EXPECT_EQ(Number(3.7800000000000004e-05), "3.7800000000000004e-05");
  EXPECT_EQ(Number(1.6e-7), "1.6e-07");
  EXPECT_EQ(Number(-1e7), "-10000000.0");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(Number(std::nan("")), "NaN");
}

// A small registry with each kind of family, without times.
class ExpositionTest : public ::testing::Test {
 protected:
  ExpositionTest() : registry_({.workers = 2, .series_per_family_max = 10,
                                .created_series = false}) {
    Family* requests = registry_.Add({"app_requests", "Requests \"seen\"", Type::kCounter,
                                      {"team", "code"}, {}});
    requests->With(Values{"b", "200"})->Add(0, 2);
    requests->With(Values{"b", "200"})->Add(1, 3);
    requests->With(Values{"a", "x\"y"})->Add(0, 1.5);
    Family* seconds = registry_.Add({"app_seconds", "Latency", Type::kHistogram,
                                     {"model", "api_base"}, {0.1, 1}});
    seconds->With(Values{"m", "http://h"})->Observe(0, 0.1);
    seconds->With(Values{"m", "http://h"})->Observe(1, 0.5);
    seconds->With(Values{"m", "http://h"})->Observe(1, 7);
    registry_.Add({"app_left", "Left", Type::kGauge, {"key"}, {}})
        ->With(std::array<std::string_view, 1>{"k"})
        ->Set(std::numeric_limits<double>::infinity());
    (void)registry_.Add({"app_empty", "Nothing yet", Type::kCounter, {"a"}, {}});
    registry_.AddCollected({"app_live", "Live", Type::kGauge, {}, {}},
                           [](const Registry::Emit& emit) { emit({}, 4); });
  }

  using Values = std::array<std::string_view, 2>;
  Registry registry_;
};

TEST_F(ExpositionTest, Text004) {
  EXPECT_EQ(Rendered(registry_), R"(# HELP app_requests_total Requests "seen"
# TYPE app_requests_total counter
app_requests_total{code="200",team="b"} 5.0
app_requests_total{code="x\"y",team="a"} 1.5
# HELP app_seconds Latency
# TYPE app_seconds histogram
app_seconds_bucket{api_base="http://h",le="0.1",model="m"} 1.0
app_seconds_bucket{api_base="http://h",le="1.0",model="m"} 2.0
app_seconds_bucket{api_base="http://h",le="+Inf",model="m"} 3.0
app_seconds_count{api_base="http://h",model="m"} 3.0
app_seconds_sum{api_base="http://h",model="m"} 7.6
# HELP app_left Left
# TYPE app_left gauge
app_left{key="k"} +Inf
# HELP app_empty_total Nothing yet
# TYPE app_empty_total counter
# HELP app_live Live
# TYPE app_live gauge
app_live 4.0
)");
  EXPECT_EQ(Rendered(registry_, ExpositionFormat::kText100), Rendered(registry_));
}

TEST_F(ExpositionTest, OpenMetricsNamesCountersWithoutTotalAndEnds) {
  const std::string text = Rendered(registry_, ExpositionFormat::kOpenMetrics);
  EXPECT_TRUE(text.starts_with("# HELP app_requests Requests \\\"seen\\\"\n"
                               "# TYPE app_requests counter\n"
                               "app_requests_total{code=\"200\",team=\"b\"} 5.0\n"))
      << text;
  EXPECT_TRUE(text.ends_with("app_live 4.0\n# EOF\n")) << text;
}

TEST_F(ExpositionTest, NameFilterKeepsOnlyTheAskedSamples) {
  const std::vector<std::string> names = {"app_seconds_sum", "app_left", "app_requests",
                                          "app_empty_total"};
  EXPECT_EQ(Rendered(registry_, ExpositionFormat::kText004, names), R"(# HELP app_seconds Latency
# TYPE app_seconds histogram
app_seconds_sum{api_base="http://h",model="m"} 7.6
# HELP app_left Left
# TYPE app_left gauge
app_left{key="k"} +Inf
)");
}

TEST_F(ExpositionTest, NameFilterOnACollectedFamilyGivesThreeLines) {
  const std::vector<std::string> names = {"app_live"};
  EXPECT_EQ(Rendered(registry_, ExpositionFormat::kText004, names),
            "# HELP app_live Live\n# TYPE app_live gauge\napp_live 4.0\n");
}

TEST(Exposition, CreatedIsAFamilyOfItsOwnInTextAndASampleInOpenMetrics) {
  Registry registry({.workers = 1, .series_per_family_max = 10, .created_series = true});
  (void)registry.Add({"a", "Help a", Type::kCounter, {}, {}});
  (void)registry.Add({"h", "Help h", Type::kHistogram, {}, {1}});
  (void)registry.Add({"e", "Help e", Type::kCounter, {"l"}, {}});
  std::string text = Rendered(registry);
  std::string names;
  for (const std::string_view line : Split(text, '\n')) {
    names += std::string(line.substr(0, line.starts_with('#') ? line.size() : line.find(' ')));
    names += '\n';
  }
  EXPECT_EQ(names,
            "# HELP a_total Help a\n# TYPE a_total counter\na_total\n"
            "# HELP a_created Help a\n# TYPE a_created gauge\na_created\n"
            "# HELP h Help h\n# TYPE h histogram\n"
            "h_bucket{le=\"1.0\"}\nh_bucket{le=\"+Inf\"}\nh_count\nh_sum\n"
            "# HELP h_created Help h\n# TYPE h_created gauge\nh_created\n"
            "# HELP e_total Help e\n# TYPE e_total counter\n\n");
  EXPECT_GT(test::ParseSamples(text)["a_created"], 1.7e9);

  text = Rendered(registry, ExpositionFormat::kOpenMetrics);
  EXPECT_NE(text.find("\na_total 0.0\na_created 1."), std::string::npos) << text;
  EXPECT_EQ(text.find("TYPE a_created"), std::string::npos);
}

}  // namespace
}  // namespace gw::metrics
