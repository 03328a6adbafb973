#include "gateway/response_cache.h"

#include <chrono>

#include "gateway/redis_cache_store.h"
#include "gateway/semantic_store.h"

namespace gw::gateway {

namespace {

cache::MemoryBounds BoundsOf(const config::CacheSettings& settings) {
  return {settings.entries_max, settings.bytes_max, settings.entry_bytes_max};
}

// Answers at once.
class InMemory final : public CacheStore {
 public:
  explicit InMemory(const cache::MemoryBounds& bounds) : memory_(bounds) {}

  [[nodiscard]] std::string_view type() const override { return "local"; }

  net::Task<std::vector<cache::EntryPtr>> Get(const View&, const std::vector<std::string>& keys) override {
    const TimePoint now = SteadyClock::now();
    std::vector<cache::EntryPtr> found;
    found.reserve(keys.size());
    for (const std::string& key : keys) found.push_back(memory_.Get(key, now));
    co_return found;
  }

  void Put(const View&, const std::string& key, cache::EntryPtr entry, Duration ttl) override {
    memory_.Put(key, std::move(entry), SteadyClock::now(), ttl);
  }

  net::Task<bool> Ping(const View&) override { co_return true; }

  net::Task<bool> Delete(const View&, std::vector<std::string> keys) override {
    for (const std::string& key : keys) memory_.Delete(key);
    co_return true;
  }

  net::Task<bool> Clear(const View&) override {
    memory_.Clear();
    co_return true;
  }

 private:
  cache::MemoryStore memory_;
};

std::unique_ptr<CacheStore> MakeStore(const config::CacheSettings& settings) {
  if (settings.is_semantic()) return std::make_unique<SemanticStore>(settings.semantic);
  if (settings.redis.on()) return MakeRedisCacheStore();
  return std::make_unique<InMemory>(BoundsOf(settings));
}

}  // namespace

int64_t UnixMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

ResponseCache::ResponseCache(const config::CacheSettings& settings, Flights& flights)
    : bounds_(BoundsOf(settings)), in_redis_(settings.redis.on()), store_(MakeStore(settings)),
      semantic_(dynamic_cast<SemanticStore*>(store_.get())), flights_(flights) {}

bool ResponseCache::Fits(const config::CacheSettings& settings) const {
  // What is known of an index is learned anew after each reload; the entries are in Redis.
  if (semantic_ != nullptr || settings.is_semantic()) return false;
  return BoundsOf(settings) == bounds_ && settings.redis.on() == in_redis_;
}

net::Task<std::vector<cache::EntryPtr>> ResponseCache::Find(const View& view, const std::vector<std::string>& keys,
                                                            const cache::Decision& decision) {
  std::vector<cache::EntryPtr> found = co_await store_->Get(view, keys);
  const int64_t now = UnixMillis();
  for (cache::EntryPtr& entry : found) {
    if (entry != nullptr && !cache::IsFresh(decision, entry->stored_unix_ms, now)) entry = nullptr;
  }
  co_return found;
}

}  // namespace gw::gateway
