// Answers kept in this process: bounded in number and bytes, each with its end of life.
//
// Shared by all workers. The store is cut into shards by the key's hash; a look-up holds the lock of
// one shard for a hash-table probe and a reference count (some tens of nanoseconds), never while
// memory of an entry is freed or its bytes are touched. Two workers meet only when they touch the
// same shard in that very moment; there is no lock that all of them take. A lock-free table would
// save those nanoseconds and cost deferred freeing.
// Full shards evict by the clock algorithm: an entry that was read since the hand passed gets a
// second round, expired ones go first. Time is an argument.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "cache/entry.h"

namespace gw::cache {

struct MemoryBounds {
  size_t entries_max = 20'000;
  size_t bytes_max = size_t{128} << 20;
  size_t entry_bytes_max = size_t{1} << 20;

  bool operator==(const MemoryBounds&) const = default;
};

class MemoryStore {
 public:
  explicit MemoryStore(const MemoryBounds& bounds);

  // Null when absent or expired.
  [[nodiscard]] EntryPtr Get(std::string_view key, TimePoint now);
  // Replaces; dropped when larger than an entry may be.
  void Put(std::string_view key, EntryPtr entry, TimePoint now, Duration ttl);
  bool Delete(std::string_view key);
  void Clear();

  [[nodiscard]] size_t entries() const;
  [[nodiscard]] size_t bytes() const;
  [[nodiscard]] size_t shards() const { return shards_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  struct Slot {
    const std::string* key = nullptr;  // of the map's node; null: free
    EntryPtr entry;
    TimePoint expires{};
    size_t bytes = 0;
    bool referenced = false;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> index;
    std::vector<Slot> slots;
    std::vector<uint32_t> free;
    size_t hand = 0;
    size_t bytes = 0;
  };
  using Garbage = std::vector<EntryPtr>;

  [[nodiscard]] Shard& ShardOf(std::string_view key);
  static void Drop(Shard& shard, uint32_t at, Garbage& garbage);
  // Makes room for `bytes` more.
  void Evict(Shard& shard, size_t bytes, TimePoint now, Garbage& garbage) const;

  size_t shard_entries_max_, shard_bytes_max_, entry_bytes_max_;
  std::vector<Shard> shards_;
};

}  // namespace gw::cache
