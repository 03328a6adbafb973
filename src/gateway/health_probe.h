// Is each deployment alive? A tiny real call per deployment, on demand (/health) or in the background.
#pragma once

#include <string>
#include <vector>

#include "gateway/core.h"
#include "gateway/worker.h"
#include "net/task.h"

namespace gw::gateway {

// Probes the deployments one after the other in `lanes` parallel chains; results in config order.
[[nodiscard]] net::Task<std::vector<admin::ProbeOutcome>> ProbeDeployments(
    Worker& worker, const View& view, std::vector<const config::Deployment*> deployments);

// While background_health_checks is on, every health_check_interval: all deployments, results into Core::probes. Runs until the process ends.
[[nodiscard]] net::Task<void> RunBackgroundHealthChecks(Worker& worker);

}  // namespace gw::gateway
