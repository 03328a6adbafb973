// The administration of the response cache: /cache/ping, /cache/delete, /cache/flushall and
// /cache/redis/info.
#pragma once

#include "admin/answer.h"
#include "api/route_table.h"
#include "gateway/worker.h"
#include "http/server_connection.h"

namespace gw::gateway {

[[nodiscard]] bool IsCacheRoute(api::RouteId id);
// The key has been checked.
[[nodiscard]] net::Task<admin::Answer> CacheAnswer(const View& view, http::ServerExchange& exchange, api::RouteId id);

}  // namespace gw::gateway
