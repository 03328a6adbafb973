#include "metrics/native_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "metrics/series_data.h"

namespace gw::metrics {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr size_t kFirstBuckets = 16;  // two octaves

// A block: schema and index of the first bucket, number of buckets, zero count, the block it replaced,
// counts. All but zero count and counts are written before the block is published and stay.
constexpr size_t kHeadWords = 4;
struct Window {
  int schema = kNativeSchemaMax;
  int32_t first = 0;
  size_t buckets = 0;

  [[nodiscard]] int32_t end() const { return first + static_cast<int32_t>(buckets); }
  [[nodiscard]] bool Holds(int32_t index) const { return index >= first && index < end(); }
};

[[nodiscard]] Window WindowOf(const Word* block) {
  const uint64_t word = block[0].load(kRelaxed);
  return {static_cast<int>(static_cast<int32_t>(word >> 32)), static_cast<int32_t>(word & 0xFFFFFFFF),
          block[1].load(kRelaxed)};
}

[[nodiscard]] Word* BlockOf(const Word& pointer, std::memory_order order) {
  return reinterpret_cast<Word*>(pointer.load(order));
}

// The window that holds `old` and `index` (of kNativeSchemaMax): wider, coarser when it must be.
[[nodiscard]] Window Grown(const Window& old, int32_t fine_index) {
  Window next = old;
  while (true) {
    const int steps = old.schema - next.schema;
    const int32_t index = CoarserIndex(fine_index, kNativeSchemaMax - next.schema);
    const int32_t first = std::min(CoarserIndex(old.first, steps), index);
    const int32_t end = std::max(CoarserIndex(old.end() - 1, steps), index) + 1;
    const auto needed = static_cast<size_t>(end - first);
    if (needed <= kNativeBucketsMax || next.schema == kNativeSchemaMin) {
      // Twice as wide at least, so that a drifting value does not make a block each time.
      next.buckets = std::min(kNativeBucketsMax, std::max(needed, std::min(old.buckets * 2, kNativeBucketsMax)));
      const bool is_below = index < CoarserIndex(old.first, steps);
      next.first = is_below ? end - static_cast<int32_t>(next.buckets) : first;
      return next;
    }
    --next.schema;
  }
}

[[nodiscard]] Word* NewBlock(CellArena& arena, const Window& window) {
  Word* block = arena.Allocate(kHeadWords + window.buckets);
  const uint64_t schema = static_cast<uint32_t>(window.schema);
  block[0].store(schema << 32 | static_cast<uint32_t>(window.first), kRelaxed);
  block[1].store(window.buckets, kRelaxed);
  return block;
}

void AddTo(Word& word, uint64_t n) { word.store(word.load(kRelaxed) + n, kRelaxed); }

[[nodiscard]] Word* Replace(Word& pointer, CellArena& arena, Word* old, int32_t fine_index) {
  const Window before = WindowOf(old), window = Grown(before, fine_index);
  Word* block = NewBlock(arena, window);
  block[2].store(old[2].load(kRelaxed), kRelaxed);
  block[3].store(reinterpret_cast<uint64_t>(old), kRelaxed);
  const int steps = before.schema - window.schema;
  for (size_t i = 0; i < before.buckets; ++i) {
    const int32_t index = CoarserIndex(before.first + static_cast<int32_t>(i), steps);
    const uint64_t count = old[kHeadWords + i].load(kRelaxed);
    if (count > 0) AddTo(block[kHeadWords + static_cast<size_t>(index - window.first)], count);
  }
  pointer.store(reinterpret_cast<uint64_t>(block), std::memory_order_release);
  return block;
}

void Coarsen(NativeCounts& counts, int schema) {
  const int steps = counts.schema - schema;
  counts.schema = schema;
  if (steps == 0 || counts.counts.empty()) return;
  const int32_t first = CoarserIndex(counts.first, steps);
  for (size_t i = 0; i < counts.counts.size(); ++i) {
    const auto at = static_cast<size_t>(CoarserIndex(counts.first + static_cast<int32_t>(i), steps) - first);
    const uint64_t count = counts.counts[i];
    counts.counts[i] = 0;
    counts.counts[at] += count;  // at <= i
  }
  const int32_t last = CoarserIndex(counts.first + static_cast<int32_t>(counts.counts.size()) - 1, steps);
  counts.counts.resize(static_cast<size_t>(last - first) + 1);
  counts.first = first;
}

}  // namespace

int32_t NativeIndex(double value) {
  // Upper bounds of the eight buckets of an octave, as fractions of it.
  static const std::array<double, 8> bounds = [] {
    std::array<double, 8> b{};
    for (size_t i = 0; i < b.size(); ++i) b[i] = 0.5 * std::exp2(static_cast<double>(i) / 8);
    return b;
  }();
  value = std::min(value, 0x1p40);  // 35,000 years
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  const auto rank = std::lower_bound(bounds.begin(), bounds.end(), fraction) - bounds.begin();
  return static_cast<int32_t>(rank) + (exponent - 1) * 8;
}

void ObserveNative(Word& pointer, CellArena& arena, double value) {
  Word* block = BlockOf(pointer, kRelaxed);
  const bool is_zero = value <= kNativeZeroThreshold;
  const int32_t fine_index = is_zero ? 0 : NativeIndex(value);
  if (block == nullptr) {
    Window window;
    window.first = fine_index - static_cast<int32_t>(kFirstBuckets / 2);
    window.buckets = kFirstBuckets;
    block = NewBlock(arena, window);
    pointer.store(reinterpret_cast<uint64_t>(block), std::memory_order_release);
  }
  if (is_zero) return AddTo(block[2], 1);
  Window window = WindowOf(block);
  if (!window.Holds(CoarserIndex(fine_index, kNativeSchemaMax - window.schema))) [[unlikely]] {
    block = Replace(pointer, arena, block, fine_index);
    window = WindowOf(block);
  }
  const int32_t index = CoarserIndex(fine_index, kNativeSchemaMax - window.schema);
  AddTo(block[kHeadWords + static_cast<size_t>(index - window.first)], 1);
}

void CollectNativeBlocks(const Word& pointer, std::vector<MemoryBlock>& blocks) {
  for (Word* block = BlockOf(pointer, std::memory_order_acquire); block != nullptr;
       block = BlockOf(block[3], kRelaxed)) {
    blocks.push_back({block, kHeadWords + WindowOf(block).buckets});
  }
}

uint64_t NativeCounts::Total() const { return std::accumulate(counts.begin(), counts.end(), zero); }

void AddNative(const Word& pointer, NativeCounts& sum) {
  const Word* block = BlockOf(pointer, std::memory_order_acquire);
  if (block == nullptr) return;
  const Window window = WindowOf(block);
  NativeCounts one;
  one.schema = window.schema;
  one.first = window.first;
  for (size_t i = 0; i < window.buckets; ++i) one.counts.push_back(block[kHeadWords + i].load(kRelaxed));
  sum.zero += block[2].load(kRelaxed);
  // Empty ends would widen the sum for nothing.
  while (!one.counts.empty() && one.counts.back() == 0) one.counts.pop_back();
  const auto filled = std::find_if(one.counts.begin(), one.counts.end(), [](uint64_t n) { return n > 0; });
  one.first += static_cast<int32_t>(filled - one.counts.begin());
  one.counts.erase(one.counts.begin(), filled);
  if (one.counts.empty()) return;
  if (sum.counts.empty()) {
    sum.schema = one.schema;
    sum.first = one.first;
    sum.counts = std::move(one.counts);
    return;
  }
  for (int schema = std::min(sum.schema, one.schema);; --schema) {
    Coarsen(sum, schema);
    Coarsen(one, schema);
    const int32_t first = std::min(sum.first, one.first);
    const int32_t end = std::max(sum.first + static_cast<int32_t>(sum.counts.size()),
                                 one.first + static_cast<int32_t>(one.counts.size()));
    if (static_cast<size_t>(end - first) > kNativeBucketsMax && schema > kNativeSchemaMin) continue;
    sum.counts.insert(sum.counts.begin(), static_cast<size_t>(sum.first - first), 0);
    sum.first = first;
    sum.counts.resize(static_cast<size_t>(end - first));
    for (size_t i = 0; i < one.counts.size(); ++i) {
      sum.counts[static_cast<size_t>(one.first - first) + i] += one.counts[i];
    }
    return;
  }
}

}  // namespace gw::metrics
