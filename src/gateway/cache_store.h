// Where kept answers lie: in this process, or in Redis. gateway/response_cache asks it and
// decides what may be used.
//
// Any loop's thread. A store that must ask another process bounds its own wait: a look-up that takes
// too long has found nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_tree.h"
#include "cache/entry.h"
#include "net/task.h"

namespace gw::gateway {

struct View;

class CacheStore {
 public:
  CacheStore() = default;
  virtual ~CacheStore() = default;
  CacheStore(const CacheStore&) = delete;
  CacheStore& operator=(const CacheStore&) = delete;

  // As /cache/ping and /health/readiness/details name it.
  [[nodiscard]] virtual std::string_view type() const = 0;

  // One result for each key; null: not there, or not found out in time.
  [[nodiscard]] virtual net::Task<std::vector<cache::EntryPtr>> Get(const View& view,
                                                                    const std::vector<std::string>& keys) = 0;
  // Nobody waits for it.
  virtual void Put(const View& view, const std::string& key, cache::EntryPtr entry, Duration ttl) = 0;

  // What makes the store useless for the time being, in words; empty: nothing known.
  [[nodiscard]] virtual std::string trouble() const { return {}; }
  // False: the store did not answer.
  [[nodiscard]] virtual net::Task<bool> Ping(const View& view) = 0;
  [[nodiscard]] virtual net::Task<bool> Delete(const View& view, std::vector<std::string> keys) = 0;
  [[nodiscard]] virtual net::Task<bool> Clear(const View& view) = 0;
  // /cache/redis/info; nullopt: no answer, or a store that has none.
  [[nodiscard]] virtual net::Task<std::optional<json::Object>> Info(const View&) { co_return std::nullopt; }
};

}  // namespace gw::gateway
