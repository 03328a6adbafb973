// Where do the numbers of a series live, and who may touch them?
//
//   SeriesData.cells[worker] -> words in that worker's arena      (counter: sum; histogram:
//                                                                  sum, then one count per bucket)
// A worker's cells lie together in memory that no other worker writes, so two workers never share
// a cache line and a label set seen by one worker costs one worker's cells. The first write of a
// worker allocates its cells and publishes the pointer with release; the scrape reads it with
// acquire and sums. Words are written with relaxed load + store: each has one writer.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "metrics/label_text.h"
#include "metrics/registry.h"

namespace gw::metrics {

using Word = std::atomic<uint64_t>;  // a count, or the bits of a double

// Zeroed words that live as long as the arena. Only the owning worker allocates.
class alignas(64) CellArena {
 public:
  [[nodiscard]] Word* Allocate(size_t words);

 private:
  std::vector<std::unique_ptr<Word[]>> blocks_;
  size_t left_ = 0;
  Word* next_ = nullptr;
};

// What all series of a family have in common.
struct FamilyShape {
  Type type = Type::kCounter;
  std::vector<double> bounds;
  std::span<CellArena> arenas;  // one per worker

  [[nodiscard]] size_t WordsPerCell() const {
    return type == Type::kHistogram ? bounds.size() + 2 : 1;
  }
};

struct SeriesData {
  SeriesData(const FamilyShape& family_shape, LabelText label_text, double created_unix_s);

  // The cells of `worker`, made at its first write. Call on that worker's thread only.
  [[nodiscard]] Word* CellOf(uint32_t worker) {
    if (Word* cell = cells[worker].load(std::memory_order_relaxed)) [[likely]] return cell;
    return MakeCell(worker);
  }
  [[nodiscard]] double Sum() const;  // word 0 over all workers
  // Adds up bucket counts (not cumulative; last is +Inf) into `counts`.
  void ReadBuckets(std::vector<uint64_t>& counts) const;

  // Touched by every write.
  const FamilyShape& shape;
  const std::unique_ptr<std::atomic<Word*>[]> cells;
  Word gauge_bits{0};
  // Read by scrapes only.
  const LabelText labels;
  const double created_s;

 private:
  [[nodiscard]] Word* MakeCell(uint32_t worker);
};

inline void AddToDouble(Word& word, double v) {
  const double old = std::bit_cast<double>(word.load(std::memory_order_relaxed));
  word.store(std::bit_cast<uint64_t>(old + v), std::memory_order_relaxed);
}
inline void AddToCount(Word& word) {
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace gw::metrics
