#include "gateway/core.h"

#include <initializer_list>
#include <unordered_map>

#include "base/log.h"

namespace gw::gateway {

namespace {

std::string TlsRules(const config::Deployment& d) {
  return d.origin.tls ? (d.tls_verify ? "verify:" : "any:") + d.ca_file : "plain";
}

std::string OriginKey(const config::Deployment& d) {
  return d.origin.host + '\n' + std::to_string(d.origin.port) + '\n' + TlsRules(d);
}

std::shared_ptr<net::TlsContext> MakeTls(const config::Deployment& d) {
  auto made = net::TlsContext::Client(d.tls_verify, d.ca_file);
  if (made.ok()) return made.value();
  log::Error("TLS set-up of a deployment failed", {{"model_id", d.id}, {"why", made.error().message}});
  return net::TlsContext::Client(true, "").value();
}

routing::SharedState MakeState(const config::Snapshot& snapshot, const Core* previous) {
  if (previous == nullptr) return routing::SharedState(snapshot);
  return routing::SharedState(snapshot, previous->snapshot.get(), &previous->state);
}

DeploymentText TextOf(const config::Deployment& d) {
  DeploymentText text;
  text.error_headers = "x-litellm-model-id: " + d.id + "\r\nx-litellm-model-name: " + d.litellm_model + "\r\n";
  text.success_headers = text.error_headers + "x-litellm-model-api-base: " + d.api_base + "\r\n";
  return text;
}

bool IsSameRedis(config::RedisSettings a, const config::RedisSettings& b) {
  a.name_space = b.name_space;  // another name for keys is no other connection
  return a == b;
}

// One of `known` (may be null) if it is the same Redis.
redis::OptionsPtr RedisOf(const config::RedisSettings& settings, std::initializer_list<redis::OptionsPtr> known) {
  if (!settings.on()) return nullptr;
  for (const redis::OptionsPtr& options : known) {
    if (options != nullptr && IsSameRedis(options->settings, settings)) return options;
  }
  return redis::MakeOptions(settings);
}

}  // namespace

Core::Core(config::SnapshotPtr s, Runtime& r, const Core* previous)
    : snapshot(std::move(s)), authenticator(*snapshot), index(snapshot), state(MakeState(*snapshot, previous)),
      cache(r.CacheFor(snapshot->cache)), runtime(r), counts(r.counts), metrics(r.metrics.get()), offload(r.offload),
      draining(r.draining) {
  const redis::OptionsPtr old_cache = previous != nullptr ? previous->cache_redis : nullptr;
  const redis::OptionsPtr old_shared = previous != nullptr ? previous->shared_redis : nullptr;
  cache_redis = RedisOf(snapshot->cache.redis, {old_cache, old_shared});
  shared_redis = RedisOf(snapshot->redis, {cache_redis, old_shared, old_cache});
  // Answers come in order: a search of 50 ms must not stand before what a request waits 3 ms for.
  if (snapshot->cache.is_semantic() && shared_redis != nullptr && shared_redis == cache_redis)
    shared_redis = old_shared != nullptr && old_shared != cache_redis && IsSameRedis(old_shared->settings, snapshot->redis)
                       ? old_shared
                       : redis::MakeOptions(snapshot->redis);
  const auto wall_clock = std::chrono::system_clock::now().time_since_epoch();
  state.SetWallClock(SteadyClock::now(), std::chrono::duration_cast<std::chrono::seconds>(wall_clock).count());
  // A TLS context reads a CA bundle: one for all deployments with the same rules.
  std::unordered_map<std::string, std::shared_ptr<net::TlsContext>> contexts;
  std::unordered_map<std::string, uint32_t> known;
  for (const config::Deployment& d : snapshot->deployments) {
    texts.push_back(TextOf(d));
    std::string key = OriginKey(d);
    const auto [place, is_new] = known.try_emplace(key, static_cast<uint32_t>(origins.size()));
    origin_of.push_back(place->second);
    if (!is_new) continue;
    Origin origin{std::move(key), {d.origin.host, d.origin.port, nullptr}};
    if (d.origin.tls) {
      std::shared_ptr<net::TlsContext>& context = contexts[TlsRules(d)];
      if (context == nullptr) context = MakeTls(d);
      origin.target.tls = context;
    }
    origins.push_back(std::move(origin));
  }
}

}  // namespace gw::gateway
