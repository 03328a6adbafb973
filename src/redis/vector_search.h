// The index of a semantic cache, in the commands that Redis' query engine (Redis 8, Redis Stack) and
// valkey-search share: FT.INFO, FT.CREATE, FT.SEARCH.
//
//   <index>:<id> -> hash { prompt, response, prompt_vector, litellm_cache_key (tag), inserted_at, updated_at }
//
// The names are those that LiteLLM's index has: one that it has made serves here as well. Pure. What a
// server answers is untrusted: anything unexpected reads as nothing found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "redis/resp.h"

namespace gw::redis {

[[nodiscard]] Command IndexInfo(std::string_view index);
// Of the vectors of hashes under "<index>:", by cosine; an exact search, since a tag leaves few of them.
[[nodiscard]] Command CreateIndex(std::string_view index, size_t dimension);
// The nearest neighbour among the entries with that tag. `tag`: letters and digits; `vector`: encoded
// floats; the server itself stops looking after `limit`.
[[nodiscard]] Command SearchNearest(std::string_view index, std::string_view tag, std::string_view vector,
                                    Duration limit);

struct IndexEntry {
  std::string_view key, tag, prompt, vector, response;
  int64_t inserted_unix_s = 0;
  int64_t ttl_ms = 0;
};
// Entry and expiry as one transaction: its commands, encoded, and how many replies they have.
inline constexpr int kStoreReplies = 4;
[[nodiscard]] std::string StoreEntry(const IndexEntry& entry);

struct Neighbour {
  std::string key, tag, response;
  double distance = 2;  // of the cosine: 0 the same direction, 2 the opposite
};
// nullopt: none, one that has just expired, or not such a reply.
[[nodiscard]] std::optional<Neighbour> ReadNeighbour(Reply reply);

// What FT.INFO says of the vectors; not every release says everything.
struct IndexFacts {
  bool has_vectors = false;  // the field is there
  bool is_cosine = true;
  size_t dimension = 0;      // 0: not said
};
[[nodiscard]] IndexFacts ReadIndexFacts(const Reply& reply);

enum class SearchTrouble : uint8_t {
  kOther,
  kNoModule,   // the server does not know the commands
  kNoIndex,
  kExists,     // somebody else has made the index meanwhile
  kDimension,  // the index holds vectors of another length
};
[[nodiscard]] SearchTrouble TroubleOf(std::string_view error);

}  // namespace gw::redis
