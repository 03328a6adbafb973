#include "cache/memory_store.h"

#include <algorithm>
#include <bit>

namespace gw::cache {

namespace {

constexpr size_t kShardsMax = 64;
// Below this many entries a shard evicts by chance rather than by use.
constexpr size_t kShardEntriesMin = 64;
// Table node, slot, key: what an entry costs beside itself.
constexpr size_t kOverheadBytes = 256;

// As many shards as leave each room for several of the largest entries.
size_t ShardCount(const MemoryBounds& bounds) {
  const size_t by_bytes = bounds.bytes_max / (4 * std::max<size_t>(bounds.entry_bytes_max, 1));
  const size_t by_entries = bounds.entries_max / kShardEntriesMin;
  return std::bit_floor(std::clamp<size_t>(std::min(by_bytes, by_entries), 1, kShardsMax));
}

}  // namespace

MemoryStore::MemoryStore(const MemoryBounds& bounds) : shards_(ShardCount(bounds)) {
  shard_entries_max_ = std::max<size_t>(1, bounds.entries_max / shards_.size());
  shard_bytes_max_ = std::max<size_t>(1, bounds.bytes_max / shards_.size());
  entry_bytes_max_ = std::min(bounds.entry_bytes_max, shard_bytes_max_);
}

MemoryStore::Shard& MemoryStore::ShardOf(std::string_view key) {
  // High bits: the low ones choose the bucket within the shard's table.
  const uint64_t mixed = Hash()(key) * 0x9E3779B97F4A7C15ULL;
  return shards_[(mixed >> 58) & (shards_.size() - 1)];
}

void MemoryStore::Drop(Shard& shard, uint32_t at, Garbage& garbage) {
  Slot& slot = shard.slots[at];
  shard.bytes -= slot.bytes;
  garbage.push_back(std::move(slot.entry));
  shard.index.erase(shard.index.find(*slot.key));
  slot = Slot{};
  shard.free.push_back(at);
}

EntryPtr MemoryStore::Get(std::string_view key, TimePoint now) {
  Shard& shard = ShardOf(key);
  Garbage garbage;  // freed after the lock
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.index.find(key);
  if (found == shard.index.end()) return nullptr;
  Slot& slot = shard.slots[found->second];
  if (now >= slot.expires) {
    Drop(shard, found->second, garbage);
    return nullptr;
  }
  slot.referenced = true;
  return slot.entry;
}

void MemoryStore::Evict(Shard& shard, size_t bytes, TimePoint now, Garbage& garbage) const {
  const auto is_full = [&] {
    return !shard.index.empty() &&
           (shard.index.size() >= shard_entries_max_ || shard.bytes + bytes > shard_bytes_max_);
  };
  // Two rounds clear every mark, so the loop ends.
  while (is_full()) {
    shard.hand = (shard.hand + 1) % shard.slots.size();
    Slot& slot = shard.slots[shard.hand];
    if (slot.key == nullptr) continue;
    if (slot.referenced && now < slot.expires) {
      slot.referenced = false;
      continue;
    }
    Drop(shard, static_cast<uint32_t>(shard.hand), garbage);
  }
}

void MemoryStore::Put(std::string_view key, EntryPtr entry, TimePoint now, Duration ttl) {
  const size_t bytes = entry->bytes() + key.size() + kOverheadBytes;
  if (bytes > entry_bytes_max_ || ttl <= Duration::zero()) return;
  Shard& shard = ShardOf(key);
  Garbage garbage;  // freed after the lock
  const std::lock_guard<std::mutex> lock(shard.mutex);
  if (const auto found = shard.index.find(key); found != shard.index.end()) Drop(shard, found->second, garbage);
  Evict(shard, bytes, now, garbage);
  uint32_t at = 0;
  if (shard.free.empty()) {
    at = static_cast<uint32_t>(shard.slots.size());
    shard.slots.emplace_back();
  } else {
    at = shard.free.back();
    shard.free.pop_back();
  }
  const auto placed = shard.index.emplace(std::string(key), at).first;
  Slot& slot = shard.slots[at];
  slot.key = &placed->first;
  slot.entry = std::move(entry);
  slot.expires = now + ttl;
  slot.bytes = bytes;
  shard.bytes += bytes;
}

bool MemoryStore::Delete(std::string_view key) {
  Shard& shard = ShardOf(key);
  Garbage garbage;  // freed after the lock
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.index.find(key);
  if (found == shard.index.end()) return false;
  Drop(shard, found->second, garbage);
  return true;
}

void MemoryStore::Clear() {
  for (Shard& shard : shards_) {
    std::vector<Slot> slots;
    decltype(shard.index) index;
    {
      const std::lock_guard<std::mutex> lock(shard.mutex);
      slots.swap(shard.slots);
      index.swap(shard.index);
      shard.free.clear();
      shard.hand = 0;
      shard.bytes = 0;
    }
  }
}

size_t MemoryStore::entries() const {
  size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    total += shard.index.size();
  }
  return total;
}

size_t MemoryStore::bytes() const {
  size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    total += shard.bytes;
  }
  return total;
}

}  // namespace gw::cache
