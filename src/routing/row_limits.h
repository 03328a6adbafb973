// May this row take one more request right now? Facts section 10.
//
// Two limits: slots (requests in flight) and, under enforce_model_rate_limits, requests and tokens
// per minute. Both answer at once, nothing queues. A minute begins with its first request: no
// burst of twice the limit around a clock minute's edge.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

// max_parallel_requests > rpm > tpm-derived > default_max_parallel_requests > unlimited.
[[nodiscard]] std::optional<int64_t> SlotLimit(const config::Deployment& row,
                                               const config::RouterSettings& settings);

enum class Reservation : uint8_t { kHeld, kSlotsFull, kRpmReached, kTpmReached };

// kHeld: one slot is taken, ReleaseSlot must follow. Anything else: nothing is taken.
[[nodiscard]] Reservation ReserveRow(DeploymentState& state, const config::Deployment& row,
                                     const config::RouterSettings& settings, TimePoint now);
void ReleaseSlot(DeploymentState& state);

// The 429 of a refused reservation.
[[nodiscard]] Error RefusalError(Reservation refusal, const DeploymentState& state,
                                 const config::Deployment& row,
                                 const config::RouterSettings& settings, TimePoint now);

}  // namespace gw::routing
