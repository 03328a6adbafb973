// What does a per-class policy (retry_policy, allowed_fails_policy) say about an error?
#pragma once

#include "base/error.h"
#include "config/snapshot.h"

namespace gw::routing {

// The value for the error's class, else for its parent class, else default_value; -1 when the
// policy is silent. A 404 is NotFound whatever its class, as in LiteLLM.
[[nodiscard]] int PolicyValue(const config::PerClassPolicy& policy, const Error& error);

}  // namespace gw::routing
