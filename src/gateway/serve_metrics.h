// GET /metrics and /metrics/: the exposition, rendered off the loop.
#pragma once

#include <string_view>

#include "gateway/worker.h"
#include "http/server_connection.h"

namespace gw::gateway {

[[nodiscard]] net::Task<void> ServeMetrics(Worker& worker, http::ServerExchange& exchange);

}  // namespace gw::gateway
