// Where do the numbers of a series live, and who may touch them?
//
//   one block a series:  SeriesData | one slot per worker (gauge: one, its value) | label text
//   slot of a worker  -> words in that worker's arena      (counter: sum; histogram: sum, one count per
//                        bucket, pointers to exemplars and native buckets or 0)
// A worker's cells lie together in memory that no other worker writes, so two workers never share
// a cache line and a label set seen by one worker costs one worker's cells. The first write of a
// worker allocates its cells and publishes the pointer with release; the scrape reads it with
// acquire and sums. Words are written with relaxed load + store: each has one writer.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/exemplar.h"
#include "metrics/label_text.h"
#include "metrics/native_histogram.h"
#include "metrics/registry.h"

namespace gw::metrics {

struct MemoryBlock {
  Word* words = nullptr;
  size_t count = 0;
};

// Zeroed words that live as long as the arena. Only the owning worker allocates and takes back.
class alignas(64) CellArena {
 public:
  [[nodiscard]] Word* Allocate(size_t words);
  // The block of a series that is gone; the next one of its size gets it.
  void TakeBack(const MemoryBlock& block);
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<Word[]>> blocks_;
  std::unordered_map<size_t, std::vector<Word*>> free_;  // by size
  size_t left_ = 0;
  size_t bytes_ = 0;
  Word* next_ = nullptr;
};

// What all series of a family have in common.
struct FamilyShape {
  Type type = Type::kCounter;
  std::vector<double> bounds;
  std::span<CellArena> arenas;  // one per worker
  bool native = false;          // native buckets beside the classic ones
  const std::atomic<uint32_t>* epoch = nullptr;  // of expiry; null: series do not expire

  [[nodiscard]] size_t exemplars_at() const { return bounds.size() + 2; }
  [[nodiscard]] size_t native_at() const { return bounds.size() + 3; }
  [[nodiscard]] size_t WordsPerCell() const {
    return type == Type::kHistogram ? bounds.size() + 4 : 1;
  }
  [[nodiscard]] size_t SlotsPerSeries() const { return type == Type::kGauge ? 1 : arenas.size(); }
};

struct SeriesData;
struct SeriesDeleter {
  void operator()(SeriesData* series) const;
};
using SeriesPtr = std::unique_ptr<SeriesData, SeriesDeleter>;

struct SeriesData final : Series {
  // `text_hash`: HashOf(labels.text).
  [[nodiscard]] static SeriesPtr Make(const FamilyShape& shape, const LabelText& labels, uint32_t text_hash,
                                      double created_unix_s);
  [[nodiscard]] static uint32_t HashOf(std::string_view label_text);

  // `a="x",b="y"`, and where a histogram's `le="..."` belongs.
  [[nodiscard]] std::string_view label_text() const {
    return {reinterpret_cast<const char*>(slots() + shape.SlotsPerSeries()), text_bytes};
  }
  [[nodiscard]] size_t le_at() const { return le_offset; }

  // The cells of `worker`, made at its first write. Call on that worker's thread only.
  [[nodiscard]] Word* CellOf(uint32_t worker) {
    assert(shape.type != Type::kGauge);
    if (const uint64_t made = slots()[worker].load(std::memory_order_relaxed)) [[likely]] {
      return reinterpret_cast<Word*>(made);
    }
    return MakeCell(worker);
  }
  [[nodiscard]] double Sum() const;    // word 0 over all workers
  [[nodiscard]] double Value() const;  // the same, or a gauge's value
  // Adds up bucket counts (not cumulative; last is +Inf) into `counts`.
  void ReadBuckets(std::vector<uint64_t>& counts) const;
  // The youngest exemplar of each bucket; false when there is none at all.
  [[nodiscard]] bool ReadExemplars(std::vector<Exemplar>& exemplars) const;
  void ReadNative(NativeCounts& sum) const;
  // Keeps the exemplar of a bucket. On the worker's thread.
  void KeepExemplar(uint32_t worker, size_t bucket, const ExemplarId& exemplar, double value);
  // All memory of the series in the worker's arena.
  void CollectBlocks(uint32_t worker, std::vector<MemoryBlock>& blocks) const;
  // Notes that the series is in use.
  void Touch() {
    if (shape.epoch == nullptr) [[likely]] return;
    const uint32_t epoch = shape.epoch->load(std::memory_order_relaxed);
    if (touched.load(std::memory_order_relaxed) != epoch) touched.store(epoch, std::memory_order_relaxed);
  }
  [[nodiscard]] Word& gauge() {
    assert(shape.type == Type::kGauge);
    return slots()[0];
  }

  // Touched by every write.
  const FamilyShape& shape;
  std::atomic<uint32_t> touched{0};  // epoch of the last write
  // Read when a series is looked up, and by scrapes.
  const uint32_t text_hash;
  const uint32_t text_bytes;
  const uint32_t le_offset;
  const double created_s;
  double last_seen_s = -1;       // sweeps only: when it was last found touched

 private:
  SeriesData(const FamilyShape& family_shape, const LabelText& labels, uint32_t hash, double created_unix_s);

  // Behind the object, in its block.
  [[nodiscard]] Word* slots() { return reinterpret_cast<Word*>(this + 1); }
  [[nodiscard]] const Word* slots() const { return reinterpret_cast<const Word*>(this + 1); }
  // The cells of `worker` for a reader; null: it has written none.
  [[nodiscard]] const Word* CellSeen(size_t worker) const {
    assert(shape.type != Type::kGauge);
    return reinterpret_cast<const Word*>(slots()[worker].load(std::memory_order_acquire));
  }
  [[nodiscard]] Word* MakeCell(uint32_t worker);
};
static_assert(sizeof(SeriesData) == 40 && sizeof(SeriesData) % alignof(Word) == 0, "held a hundred thousand times");

inline void AddToDouble(Word& word, double v) {
  const double old = std::bit_cast<double>(word.load(std::memory_order_relaxed));
  word.store(std::bit_cast<uint64_t>(old + v), std::memory_order_relaxed);
}
inline void AddToCount(Word& word) {
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace gw::metrics
