// The response cache as the gateway sees it: which kept answer may be used, and who is about to
// make one. Lives in the Runtime, so that a reload keeps what is stored; what a configuration says
// about caching stands in the snapshot and comes along as a Decision.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"
#include "cache/memory_store.h"
#include "cache/policy.h"
#include "config/cache_settings.h"
#include "gateway/cache_store.h"
#include "gateway/flights.h"
#include "net/task.h"

namespace gw::gateway {

class SemanticStore;

class ResponseCache {
 public:
  // `flights` outlives every loop.
  ResponseCache(const config::CacheSettings& settings, Flights& flights);

  // False: what is stored lies elsewhere or within other bounds, so these settings need a new one.
  [[nodiscard]] bool Fits(const config::CacheSettings& settings) const;

  // One result for each key. Null: not there, or too old for this request.
  [[nodiscard]] net::Task<std::vector<cache::EntryPtr>> Find(const View& view, const std::vector<std::string>& keys,
                                                             const cache::Decision& decision);
  void Store(const View& view, const std::string& key, cache::EntryPtr entry, Duration ttl) {
    store_->Put(view, key, std::move(entry), ttl);
  }

  [[nodiscard]] CacheStore& store() { return *store_; }
  // Null: answers are found by the same question only.
  [[nodiscard]] SemanticStore* semantic() { return semantic_; }
  [[nodiscard]] Flights& flights() { return flights_; }

 private:
  const cache::MemoryBounds bounds_;
  const bool in_redis_;
  const std::unique_ptr<CacheStore> store_;
  SemanticStore* const semantic_;  // store_, when it is one
  Flights& flights_;
};

// Wall clock: ages are compared with those of other replicas.
[[nodiscard]] int64_t UnixMillis();

}  // namespace gw::gateway
