// Does the ring keep order, refuse what has no room, and survive two threads?
#include "telemetry/record_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace gw::telemetry {
namespace {

std::unique_ptr<RequestRecord> Numbered(int number) {
  auto record = std::make_unique<RequestRecord>();
  record->status = number;
  return record;
}

TEST(RecordRing, KeepsOrderAndRefusesWhenFull) {
  RecordRing ring;
  for (size_t i = 0; i < limits::kTelemetryRingRecords; ++i) {
    auto record = Numbered(static_cast<int>(i));
    ASSERT_TRUE(ring.Push(record));
    EXPECT_EQ(record, nullptr);
  }
  auto late = Numbered(-1);
  EXPECT_FALSE(ring.Push(late));
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(ring.Pop()->status, 0);
  EXPECT_TRUE(ring.Push(late));
  EXPECT_EQ(ring.Pop()->status, 1);
}

TEST(RecordRing, OneWriterAndOneReader) {
  RecordRing ring;
  constexpr int kRecords = 20'000;
  std::thread writer([&ring] {
    for (int i = 0; i < kRecords; ++i) {
      auto record = Numbered(i);
      while (!ring.Push(record)) std::this_thread::yield();
    }
  });
  for (int next = 0; next < kRecords;) {
    const auto record = ring.Pop();
    if (record == nullptr) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(record->status, next++);
  }
  writer.join();
  EXPECT_EQ(ring.Pop(), nullptr);
}

}  // namespace
}  // namespace gw::telemetry
