// Counters that forget by themselves: a begin stamp and counts in one 64-bit atomic.
//
// A window begins with its first event and lasts `length`; the first event after that begins a new
// one. One compare-and-swap per event, no lock, no timer. The stamp wraps (194 days for seconds in
// 24 bits): a row idle for exactly that long may see counts of its last window once, which costs at
// most one early cooldown.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace gw::routing {

[[nodiscard]] inline int64_t NanosecondsOf(TimePoint t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}

// begin second (24 bits) | failures (20) | successes (20); the counts saturate.
struct OutcomeCounts {
  static constexpr uint64_t kCountMax = (uint64_t{1} << 20) - 1;
  uint64_t failures = 0;
  uint64_t successes = 0;
  [[nodiscard]] uint64_t total() const { return failures + successes; }
};

inline constexpr uint64_t kWindowSeconds = 60;

// Age of a stamp within `mask`. Threads read the clock on their own, so "now" may lie a little
// before the begin that another thread wrote: that is age 0, not a wrapped huge one.
[[nodiscard]] inline uint64_t StampAge(uint64_t now, uint64_t begin, uint64_t mask,
                                       uint64_t slack) {
  const uint64_t age = (now - begin) & mask;
  return age > mask - slack ? 0 : age;
}

// Adds one outcome and returns the counts with it.
inline OutcomeCounts AddOutcome(std::atomic<uint64_t>& cell, bool failed, TimePoint now) {
  constexpr uint64_t kStampMask = (uint64_t{1} << 24) - 1;
  const uint64_t stamp =
      static_cast<uint64_t>(NanosecondsOf(now) / 1'000'000'000) & kStampMask;
  uint64_t old = cell.load(std::memory_order_relaxed);
  while (true) {
    uint64_t begin = old >> 40;
    OutcomeCounts counts{.failures = (old >> 20) & OutcomeCounts::kCountMax,
                         .successes = old & OutcomeCounts::kCountMax};
    const uint64_t age = StampAge(stamp, begin, kStampMask, 10);
    if (age >= kWindowSeconds || counts.total() == 0) {
      begin = stamp;
      counts = {};
    }
    uint64_t& count = failed ? counts.failures : counts.successes;
    count = std::min(count + 1, OutcomeCounts::kCountMax);
    const uint64_t fresh = (begin << 40) | (counts.failures << 20) | counts.successes;
    if (cell.compare_exchange_weak(old, fresh, std::memory_order_relaxed)) return counts;
  }
}

// begin millisecond (32 bits) | count (32 bits, saturating).
class CountWindow {
 public:
  // The count of the window that `now` lies in.
  [[nodiscard]] static uint64_t Read(const std::atomic<uint64_t>& cell, Duration length,
                                     TimePoint now) {
    const uint64_t value = cell.load(std::memory_order_relaxed);
    return IsOver(value, length, now) ? 0 : value & kMask;
  }

  // Adds and returns the new count.
  static uint64_t Add(std::atomic<uint64_t>& cell, uint64_t amount, Duration length,
                      TimePoint now) {
    uint64_t old = cell.load(std::memory_order_relaxed);
    while (true) {
      const uint64_t fresh = Sum(old, amount, length, now);
      if (cell.compare_exchange_weak(old, fresh, std::memory_order_relaxed)) return fresh & kMask;
    }
  }

  // Adds 1 unless the count has reached `limit`; false then.
  [[nodiscard]] static bool AddBelow(std::atomic<uint64_t>& cell, uint64_t limit, Duration length,
                                     TimePoint now) {
    uint64_t old = cell.load(std::memory_order_relaxed);
    while (true) {
      if ((IsOver(old, length, now) ? 0 : old & kMask) >= limit) return false;
      const uint64_t fresh = Sum(old, 1, length, now);
      if (cell.compare_exchange_weak(old, fresh, std::memory_order_relaxed)) return true;
    }
  }

  // Takes 1 back that AddBelow has added a moment ago.
  static void TakeBack(std::atomic<uint64_t>& cell) {
    uint64_t old = cell.load(std::memory_order_relaxed);
    while ((old & kMask) != 0) {
      if (cell.compare_exchange_weak(old, old - 1, std::memory_order_relaxed)) return;
    }
  }

  // Time until the window that `now` lies in ends; zero when none runs.
  [[nodiscard]] static Duration Left(const std::atomic<uint64_t>& cell, Duration length,
                                     TimePoint now) {
    const uint64_t value = cell.load(std::memory_order_relaxed);
    if (IsOver(value, length, now)) return {};
    return length - Age(value, now);
  }

 private:
  static constexpr uint64_t kMask = 0xFFFF'FFFFU;

  friend class RunningMinute;
  static constexpr uint64_t kSlackMs = 10'000;

  static uint64_t Stamp(TimePoint now) {
    return static_cast<uint64_t>(NanosecondsOf(now) / 1'000'000) & kMask;
  }
  static Duration Age(uint64_t value, TimePoint now) {
    return std::chrono::milliseconds(StampAge(Stamp(now), value >> 32, kMask, kSlackMs));
  }
  static bool IsOver(uint64_t value, Duration length, TimePoint now) {
    if ((value & kMask) == 0) return true;
    return Age(value, now) >= length;
  }
  static uint64_t Sum(uint64_t old, uint64_t amount, Duration length, TimePoint now) {
    const bool over = IsOver(old, length, now);
    const uint64_t count = std::min((over ? 0 : old & kMask) + std::min(amount, kMask), kMask);
    return ((over ? Stamp(now) : old >> 32) << 32) | count;
  }
};

// CountWindow::Read with a length of a minute, for many cells at one time.
class RunningMinute {
 public:
  explicit RunningMinute(TimePoint now) : stamp_(CountWindow::Stamp(now)) {}
  [[nodiscard]] uint64_t Read(const std::atomic<uint64_t>& cell) const {
    const uint64_t value = cell.load(std::memory_order_relaxed);
    // One comparison for both ends: begun less than a minute ago, or "after" now within the slack.
    const uint64_t age = (stamp_ - (value >> 32) + CountWindow::kSlackMs) & CountWindow::kMask;
    return age < kMinuteMs + CountWindow::kSlackMs ? value & CountWindow::kMask : 0;
  }

 private:
  static constexpr uint64_t kMinuteMs = 60'000;
  const uint64_t stamp_;
};

// day (16 bits) | count (48 bits): windows that begin at a time of day.
class DayWindow {
 public:
  [[nodiscard]] static uint64_t Read(const std::atomic<uint64_t>& cell, int64_t day) {
    const uint64_t value = cell.load(std::memory_order_relaxed);
    return IsOf(value, day) ? value & kMask : 0;
  }
  static void Add(std::atomic<uint64_t>& cell, uint64_t amount, int64_t day) {
    uint64_t old = cell.load(std::memory_order_relaxed);
    while (!cell.compare_exchange_weak(old, Sum(old, amount, day), std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] static bool AddBelow(std::atomic<uint64_t>& cell, uint64_t limit, int64_t day) {
    uint64_t old = cell.load(std::memory_order_relaxed);
    do {
      if ((IsOf(old, day) ? old & kMask : 0) >= limit) return false;
    } while (!cell.compare_exchange_weak(old, Sum(old, 1, day), std::memory_order_relaxed));
    return true;
  }
  static void TakeBack(std::atomic<uint64_t>& cell) { CountWindow::TakeBack(cell); }

 private:
  static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  static bool IsOf(uint64_t value, int64_t day) {
    return value >> 48 == (static_cast<uint64_t>(day) & 0xFFFF);
  }
  static uint64_t Sum(uint64_t old, uint64_t amount, int64_t day) {
    const uint64_t count = std::min((IsOf(old, day) ? old & kMask : 0) + amount, kMask);
    return ((static_cast<uint64_t>(day) & 0xFFFF) << 48) | count;
  }
};

}  // namespace gw::routing
