// Records of one loop on their way to the telemetry thread: one writer, one reader, no lock.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "base/limits.h"
#include "telemetry/record.h"

namespace gw::telemetry {

class RecordRing {
 public:
  RecordRing() = default;
  ~RecordRing() {
    while (Pop() != nullptr) {
    }
  }
  RecordRing(const RecordRing&) = delete;
  RecordRing& operator=(const RecordRing&) = delete;

  // Writer. False: full, `record` is untouched.
  [[nodiscard]] bool Push(std::unique_ptr<RequestRecord>& record) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == slots_.size()) return false;
    slots_[tail % slots_.size()] = record.release();
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // Reader. Null: empty.
  [[nodiscard]] std::unique_ptr<RequestRecord> Pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    std::unique_ptr<RequestRecord> record(slots_[head % slots_.size()]);
    head_.store(head + 1, std::memory_order_release);
    return record;
  }

 private:
  std::array<RequestRecord*, limits::kTelemetryRingRecords> slots_{};
  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace gw::telemetry
