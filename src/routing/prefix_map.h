// Which engines have computed this beginning of a prompt lately? A guess at their prefix caches.
//
// One hash table without locks for all loops: buckets of sixteen words, each word one entry
// (tag | engine | when). Several engines may hold the same block, each in an entry of its own; when a
// bucket is full the entry of the oldest use goes. "When" is not a time but the engine's own count
// of tokens: an engine drops a block after computing as many others as fit into its memory, so an
// entry is as good as the tokens since then are few. A tag of 28 bits may be mistaken for another's;
// the request then just goes to an engine that computes its prompt anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "base/limits.h"
#include "routing/prompt_blocks.h"

namespace gw::routing {

class PrefixMap {
 public:
  static constexpr uint32_t kEnginesMax = 1U << 16;
  static constexpr int64_t kTokensPerTick = 64;

  // `entries` is rounded up to a power of two.
  explicit PrefixMap(size_t entries);

  // Calls use(engine, block, ticks) for every entry, the longest beginnings first; `ticks` is the
  // engine's count at the last use, to be compared by AgeOf. Stops when `use` returns false.
  template <typename Use>
  void ForEach(std::span<const PromptBlock> blocks, Use use) const {
    for (size_t i = blocks.size(); i-- > 0;) {
      const uint64_t tag = TagOf(blocks[i].hash);
      uint64_t* const bucket = BucketOf(blocks[i].hash);
      for (size_t k = 0; k < kWays; ++k) {
        const uint64_t word = std::atomic_ref(bucket[k]).load(std::memory_order_relaxed);
        if (TagIn(word) != tag) continue;
        if (!use(EngineIn(word), i, word & kTickMask)) return;
      }
    }
  }
  // `engine` has, or soon will have, all of the blocks; `tokens` is its count now.
  void Put(std::span<const PromptBlock> blocks, uint32_t engine, int64_t tokens);

  // Tokens between an entry's last use and the engine's count now.
  [[nodiscard]] static int64_t AgeOf(uint64_t ticks, int64_t tokens) {
    return static_cast<int64_t>((TickOf(tokens) - ticks) & kTickMask) * kTokensPerTick;
  }
  // A name for an engine; names come back after 65,536 engines, long after the entries are gone.
  [[nodiscard]] uint32_t NewEngine() { return next_engine_.fetch_add(1, std::memory_order_relaxed) % kEnginesMax; }
  [[nodiscard]] size_t capacity() const { return buckets_ * kWays; }

 private:
  static constexpr size_t kWays = 16;
  static constexpr uint64_t kTickBits = 20;
  static constexpr uint64_t kEngineBits = 16;
  static constexpr uint64_t kTickMask = (uint64_t{1} << kTickBits) - 1;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  // Odd: never that of an empty word.
  [[nodiscard]] static uint64_t TagOf(uint64_t hash) { return (hash >> (kTickBits + kEngineBits)) | 1; }
  [[nodiscard]] static uint64_t TagIn(uint64_t word) { return word >> (kTickBits + kEngineBits); }
  [[nodiscard]] static uint32_t EngineIn(uint64_t word) {
    return static_cast<uint32_t>((word >> kTickBits) & (kEnginesMax - 1));
  }
  [[nodiscard]] static uint64_t TickOf(int64_t tokens) {
    return static_cast<uint64_t>(tokens / kTokensPerTick) & kTickMask;
  }
  [[nodiscard]] uint64_t* BucketOf(uint64_t hash) const { return words_ + ((hash >> 1) & (buckets_ - 1)) * kWays; }
  void PutOne(uint64_t hash, uint32_t engine, uint64_t tick, size_t nth);

  // Words that were never written cost no memory: the operating system gives zeroed pages on first use.
  size_t buckets_;
  std::unique_ptr<void, Free> memory_;
  uint64_t* words_;  // in it, at the beginning of a cache line; read and written as atomics
  std::atomic<uint32_t> next_engine_{0};
};

}  // namespace gw::routing
