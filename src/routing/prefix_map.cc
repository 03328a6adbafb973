#include "routing/prefix_map.h"

#include <algorithm>
#include <bit>

namespace gw::routing {

PrefixMap::PrefixMap(size_t entries)
    : buckets_(std::bit_ceil(std::max<size_t>(entries / kWays, 1))),
      memory_(std::calloc((buckets_ + 1) * kWays, sizeof(uint64_t))) {
  constexpr size_t kBucketBytes = kWays * sizeof(uint64_t);
  void* begin = memory_.get();
  size_t bytes = (buckets_ + 1) * kBucketBytes;
  words_ = static_cast<uint64_t*>(std::align(kBucketBytes, buckets_ * kBucketBytes, begin, bytes));
  if (words_ == nullptr) std::abort();  // out of memory, as in operator new
}

void PrefixMap::Put(std::span<const PromptBlock> blocks, uint32_t engine, int64_t tokens) {
  const uint64_t tick = TickOf(tokens);
  for (size_t i = 0; i < blocks.size(); ++i) PutOne(blocks[i].hash, engine, tick, i);
}

// The engine's own entry, else an empty place, else that of the oldest use. Counts of different
// engines are compared as if they ran alike, which engines of one fleet roughly do; the turn of the
// ways keeps a fast engine's entries from driving out all others.
void PrefixMap::PutOne(uint64_t hash, uint32_t engine, uint64_t tick, size_t nth) {
  uint64_t* const bucket = BucketOf(hash);
  const uint64_t tag = TagOf(hash);
  const uint64_t entry = (tag << (kTickBits + kEngineBits)) | (uint64_t{engine} << kTickBits) | tick;
  uint64_t* place = nullptr;
  uint64_t oldest = 0;
  for (size_t k = 0; k < kWays; ++k) {
    uint64_t& way = bucket[(k + nth + tick) % kWays];
    const uint64_t word = std::atomic_ref(way).load(std::memory_order_relaxed);
    if (TagIn(word) == tag && EngineIn(word) == engine) {
      place = &way;
      break;
    }
    const uint64_t age = word == 0 ? kTickMask + 1 : (tick - word) & kTickMask;
    if (place == nullptr || age > oldest) {
      place = &way;
      oldest = age;
    }
  }
  // Read first: a shared system prompt must not make all cores write one cache line.
  const std::atomic_ref chosen(*place);
  if (chosen.load(std::memory_order_relaxed) != entry) chosen.store(entry, std::memory_order_relaxed);
}

}  // namespace gw::routing
