#include "gateway/serve_cache.h"

#include "base/json.h"
#include "base/json_tree.h"
#include "gateway/response_cache.h"

namespace gw::gateway {

namespace {

constexpr size_t kKeysBodyBytesMax = size_t{1} << 20;

admin::Answer Failure(int status, std::string message, std::string type, std::string param) {
  return admin::ErrorAnswer(ClientError(status, std::move(message), std::move(type), std::move(param)));
}

admin::Answer Done() { return admin::JsonAnswer(200, json::Object{{"status", "success"}}); }

json::Object Params(const config::CacheSettings& settings, std::string_view type) {
  json::Object params;
  params["type"] = type;
  params["mode"] = settings.default_on ? "default_on" : "default_off";
  params["namespace"] = settings.name_space.empty() ? json::Value(nullptr) : json::Value(settings.name_space);
  params["ttl"] = settings.ttl_s ? json::Value(*settings.ttl_s) : json::Value(nullptr);
  params["max_messages"] = settings.max_messages;
  return params;
}

net::Task<admin::Answer> Ping(const View& view, CacheStore& store) {
  const bool alive = co_await store.Ping(view);
  const std::string_view type = store.type();
  if (!alive) {
    const std::string trouble = store.trouble();
    const std::string why = trouble.empty() ? " does not answer" : ": " + trouble;
    co_return Failure(503, "Service Unhealthy: the cache of type " + std::string(type) + why, "cache_ping_error",
                      "cache_ping");
  }
  json::Object body;
  body["status"] = "healthy";
  body["cache_type"] = type;
  body["ping_response"] = true;
  body["set_cache_response"] = "success";
  body["litellm_cache_params"] = json::Serialize(Params(view.core->snapshot->cache, type));
  body["health_check_cache_params"] = json::Object();
  co_return admin::JsonAnswer(200, body);
}

net::Task<admin::Answer> Delete(const View& view, http::ServerExchange& exchange, CacheStore& store) {
  const http::RequestBody received = co_await exchange.ReadBody(kKeysBodyBytesMax);
  const auto tree = received.status == http::BodyStatus::kOk ? json::ParseTree(received.data) : std::nullopt;
  const json::Value* given = tree && tree->is_object() ? json::Get(tree->get_object(), "keys") : nullptr;
  std::vector<std::string> keys;
  if (given != nullptr) keys = json::StringsOf(*given);
  if (keys.empty()) co_return Failure(400, "'keys' must be a list of cache keys", "invalid_request_error", "keys");
  const bool done = co_await store.Delete(view, std::move(keys));
  if (!done) co_return Failure(503, "the cache does not answer", "cache_error", "cache_delete");
  co_return Done();
}

}  // namespace

bool IsCacheRoute(api::RouteId id) {
  return id == api::RouteId::kCachePing || id == api::RouteId::kCacheDelete || id == api::RouteId::kCacheFlush ||
         id == api::RouteId::kCacheRedisInfo;
}

net::Task<admin::Answer> CacheAnswer(const View& view, http::ServerExchange& exchange, api::RouteId id) {
  if (view.core->cache == nullptr) {
    const bool ping = id == api::RouteId::kCachePing;
    co_return Failure(503, "Cache not initialized: litellm_settings.cache is off",
                      ping ? "cache_ping_error" : "cache_error", ping ? "cache_ping" : "cache");
  }
  CacheStore& store = view.core->cache->store();
  if (id == api::RouteId::kCachePing) co_return co_await Ping(view, store);
  if (id == api::RouteId::kCacheDelete) co_return co_await Delete(view, exchange, store);
  if (id == api::RouteId::kCacheFlush) {
    const bool done = co_await store.Clear(view);
    if (!done) co_return Failure(503, "the cache does not answer", "cache_error", "cache_flushall");
    co_return Done();
  }
  auto info = co_await store.Info(view);
  if (info) co_return admin::JsonAnswer(200, *info);
  if (store.type() != "local") {
    co_return Failure(503, "Redis does not answer", "cache_error", "cache_redis_info");
  }
  co_return Failure(500, "Cache type " + std::string(store.type()) + " is not redis",
                    "cache_error", "cache_redis_info");
}

}  // namespace gw::gateway
