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
#include <vector>

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

// Two sums in one word: reserved tokens, and the mean of answers.
//   version (8 bits) | input (28) | output (28)
// The version counts settlements: a sum that went down and up again between two looks is not the sum
// that was seen.
struct PackedTokens {
  static constexpr int kPartBits = 28;
  static constexpr uint64_t kPartMask = (uint64_t{1} << kPartBits) - 1;
  static constexpr uint64_t kVersionUnit = uint64_t{1} << (2 * kPartBits);
  static constexpr uint64_t kPartMax = uint64_t{1} << (kPartBits - 1);  // of all running requests of a row

  [[nodiscard]] static uint64_t Pack(TokenCounts tokens) {
    return (static_cast<uint64_t>(tokens.input) << kPartBits) | tokens.output;
  }
  [[nodiscard]] static TokenCounts Unpack(uint64_t value) {
    return {.input = static_cast<uint32_t>((value >> kPartBits) & kPartMask),
            .output = static_cast<uint32_t>(value & kPartMask)};
  }
};

// Of the requests that run now.
[[nodiscard]] inline TokenCounts ReservedTokens(const DeploymentState& state) {
  return PackedTokens::Unpack(state.reserved_tokens.load(std::memory_order_relaxed));
}

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

// What is left in this minute of the rpm and tpm of rows together, enforced or not; < 0: none has any.
struct RoomLeft {
  double requests = -1;
  double tokens = -1;
};
[[nodiscard]] RoomLeft RoomOf(const std::vector<const config::Deployment*>& rows, const SharedState& state,
                              TimePoint now);

// The 429 of a refused reservation.
[[nodiscard]] Error RefusalError(Reservation refusal, const DeploymentState& state,
                                 const config::Deployment& row, const RowLimits& limits,
                                 LimitClock clock);

}  // namespace gw::routing
