#include "gateway/response_cache.h"

namespace gw::gateway {

namespace {

cache::MemoryBounds Bounds(const config::CacheSettings& settings) {
  return {settings.entries_max, settings.bytes_max, settings.entry_bytes_max};
}

}  // namespace

int64_t UnixMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

ResponseCache::ResponseCache(const config::CacheSettings& settings) : settings_(settings), memory_(Bounds(settings)) {}

net::Task<cache::EntryPtr> ResponseCache::Find(Worker&, const std::string& key, const cache::Decision& decision) {
  cache::EntryPtr entry = memory_.Get(key, SteadyClock::now());
  if (entry != nullptr && !cache::IsFresh(decision, entry->stored_unix_ms, UnixMillis())) entry = nullptr;
  co_return entry;
}

net::Task<std::vector<cache::EntryPtr>> ResponseCache::FindMany(Worker& worker, const std::vector<std::string>& keys,
                                                                const cache::Decision& decision) {
  std::vector<cache::EntryPtr> found;
  found.reserve(keys.size());
  for (const std::string& key : keys) found.push_back(co_await Find(worker, key, decision));
  co_return found;
}

void ResponseCache::Store(Worker&, const std::string& key, cache::EntryPtr entry, Duration ttl) {
  memory_.Put(key, std::move(entry), SteadyClock::now(), ttl);
}

net::Task<bool> ResponseCache::Ping(Worker&) { co_return true; }

net::Task<bool> ResponseCache::Delete(Worker&, std::vector<std::string> keys) {
  for (const std::string& key : keys) memory_.Delete(key);
  co_return true;
}

net::Task<bool> ResponseCache::DeleteAll(Worker&) {
  memory_.Clear();
  co_return true;
}

}  // namespace gw::gateway
