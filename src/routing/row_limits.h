// May this row take one more request right now? Facts section 10.
//
// Limits: slots (requests in flight); requests and tokens per minute and per day. All answer at
// once, nothing queues. A minute begins with its first request: no burst of twice the limit around
// a clock minute's edge. A day begins at the row's daily_reset_time.
//
// Tokens are known afterwards. Until then a request holds a reservation: what the client said
// (input, max_tokens) or what the row's answers come to on average. A request passes if it fits
// beside what is used and reserved; or, since a guess must not bar a row for ever, if nothing is
// reserved and the limit is not reached. So at most one request, and that one alone, can cross.
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

enum class Reservation : uint8_t {
  kHeld,
  kSlotsFull,
  kRpmReached,
  kTpmReached,
  kItpmReached,
  kOtpmReached,
  kRpdReached,
  kTpdReached,
  kProbeRunning,  // half_open.h
};

struct TokenCounts {
  uint32_t input = 0;
  uint32_t output = 0;
};

struct LimitClock {
  TimePoint now;
  int64_t unix_offset_s = 0;  // SharedState::unix_offset_s
};

// Of the requests that run now.
[[nodiscard]] TokenCounts ReservedTokens(const DeploymentState& state);

// What a request of these controls would consume on this row.
[[nodiscard]] TokenCounts EstimateTokens(const DeploymentState& state,
                                         const RequestControls& controls);

// kHeld: one slot and `tokens` are taken (`tokens` is zeroed when none had to be);
// ReleaseSlot and ReleaseTokens or SettleTokens must follow. Anything else: nothing is taken.
[[nodiscard]] Reservation ReserveRow(DeploymentState& state, const RowLimits& limits,
                                     TokenCounts& tokens, LimitClock clock);
// What ReserveRow would say, without taking anything.
[[nodiscard]] Reservation CheckRow(const DeploymentState& state, const RowLimits& limits,
                                   TokenCounts tokens, LimitClock clock);
void ReleaseSlot(DeploymentState& state);
// The request that ReserveRow has counted a moment ago was not made.
void TakeBackRequest(DeploymentState& state, const RowLimits& limits);
void ReleaseTokens(DeploymentState& state, TokenCounts held);
// Books what was consumed and gives the reservation back, in this order: never under-counted.
void SettleTokens(DeploymentState& state, const RowLimits& limits, TokenCounts held, int64_t input,
                  int64_t output, LimitClock clock);

// When the limit that refused may let a request pass; zero: unknown (slots, probes).
[[nodiscard]] Duration FreeIn(Reservation refusal, const DeploymentState& state,
                              const RowLimits& limits, LimitClock clock);

// The 429 of a refused reservation.
[[nodiscard]] Error RefusalError(Reservation refusal, const DeploymentState& state,
                                 const config::Deployment& row, const RowLimits& limits,
                                 LimitClock clock);

}  // namespace gw::routing
