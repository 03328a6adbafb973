#include "routing/affinity.h"

#include <algorithm>
#include <bit>

#include "routing/packed_window.h"

namespace gw::routing {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kPromptCacheTtlSeconds = 300;  // how long providers keep a prefix

// tag (28 bits, odd: never an empty word) | row (18) | last use (18, in units of 4 s: 12 days).
constexpr uint64_t kRowBits = 18;
constexpr uint64_t kTimeBits = 18;
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
constexpr uint64_t kRowMask = (uint64_t{1} << kRowBits) - 1;
constexpr int64_t kTimeUnitNs = 4'000'000'000;

uint64_t TagOf(uint64_t key) { return (key >> (kRowBits + kTimeBits)) | 1; }
uint64_t StampOf(TimePoint now) {
  return static_cast<uint64_t>(NanosecondsOf(now) / kTimeUnitNs) & kTimeMask;
}
uint64_t TagIn(uint64_t word) { return word >> (kRowBits + kTimeBits); }
uint32_t RowIn(uint64_t word) { return static_cast<uint32_t>((word >> kTimeBits) & kRowMask); }
uint64_t AgeOf(uint64_t word, TimePoint now) {
  return StampAge(StampOf(now), word & kTimeMask, kTimeMask, 4);
}
bool IsFresh(uint64_t word, Duration ttl, TimePoint now) {
  const auto units = std::chrono::duration_cast<std::chrono::nanoseconds>(ttl).count();
  return word != 0 && static_cast<int64_t>(AgeOf(word, now)) * kTimeUnitNs < units;
}

uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDU;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53U;
  return x ^ (x >> 33);
}
uint64_t Hash(uint64_t seed, std::string_view text) {
  uint64_t hash = seed ^ 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return Mix(hash);
}

uint8_t KindsFor(const config::RouterSettings& settings, std::string_view group) {
  for (const auto& [name, kinds] : settings.group_affinity) {
    if (name == group) return kinds;
  }
  return settings.affinity;
}

// Calls `use(key, ttl, kind)` for what is known of the caller, the strongest bond first.
template <typename Use>
void ForEachKey(const config::RouterSettings& settings, const RequestControls& controls,
                std::string_view group, Use use) {
  const uint8_t kinds = KindsFor(settings, group);
  const Duration ttl = FromSeconds(settings.affinity_ttl_s);
  if ((kinds & config::kSessionAffinity) != 0 && !controls.session_id.empty()) {
    if (use(Hash(Hash(1, group), controls.session_id), ttl, config::kSessionAffinity)) return;
  }
  if ((kinds & config::kPromptCaching) != 0 && controls.prefix_hash != 0) {
    const uint64_t key = Mix(Hash(2, group) ^ controls.prefix_hash);
    if (use(key, FromSeconds(kPromptCacheTtlSeconds), config::kPromptCaching)) return;
  }
  if ((kinds & config::kDeploymentAffinity) != 0 && !controls.user_key.empty()) {
    use(Hash(Hash(4, group), controls.user_key), ttl, config::kDeploymentAffinity);
  }
}

}  // namespace

AffinityTable::AffinityTable(size_t entries)
    : buckets_(std::bit_ceil(std::max<size_t>(entries / kWays, 1))) {}

std::optional<uint32_t> AffinityTable::Find(uint64_t key, Duration ttl, TimePoint now) const {
  for (const std::atomic<uint64_t>& way : buckets_[BucketOf(key)].ways) {
    const uint64_t word = way.load(kRelaxed);
    if (word != 0 && TagIn(word) == TagOf(key) && IsFresh(word, ttl, now)) return RowIn(word);
  }
  return std::nullopt;
}

void AffinityTable::Put(uint64_t key, uint32_t row, bool keep_other, Duration ttl, TimePoint now) {
  if (row > kRowMask) return;
  auto& ways = buckets_[BucketOf(key)].ways;
  std::atomic<uint64_t>* place = nullptr;
  uint64_t oldest = 0;
  for (std::atomic<uint64_t>& way : ways) {
    const uint64_t word = way.load(kRelaxed);
    if (word != 0 && TagIn(word) == TagOf(key)) {
      if (keep_other && RowIn(word) != row && IsFresh(word, ttl, now)) return;
      place = &way;
      break;
    }
    const uint64_t age = word == 0 ? kTimeMask + 1 : AgeOf(word, now);
    if (place == nullptr || age > oldest) {
      place = &way;
      oldest = age;
    }
  }
  const uint64_t entry = (TagOf(key) << (kRowBits + kTimeBits)) |
                         (static_cast<uint64_t>(row) << kTimeBits) | StampOf(now);
  // Read first: a busy session must not make all cores write one cache line.
  if (place->load(kRelaxed) != entry) place->store(entry, kRelaxed);
}

std::optional<uint32_t> PinnedRow(const SharedState& state, const config::RouterSettings& settings,
                                  const RequestControls& controls, std::string_view group,
                                  TimePoint now) {
  std::optional<uint32_t> row;
  if (state.affinity() == nullptr) return row;
  ForEachKey(settings, controls, group, [&](uint64_t key, Duration ttl, config::AffinityKind) {
    row = state.affinity()->Find(key, ttl, now);
    return row.has_value();
  });
  return row;
}

void PinRow(const SharedState& state, const config::RouterSettings& settings,
            const RequestControls& controls, std::string_view group, uint32_t row, TimePoint now) {
  if (state.affinity() == nullptr) return;
  ForEachKey(settings, controls, group,
             [&](uint64_t key, Duration ttl, config::AffinityKind kind) {
               // A provider's cache is where the prompt was last; people return to their own row.
               const bool keep = kind != config::kPromptCaching && !settings.session_affinity_repin;
               state.affinity()->Put(key, row, keep, ttl, now);
               return false;
             });
}

}  // namespace gw::routing
