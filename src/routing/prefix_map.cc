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

PrefixMap::Places::Places(const PrefixMap& map, std::span<const PromptBlock> blocks, uint32_t engine) {
  const size_t count = std::min(blocks.size(), words_.size());
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) map.Prefetch(blocks[i + kAhead].hash);
    uint64_t* const bucket = map.BucketOf(blocks[i].hash);
    const uint32_t ways = WaysOf<kTickBits>(bucket, NameOf(blocks[i].hash, engine));
    words_[i] = ways == 0 ? nullptr : bucket + std::countr_zero(ways);
  }
}

std::optional<uint64_t> PrefixMap::Places::TicksOf(size_t block) const {
  if (block >= words_.size() || words_[block] == nullptr) return std::nullopt;
  return Load(*words_[block]) & kTickMask;
}

// An empty place, else that of the oldest use. Counts of different engines are compared as if they ran
// alike, which engines of one fleet roughly do; the turn of the ways keeps a fast engine's entries from
// driving out all others.
size_t PrefixMap::OldestWay(uint64_t* bucket, uint64_t tick, size_t nth) {
  size_t place = 0;
  uint64_t oldest = 0;
  for (size_t k = 0; k < kWays; ++k) {
    const size_t way = (k + nth + tick) % kWays;
    const uint64_t word = Load(bucket[way]);
    const uint64_t age = word == 0 ? kTickMask + 1 : (tick - word) & kTickMask;
    if (k > 0 && age <= oldest) continue;
    place = way;
    oldest = age;
  }
  return place;
}

void PrefixMap::Put(std::span<const PromptBlock> blocks, uint32_t engine, int64_t tokens, const Places& places) {
  const uint64_t tick = TickOf(tokens);
  const size_t count = std::min(blocks.size(), places.words_.size());
  for (size_t i = 0; i < count; ++i) {
    const uint64_t name = NameOf(blocks[i].hash, engine);
    uint64_t* const bucket = BucketOf(blocks[i].hash);
    // Read first: a shared system prompt must not make all cores write one cache line.
    const std::atomic_ref word(places.IsStill(i, name) ? *places.words_[i] : bucket[OldestWay(bucket, tick, i)]);
    const uint64_t entry = (name << kTickBits) | tick;
    if (word.load(std::memory_order_relaxed) != entry) word.store(entry, std::memory_order_relaxed);
  }
}

}  // namespace gw::routing
