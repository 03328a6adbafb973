#include "metrics/process_metrics.h"

#include <gtest/gtest.h>

#include <chrono>

namespace gw::metrics {
namespace {

TEST(ProcessMetrics, DescribeThisProcess) {
  EXPECT_GT(ReadProcessMetric(ScrapeId::kVirtualMemory).value_or(0), 1 << 20);
  EXPECT_GT(ReadProcessMetric(ScrapeId::kResidentMemory).value_or(0), 1 << 18);
  EXPECT_GE(ReadProcessMetric(ScrapeId::kCpuSeconds).value_or(-1), 0);
  EXPECT_GE(ReadProcessMetric(ScrapeId::kOpenFds).value_or(0), 3);
  EXPECT_GE(ReadProcessMetric(ScrapeId::kMaxFds).value_or(0), 64);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const double start = ReadProcessMetric(ScrapeId::kStartTime).value_or(0);
  EXPECT_GT(start, 1.5e9);
  EXPECT_LT(start, now + 60);  // the boot time is rounded
}

TEST(ProcessMetrics, OtherFamiliesAreNotOfTheProcess) {
  EXPECT_FALSE(ReadProcessMetric(ScrapeId::kInFlight).has_value());
}

}  // namespace
}  // namespace gw::metrics
