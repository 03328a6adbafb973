// Where do the sparse exponential buckets of a native histogram live?
//
// Bucket i of schema s ends at 2^(i / 2^s). A worker's cell is one block: a window of neighbouring
// buckets that grows with what is observed. When the window would need more than kNativeBucketsMax, the
// schema is lowered: pairs of buckets become one, the window halves. So a cell is small for a series
// whose values lie together, and bounded for one whose values do not.
// A block has one writer. Growing makes a new block and publishes it; a reader who still holds the old
// one reads counts of a moment ago.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/exemplar.h"

namespace gw::metrics {

inline constexpr int kNativeSchemaMax = 3;    // a bucket is 9 % wider than the one before
inline constexpr int kNativeSchemaMin = -4;   // what Prometheus takes
inline constexpr size_t kNativeBucketsMax = 160;
// 2^-17 s, 8 us: below it durations are noise, and each octave costs eight buckets.
inline constexpr double kNativeZeroThreshold = 0x1p-17;

// Bucket of `value` > kNativeZeroThreshold at kNativeSchemaMax.
[[nodiscard]] int32_t NativeIndex(double value);
// The bucket of a lower schema that holds the bucket.
[[nodiscard]] constexpr int32_t CoarserIndex(int32_t index, int steps) {
  return (index + (int32_t{1} << steps) - 1) >> steps;
}

class CellArena;
struct MemoryBlock;
// Counts `value` in the block that `block` points to (a pointer as a word), making or replacing it.
void ObserveNative(Word& block, CellArena& arena, double value);

// The sum over workers.
struct NativeCounts {
  int schema = kNativeSchemaMax;
  uint64_t zero = 0;
  int32_t first = 0;             // index of counts[0]
  std::vector<uint64_t> counts;  // at most kNativeBucketsMax
  [[nodiscard]] uint64_t Total() const;
};
void AddNative(const Word& block, NativeCounts& sum);
// The block and those it replaced.
void CollectNativeBlocks(const Word& block, std::vector<MemoryBlock>& blocks);

}  // namespace gw::metrics
