// The background side of what replicas share: leases are renewed on every worker; the first one also
// hears of the others' cooldowns, at once by subscription and once a second by looking.
#pragma once

#include "gateway/worker.h"

namespace gw::gateway {

// For the life of the worker. Sleeps while no Redis is configured.
[[nodiscard]] net::Task<void> RunSharedState(Worker& worker);

}  // namespace gw::gateway
