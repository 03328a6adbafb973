// The response cache as the gateway sees it: look up, keep, forget, whatever tier is behind it.
//
// Shared by all workers. The memory tier answers at once; Redis is asked through the worker's own
// client and may take kLookupBudget at most, after which the request goes upstream as if nothing
// had been found.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cache/entry.h"
#include "cache/memory_store.h"
#include "cache/policy.h"
#include "config/cache_settings.h"
#include "gateway/flights.h"
#include "net/task.h"

namespace gw::gateway {

class Worker;

class ResponseCache {
 public:
  explicit ResponseCache(const config::CacheSettings& settings);

  // Null: not there, too old for this request, or not found out in time.
  [[nodiscard]] net::Task<cache::EntryPtr> Find(Worker& worker, const std::string& key,
                                                const cache::Decision& decision);
  // One result for each key.
  [[nodiscard]] net::Task<std::vector<cache::EntryPtr>> FindMany(Worker& worker, const std::vector<std::string>& keys,
                                                                 const cache::Decision& decision);
  // Nobody waits for it.
  void Store(Worker& worker, const std::string& key, cache::EntryPtr entry, Duration ttl);

  // For the administration: false when the tier did not answer.
  [[nodiscard]] net::Task<bool> Ping(Worker& worker);
  [[nodiscard]] net::Task<bool> Delete(Worker& worker, std::vector<std::string> keys);
  [[nodiscard]] net::Task<bool> DeleteAll(Worker& worker);

  [[nodiscard]] const config::CacheSettings& settings() const { return settings_; }
  [[nodiscard]] Flights& flights() { return flights_; }

 private:
  const config::CacheSettings& settings_;
  cache::MemoryStore memory_;
  Flights flights_;
};

[[nodiscard]] int64_t UnixMillis();

}  // namespace gw::gateway
