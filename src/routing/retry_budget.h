// May this failure be answered by one more attempt, seen from the whole process? (Second calls of
// hedged requests have a bucket of their own.)
//
// A bucket: every first attempt in a group puts `ratio` of a retry in, every retry takes one out,
// and it holds `burst` of them at most. So over any stretch of time
//     retries <= burst + ratio * first attempts
// and an outage cannot multiply the load on what is still alive. Fallbacks take nothing: they lead
// the load away, and each is a first attempt of its group. Lock-free; one cache line.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace gw::routing {

class alignas(64) RetryBudget {
 public:
  explicit RetryBudget(int burst) : max_(static_cast<int64_t>(burst) * kUnit), left_(max_) {}
  RetryBudget(const RetryBudget& other)
      : max_(other.max_), left_(other.left_.load(std::memory_order_relaxed)) {}
  RetryBudget& operator=(const RetryBudget&) = delete;

  void OnFirstAttempt(double ratio) {
    const auto share = static_cast<int64_t>(ratio * static_cast<double>(kUnit));
    int64_t left = left_.load(std::memory_order_relaxed);
    while (left < max_) {
      const int64_t more = std::min(left + share, max_);
      if (left_.compare_exchange_weak(left, more, std::memory_order_relaxed)) return;
    }
  }

  // A retry that was not made after all.
  void PutBack() { OnFirstAttempt(1); }

  // False: the budget is used up.
  [[nodiscard]] bool TakeRetry() {
    int64_t left = left_.load(std::memory_order_relaxed);
    while (left >= kUnit) {
      if (left_.compare_exchange_weak(left, left - kUnit, std::memory_order_relaxed)) return true;
    }
    return false;
  }

 private:
  static constexpr int64_t kUnit = 1'000'000;
  const int64_t max_;
  std::atomic<int64_t> left_;
};

}  // namespace gw::routing
