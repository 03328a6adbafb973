// Which endpoint is this path? Method + path -> route, with the model that the path names.
//
// One table holds every path that the gateway knows; /routes prints it, metrics take their `route`
// label from it. A hit costs a few length compares and allocates nothing: all views of a match
// point into static text or into the caller's path.
//
// Order of decision: exact path, path with a model inside, trailing slash (redirect), 404.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "api/endpoint.h"

namespace gw::api {

enum class RouteId : uint8_t {
  kChat,
  kCompletions,
  kEmbeddings,
  kTranscriptions,
  kSpeech,
  kMessages,
  kModels,            // GET /v1/models
  kModel,             // GET /v1/models/{model}
  kModelInfo,         // GET /model/info
  kModelGroupInfo,    // GET /model_group/info
  kLiveness,          // GET /health/liveliness, /health/liveness
  kReadiness,         // GET /health/readiness
  kReadinessDetails,  // GET /health/readiness/details
  kBacklog,           // GET /health/backlog
  kHealthServices,    // GET /health/services: a test event to a callback
  kHealth,            // GET /health: calls the deployments
  kMetrics,           // GET /metrics, /metrics/, everything below
  kRoutes,            // GET /routes
  kTest,              // GET /test
  kReload,            // POST /config/reload: ours
  kExplain,           // POST /router/explain: ours
  kRoot,              // GET /
  kCachePing,         // GET /cache/ping
  kCacheDelete,       // POST /cache/delete
  kCacheFlush,        // POST /cache/flushall
  kCacheRedisInfo,    // GET /cache/redis/info
};

enum class RouteVerdict : uint8_t {
  kFound,
  kNotFound,          // 404
  kMethodNotAllowed,  // 405, with `allow`
  kOptions,           // 200, empty, with `allow`: health routes answer a bare OPTIONS
  kRedirect,          // 307 to `location` (the query stays with the caller)
};

struct RouteMatch {
  RouteVerdict verdict = RouteVerdict::kNotFound;
  RouteId id = RouteId::kRoot;  // not with kNotFound
  // {model} of the path, as sent: percent-escapes are still in it. Empty when the path has none.
  std::string_view model;
  // The `route` label: the known path, "{model}" in place of a model, "other" when unknown.
  // compat: LiteLLM prints the raw path with the model's name, which a client can vary without end.
  std::string_view label = "other";
  std::string_view allow;     // "GET, HEAD"
  std::string_view location;  // kRedirect: the path without its trailing slash
};

[[nodiscard]] RouteMatch MatchRoute(std::string_view method, std::string_view path);

// `path` without the prefix of SERVER_ROOT_PATH ("/x" or ""). compat: a path without the prefix is
// served as well, since proxies in front may or may not cut it off.
[[nodiscard]] std::string_view StripRootPath(std::string_view path, std::string_view root);

// The inference endpoint behind a route; nullopt for the others.
[[nodiscard]] std::optional<Endpoint> EndpointOf(RouteId id);

// One known path, for /routes and the tests.
struct RouteRow {
  std::string_view path;  // with {model} where a model stands; also the label
  RouteId id;
  uint8_t methods;  // bits of kMethod*
};
inline constexpr uint8_t kMethodGet = 1, kMethodHead = 2, kMethodPost = 4, kMethodOptions = 8;

[[nodiscard]] std::span<const RouteRow> AllRoutes();
// "GET, HEAD" for the bits of `methods`; static text.
[[nodiscard]] std::string_view MethodList(uint8_t methods);

}  // namespace gw::api
