#include "gateway/redis_cache_store.h"

#include <algorithm>
#include <coroutine>

#include "base/limits.h"
#include "base/strings.h"
#include "cache/entry_codec.h"
#include "gateway/worker.h"
#include "redis/client.h"

namespace gw::gateway {

namespace {

constexpr size_t kKeysPerLookup = 64;
constexpr int kScanCount = 500;
constexpr size_t kHashChars = 64;

// Look-ups that run side by side; lives in the frame that waits for them.
struct Gather {
  std::vector<cache::EntryPtr> found;
  size_t running = 0;
  std::coroutine_handle<> waiter;

  struct Done {
    Gather& gather;
    [[nodiscard]] bool await_ready() const noexcept { return gather.running == 0; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept { gather.waiter = handle; }
    void await_resume() const noexcept {}
  };
};

cache::EntryPtr EntryOf(const redis::Reply& reply) {
  if (reply.kind != redis::Reply::Kind::kText) return nullptr;
  auto entry = cache::DecodeEntry(reply.text);
  return entry ? std::make_shared<const cache::Entry>(std::move(*entry)) : nullptr;
}

net::Task<void> LookUp(std::shared_ptr<redis::Client> client, const std::vector<std::string>& keys, size_t first,
                       size_t count, Gather& gather) {
  redis::Command command("MGET");
  for (size_t i = 0; i < count; ++i) command.Add(keys[first + i]);
  redis::Call call;
  call.function = "mget";
  call.key = keys[first];
  call.command = command.Encode();
  const redis::Answer answer = co_await client->Ask(std::move(call));
  if (answer.ok() && answer.reply.items.size() == count) {
    for (size_t i = 0; i < count; ++i) gather.found[first + i] = EntryOf(answer.reply.items[i]);
  }
  if (--gather.running == 0 && gather.waiter) gather.waiter.resume();
}

// '*', '?' and brackets of a namespace stand for themselves.
std::string GlobEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// Behind "namespace:" a key of this cache has a SHA-256.
bool IsHash(std::string_view text) {
  return text.size() == kHashChars && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

redis::Call Patient(std::string_view function, std::string key, const redis::Command& command) {
  redis::Call call;
  call.function = function;
  call.key = std::move(key);
  call.command = command.Encode();
  call.patient = true;
  return call;
}

net::Task<bool> ClearNode(redis::Client& client, redis::Node& node, const std::string& prefix,
                          bool (*is_ours)(std::string_view)) {
  const std::string pattern = GlobEscaped(prefix) + "*";
  std::string cursor = "0";
  do {
    redis::Command scan("SCAN");
    scan.Add(cursor).Add("MATCH").Add(pattern).Add("COUNT").Add(kScanCount);
    std::string bytes = scan.Encode();
    const redis::Answer answer = co_await node.Ask(std::move(bytes), 1, limits::kRedisPatientTimeout, true);
    if (!answer.ok() || answer.reply.items.size() != 2) co_return false;
    cursor = answer.reply.items[0].text;
    for (const redis::Reply& key : answer.reply.items[1].items) {
      if (!key.text.starts_with(prefix) || !is_ours(std::string_view(key.text).substr(prefix.size()))) continue;
      client.Send(Patient("unlink", key.text, redis::Command("UNLINK").Add(key.text)));
    }
  } while (cursor != "0");
  co_return true;
}

json::Object ReadPairs(std::string_view text, char between, char equals) {
  json::Object out;
  for (const std::string_view part : Split(text, between)) {
    const std::string_view pair = Trim(part);
    const size_t at = pair.find(equals);
    if (pair.empty() || pair.front() == '#' || at == std::string_view::npos) continue;
    out[pair.substr(0, at)] = pair.substr(at + 1);
  }
  return out;
}

class InRedis final : public CacheStore {
 public:
  [[nodiscard]] std::string_view type() const override { return "redis"; }

  net::Task<std::vector<cache::EntryPtr>> Get(const View& view, const std::vector<std::string>& keys) override {
    Gather gather;
    gather.found.resize(keys.size());
    const std::shared_ptr<redis::Client> client = view.cache_redis;
    if (client == nullptr) co_return std::move(gather.found);
    // The keys of a cluster lie in different places.
    const bool is_cluster = client->options().settings.topology == config::RedisSettings::Topology::kCluster;
    const size_t step = is_cluster ? 1 : kKeysPerLookup;
    gather.running = (keys.size() + step - 1) / step;
    for (size_t first = 0; first < keys.size(); first += step) {
      net::Spawn(LookUp(client, keys, first, std::min(step, keys.size() - first), gather));
    }
    co_await Gather::Done{gather};
    co_return std::move(gather.found);
  }

  void Put(const View& view, const std::string& key, cache::EntryPtr entry, Duration ttl) override {
    const size_t bytes_max = std::min(kRedisValueBytesMax, view.core->snapshot->cache.entry_bytes_max);
    if (view.cache_redis == nullptr || entry->bytes() > bytes_max) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count();
    redis::Command command("SET", {key, cache::EncodeEntry(*entry), "PX"});
    view.cache_redis->Send(Patient("set", key, command.Add(std::max<int64_t>(ms, 1))));
  }

  net::Task<bool> Ping(const View& view) override {
    const std::shared_ptr<redis::Client> client = view.cache_redis;
    if (client == nullptr) co_return false;
    redis::Call ping = Patient("ping", "", redis::Command("PING"));
    const redis::Answer answer = co_await client->Ask(std::move(ping));
    co_return answer.ok();
  }

  net::Task<bool> Delete(const View& view, std::vector<std::string> keys) override {
    const std::shared_ptr<redis::Client> client = view.cache_redis;
    if (client == nullptr) co_return false;
    for (const std::string& key : keys) {
      redis::Call unlink = Patient("unlink", key, redis::Command("UNLINK").Add(key));
      const redis::Answer answer = co_await client->Ask(std::move(unlink));
      if (!answer.ok()) co_return false;
    }
    co_return true;
  }

  // Only what this cache has made in its namespace: others may live in the same database.
  net::Task<bool> Clear(const View& view) override {
    const std::string& name_space = view.core->snapshot->cache.name_space;
    std::string prefix = name_space.empty() ? "" : name_space + ":";
    const bool done = co_await UnlinkOurs(view, std::move(prefix), &IsHash);
    co_return done;
  }

  net::Task<std::optional<json::Object>> Info(const View& view) override {
    std::optional<json::Object> out;
    const std::shared_ptr<redis::Client> client = view.cache_redis;
    if (client == nullptr) co_return out;
    redis::Call ask_info = Patient("info", "", redis::Command("INFO"));
    const redis::Answer info = co_await client->Ask(std::move(ask_info));
    redis::Call ask_list = Patient("client_list", "", redis::Command("CLIENT").Add("LIST"));
    const redis::Answer list = co_await client->Ask(std::move(ask_list));
    if (!info.ok() || !list.ok()) co_return out;
    json::Array clients;
    for (const std::string_view line : Split(list.reply.text, '\n')) {
      if (!Trim(line).empty()) clients.emplace_back(ReadPairs(line, ' ', '='));
    }
    out.emplace();
    (*out)["num_clients"] = clients.size();
    (*out)["clients"] = std::move(clients);
    (*out)["info"] = ReadPairs(info.reply.text, '\n', ':');
    co_return out;
  }
};

}  // namespace

net::Task<bool> UnlinkOurs(const View& view, std::string prefix, bool (*is_ours)(std::string_view)) {
  const std::shared_ptr<redis::Client> client = view.cache_redis;
  if (client == nullptr) co_return false;
  for (const std::shared_ptr<redis::Node>& node : client->nodes()) {
    const bool done = co_await ClearNode(*client, *node, prefix, is_ours);
    if (!done) co_return false;
  }
  co_return true;
}

std::unique_ptr<CacheStore> MakeRedisCacheStore() { return std::make_unique<InRedis>(); }

}  // namespace gw::gateway
