// Does this failure take the deployment out of rotation, and for how long? Facts section 6.
//
//   counted at all? --no--> nothing
//     |  model_info.allowed_fails           : counter > allowed            (C)
//     |  allowed_fails / allowed_fails_policy: counter > allowed            (B)
//     '- neither                            : rates and statuses of the minute (A)
//
// Full traffic returns when the time is up, as in LiteLLM, unless half_open_probes is set: then
// one request at a time until one succeeds, and one more failure is enough (half_open.h). Every
// attempt is accounted on its own row, also the later ones of one request (docs/compat.md).
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

// What the rules need to know of the row's group.
struct GroupFacts {
  bool is_single = false;      // one row in the group
  bool has_fallbacks = false;  // an entry of `fallbacks`, "*" included
};

// Upstreams may ask for days; a row is not taken out for longer than this.
inline constexpr double kRetryAfterCooldownSecondsMax = 3600;

// Also while a half-open row is being probed.
[[nodiscard]] bool IsCoolingDown(const DeploymentState& state, TimePoint now);

// Facts 6.1: does the failure say anything about the deployment?
[[nodiscard]] bool CountsTowardsCooldown(const Error& error);

// The configured length: the row's own, else the router's.
[[nodiscard]] double ConfiguredCooldownSeconds(const config::Deployment& row,
                                               const config::RouterSettings& settings);

// The deadline only moves forward. True iff the row was free before.
bool StartCooldown(DeploymentState& state, Duration length, TimePoint now);

// Accounts one failed attempt. cooldown_started is true iff the row was not cooling down before.
FailureEffect RecordFailure(DeploymentState& state, const config::Deployment& row,
                            const config::RouterSettings& settings, GroupFacts group,
                            const Error& error, TimePoint now);

void RecordSuccess(DeploymentState& state, TimePoint now);

}  // namespace gw::routing
