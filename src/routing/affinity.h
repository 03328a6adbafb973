// Which row served this caller before? Session, provider prompt cache, or the caller's key.
//
// A hash table without locks: buckets of eight words, each word one entry (tag | row | last use).
// When a bucket is full the entry that was idle longest goes. A tag of 27 bits may be mistaken for
// another's once in ten million look-ups; the request then just goes to a row that was free to
// serve it anyway.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

class AffinityTable {
 public:
  // `entries` is rounded up to a power of two.
  explicit AffinityTable(size_t entries);

  [[nodiscard]] std::optional<uint32_t> Find(uint64_t key, Duration ttl, TimePoint now) const;
  // keep_other: an entry that leads to another row and is not too old stays as it is.
  void Put(uint64_t key, uint32_t row, bool keep_other, Duration ttl, TimePoint now);
  [[nodiscard]] size_t capacity() const { return buckets_.size() * kWays; }

 private:
  static constexpr size_t kWays = 8;
  struct alignas(64) Bucket {
    std::array<std::atomic<uint64_t>, kWays> ways{};
  };
  [[nodiscard]] size_t BucketOf(uint64_t key) const { return key & (buckets_.size() - 1); }

  std::vector<Bucket> buckets_;
};

// The row that this request should go to if it can; nullopt: none is known.
[[nodiscard]] std::optional<uint32_t> PinnedRow(const SharedState& state,
                                                const config::RouterSettings& settings,
                                                const RequestControls& controls,
                                                std::string_view group, TimePoint now);
// After a success.
void PinRow(const SharedState& state, const config::RouterSettings& settings,
            const RequestControls& controls, std::string_view group, uint32_t row, TimePoint now);

}  // namespace gw::routing
