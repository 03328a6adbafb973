// GET /health/services?service=NAME: sends a test event to a callback or an alert channel.
#pragma once

#include <string_view>

#include "admin/answer.h"
#include "gateway/worker.h"

namespace gw::gateway {

// The key has been checked. The event is on its way when this returns, not arrived.
[[nodiscard]] admin::Answer TestService(Worker& worker, const View& view, std::string_view query);

}  // namespace gw::gateway
