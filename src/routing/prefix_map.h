// Which engines have computed this beginning of a prompt lately? A guess at their prefix caches.
//
// One hash table without locks for all loops: buckets of sixteen words, each word one entry
// (tag | engine | when). Several engines may hold the same block, each in an entry of its own; when a
// bucket is full the entry of the oldest use goes. "When" is not a time but the engine's own count
// of tokens: an engine drops a block after computing as many others as fit into its memory, so an
// entry is as good as the tokens since then are few. A tag of 28 bits may be mistaken for another's;
// the request then just goes to an engine that computes its prompt anew.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
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
    for (size_t k = 0; k < std::min(kAhead, blocks.size()); ++k) Prefetch(blocks[blocks.size() - 1 - k].hash);
    for (size_t i = blocks.size(); i-- > 0;) {
      if (i >= kAhead) Prefetch(blocks[i - kAhead].hash);
      uint64_t* const bucket = BucketOf(blocks[i].hash);
      for (uint32_t hits = WaysOf<kTickBits + kEngineBits>(bucket, TagOf(blocks[i].hash)); hits != 0; hits &= hits - 1) {
        const uint64_t word = Load(bucket[std::countr_zero(hits)]);
        if (!use(EngineIn(word), i, word & kTickMask)) return;
      }
    }
  }

  // Where one engine's entries of a prompt's blocks stand. Of one thread, for a moment: the entries may go.
  class Places {
   public:
    Places(const PrefixMap& map, std::span<const PromptBlock> blocks, uint32_t engine);
    // The engine's count at the block's last use; nullopt: it has no entry.
    [[nodiscard]] std::optional<uint64_t> TicksOf(size_t block) const;

   private:
    friend class PrefixMap;
    [[nodiscard]] bool IsStill(size_t block, uint64_t name) const {
      return words_[block] != nullptr && Load(*words_[block]) >> kTickBits == name;
    }
    std::array<uint64_t*, limits::kPromptBlocksMax> words_{};  // null: none
  };
  // `engine` has, or soon will have, all of the blocks; `tokens` is its count now.
  void Put(std::span<const PromptBlock> blocks, uint32_t engine, int64_t tokens) {
    Put(blocks, engine, tokens, Places(*this, blocks, engine));
  }
  void Put(std::span<const PromptBlock> blocks, uint32_t engine, int64_t tokens, const Places& places);

  // Tokens between an entry's last use and the engine's count now.
  [[nodiscard]] static int64_t AgeOf(uint64_t ticks, int64_t tokens) {
    return static_cast<int64_t>((TickOf(tokens) - ticks) & kTickMask) * kTokensPerTick;
  }
  // A name for an engine; names come back after 65,536 engines, long after the entries are gone.
  [[nodiscard]] uint32_t NewEngine() { return next_engine_.fetch_add(1, std::memory_order_relaxed) % kEnginesMax; }
  [[nodiscard]] size_t capacity() const { return buckets_ * kWays; }

 private:
  static constexpr size_t kWays = 16;
  static constexpr size_t kAhead = 6;  // blocks whose buckets are on their way from memory while one is looked at
  static constexpr uint64_t kTickBits = 20;
  static constexpr uint64_t kEngineBits = 16;
  static constexpr uint64_t kTickMask = (uint64_t{1} << kTickBits) - 1;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  // Odd: never that of an empty word.
  [[nodiscard]] static uint64_t TagOf(uint64_t hash) { return (hash >> (kTickBits + kEngineBits)) | 1; }
  // Of an entry without its "when".
  [[nodiscard]] static uint64_t NameOf(uint64_t hash, uint32_t engine) {
    return (TagOf(hash) << kEngineBits) | engine;
  }
  [[nodiscard]] static uint32_t EngineIn(uint64_t word) {
    return static_cast<uint32_t>((word >> kTickBits) & (kEnginesMax - 1));
  }
  [[nodiscard]] static uint64_t TickOf(int64_t tokens) {
    return static_cast<uint64_t>(tokens / kTokensPerTick) & kTickMask;
  }
  [[nodiscard]] uint64_t* BucketOf(uint64_t hash) const { return words_ + ((hash >> 1) & (buckets_ - 1)) * kWays; }
  [[nodiscard]] static uint64_t Load(uint64_t& word) { return std::atomic_ref(word).load(std::memory_order_relaxed); }
  // Which ways hold `name` above the lowest kShift bits? One bit per way; without a branch, since
  // where an entry stands cannot be predicted.
  template <uint64_t kShift>
  [[nodiscard]] static uint32_t WaysOf(uint64_t* bucket, uint64_t name) {
    const uint64_t wanted = name << kShift;
    const auto is_it = [&](uint64_t& word) { return (Load(word) ^ wanted) >> kShift == 0 ? 1U : 0U; };
    uint32_t ways = 0;
    for (size_t k = kWays; k > 0; k -= 4) {
      ways = 2 * ways + is_it(bucket[k - 1]);
      ways = 2 * ways + is_it(bucket[k - 2]);
      ways = 2 * ways + is_it(bucket[k - 3]);
      ways = 2 * ways + is_it(bucket[k - 4]);
    }
    return ways;
  }
  void Prefetch(uint64_t hash) const {
    const uint64_t* const bucket = BucketOf(hash);
    __builtin_prefetch(bucket);
    __builtin_prefetch(bucket + kWays / 2);
  }
  [[nodiscard]] static size_t OldestWay(uint64_t* bucket, uint64_t tick, size_t nth);

  // Words that were never written cost no memory: the operating system gives zeroed pages on first use.
  size_t buckets_;
  std::unique_ptr<void, Free> memory_;
  uint64_t* words_;  // in it, at the beginning of a cache line; read and written as atomics
  std::atomic<uint32_t> next_engine_{0};
};

}  // namespace gw::routing
