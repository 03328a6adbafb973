// Everything that is not inference: probes, model lists, metrics, CORS, unknown paths.
#pragma once

#include <string_view>

#include "api/route_table.h"
#include "gateway/worker.h"
#include "http/server_connection.h"

namespace gw::gateway {

[[nodiscard]] net::Task<void> ServeAdmin(Worker& worker, const View& view, http::ServerExchange& exchange,
                                         api::RouteMatch match, std::string_view path);

}  // namespace gw::gateway
