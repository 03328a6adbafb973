#include "routing/pick_lowest.h"

#include <gtest/gtest.h>

#include <map>

#include "routing/packed_window.h"

namespace gw::routing {
namespace {

struct Rows {
  explicit Rows(std::vector<double> given) : values(std::move(given)), deployments(values.size()) {
    for (const config::Deployment& row : deployments) pool.push_back(&row);
  }
  size_t Pick(double buffer, Random& random) {
    return PickLowest(
        pool, random, [this](const config::Deployment* row) { return values[static_cast<size_t>(row - pool[0])]; },
        [buffer](double lowest) { return lowest + buffer; });
  }
  std::vector<double> values;
  std::vector<config::Deployment> deployments;
  RowList pool;
};

TEST(PickLowest, OnlyRowsWithinTheBoundWithTheSameChance) {
  constexpr int kPicks = 30'000;
  Rows rows({5, 1.05, 7, 1, 1.1, 1.11, 9});
  Random random(11);
  std::map<size_t, int> picked;
  for (int i = 0; i < kPicks; ++i) ++picked[rows.Pick(0.1, random)];
  ASSERT_EQ(picked.size(), 3U);
  for (const size_t row : {1U, 3U, 4U}) EXPECT_NEAR(picked[row], kPicks / 3, kPicks / 60) << row;
}

TEST(PickLowest, AskedAgainWithFewerRowsItForgetsTheOthers) {
  Random random(3);
  Rows many(std::vector<double>(100, 1));
  EXPECT_LT(many.Pick(0, random), 100U);
  Rows two({2, 1});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(two.Pick(0, random), 1U);
  Rows one({4});
  EXPECT_EQ(one.Pick(0, random), 0U);
}

// The quick way to read must agree with the other one at every edge, also where the stamp wraps.
TEST(RunningMinute, ReadsWhatTheWindowSays) {
  constexpr Duration kMinute = std::chrono::seconds(60);
  const auto wrap = std::chrono::milliseconds(uint64_t{1} << 32);
  for (const TimePoint begin : {TimePoint{std::chrono::hours(5)}, TimePoint{wrap - std::chrono::seconds(30)}}) {
    std::atomic<uint64_t> cell{0};
    CountWindow::Add(cell, 7, kMinute, begin);
    for (const int64_t ms : {-20'000, -10'001, -10'000, -9'999, -1, 0, 1, 30'000, 59'999, 60'000, 60'001, 90'000}) {
      const TimePoint now = begin + std::chrono::milliseconds(ms);
      EXPECT_EQ(RunningMinute(now).Read(cell), CountWindow::Read(cell, kMinute, now)) << ms;
    }
  }
  EXPECT_EQ(RunningMinute(TimePoint{}).Read(std::atomic<uint64_t>{0}), 0U);
}

}  // namespace
}  // namespace gw::routing
