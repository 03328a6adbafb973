#include "metrics/native_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "metrics/series_data.h"

namespace gw::metrics {
namespace {

// The counts of one worker's cell after these values.
NativeCounts Observed(std::span<const double> values) {
  CellArena arena;
  Word block{0};
  for (const double value : values) ObserveNative(block, arena, value);
  NativeCounts counts;
  AddNative(block, counts);
  return counts;
}

double UpperBound(int32_t index, int schema) { return std::exp2(index * std::exp2(-schema)); }

// Every value lies in (upper bound of the bucket before, upper bound of its bucket].
void ExpectRightBuckets(const NativeCounts& counts, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t at = counts.zero;
  for (size_t i = 0; i < counts.counts.size(); ++i) {
    const int32_t index = counts.first + static_cast<int32_t>(i);
    for (uint64_t n = 0; n < counts.counts[i]; ++n, ++at) {
      ASSERT_LT(at, values.size());
      ASSERT_LE(values[at], UpperBound(index, counts.schema) * (1 + 1e-12));
      ASSERT_GT(values[at], UpperBound(index - 1, counts.schema) * (1 - 1e-12));
    }
  }
  EXPECT_EQ(at, values.size());
}

TEST(NativeHistogram, BoundsBelongToTheBucketTheyEnd) {
  EXPECT_EQ(NativeIndex(1), 0);
  EXPECT_EQ(NativeIndex(2), 8);
  EXPECT_EQ(NativeIndex(std::nextafter(1.0, 2.0)), 1);
  EXPECT_EQ(NativeIndex(0.5), -8);
  EXPECT_EQ(NativeIndex(std::exp2(3.0 / 8)), 3);
  EXPECT_EQ(CoarserIndex(1, 1), 1);
  EXPECT_EQ(CoarserIndex(2, 1), 1);
  EXPECT_EQ(CoarserIndex(-1, 1), 0);
  EXPECT_EQ(CoarserIndex(-3, 2), 0);
  EXPECT_EQ(CoarserIndex(-4, 2), -1);
}

TEST(NativeHistogram, NothingAndNearlyNothingCountAsZero) {
  const auto counts = Observed(std::vector<double>{0, -1, 1e-9, kNativeZeroThreshold});
  EXPECT_EQ(counts.zero, 4U);
  EXPECT_TRUE(counts.counts.empty());
}

TEST(NativeHistogram, ValuesThatLieTogetherKeepTheFinestSchema) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(0.1 + i * 0.002);
  const auto counts = Observed(values);
  EXPECT_EQ(counts.schema, kNativeSchemaMax);
  ExpectRightBuckets(counts, values);
}

TEST(NativeHistogram, WideValuesLowerTheSchemaAndNothingIsLost) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(-16.5, 39);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 300; ++i) values.push_back(std::exp2(exponent(random)));
    const auto counts = Observed(values);
    EXPECT_LT(counts.schema, kNativeSchemaMax);
    EXPECT_LE(counts.counts.size(), kNativeBucketsMax);
    ExpectRightBuckets(counts, values);
  }
}

TEST(NativeHistogram, HugeValuesEndInTheLastBucket) {
  const auto counts = Observed(std::vector<double>{HUGE_VAL, 1e300, 0x1p40});
  ASSERT_EQ(counts.counts.size(), 1U);
  EXPECT_EQ(counts.counts[0], 3U);
}

TEST(NativeHistogram, WorkersOfDifferentSchemasAddUp) {
  CellArena arena;
  Word narrow{0}, wide{0}, untouched{0};
  std::vector<double> values;
  for (int i = 1; i < 100; ++i) {
    values.push_back(i * 0.01);
    ObserveNative(narrow, arena, values.back());
    values.push_back(std::exp2(-16 + i * 0.5));
    ObserveNative(wide, arena, values.back());
  }
  NativeCounts sum;
  for (const Word* block : {&narrow, &untouched, &wide}) AddNative(*block, sum);
  EXPECT_LE(sum.counts.size(), kNativeBucketsMax);
  ExpectRightBuckets(sum, values);
}

// A reader beside a writer that makes new blocks: the total never falls.
TEST(NativeHistogram, ReadersRunBesideTheWriter) {
  CellArena arena;
  Word block{0};
  constexpr uint64_t kRounds = 200'000;
  std::jthread writer([&] {
    for (uint64_t i = 0; i < kRounds; ++i) ObserveNative(block, arena, std::exp2(static_cast<double>(i * 7 % 500) / 10 - 16));
  });
  uint64_t before = 0;
  while (before < kRounds) {
    NativeCounts counts;
    AddNative(block, counts);
    ASSERT_GE(counts.Total(), before);
    before = counts.Total();
  }
}

}  // namespace
}  // namespace gw::metrics
