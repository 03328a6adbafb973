#include "routing/row_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "routing/elsewhere.h"
#include "routing/packed_window.h"
#include "routing/route_errors.h"

namespace gw::routing {
namespace {

constexpr Duration kMinute = std::chrono::seconds(60);
constexpr int64_t kDaySeconds = 86'400;
constexpr uint32_t kUnknownTokens = 256;        // per direction, until the row has answered
constexpr int64_t kReservedMax = int64_t{1} << 22;  // per request and direction

constexpr uint64_t kVersionUnit = PackedTokens::kVersionUnit;
constexpr uint64_t kPartMax = PackedTokens::kPartMax;

uint64_t Pack(TokenCounts tokens) { return PackedTokens::Pack(tokens); }
TokenCounts Unpack(uint64_t value) { return PackedTokens::Unpack(value); }

int64_t SecondOfDays(const RowLimits& limits, LimitClock clock) {
  return NanosecondsOf(clock.now) / 1'000'000'000 + clock.unix_offset_s - limits.daily_reset_s;
}
int64_t DayOf(const RowLimits& limits, LimitClock clock) {
  const int64_t second = SecondOfDays(limits, clock);
  return second >= 0 ? second / kDaySeconds : (second - kDaySeconds + 1) / kDaySeconds;
}

int64_t Used(const std::atomic<uint64_t>& cell, TimePoint now) {
  return static_cast<int64_t>(CountWindow::Read(cell, kMinute, now));
}
int64_t UsedToday(const std::atomic<uint64_t>& cell, const RowLimits& limits, LimitClock clock) {
  return static_cast<int64_t>(DayWindow::Read(cell, DayOf(limits, clock)));
}

bool HasRoom(int64_t limit, int64_t used, int64_t reserved, int64_t wanted) {
  if (limit < 0) return true;
  return used + reserved + wanted <= limit || (reserved == 0 && used < limit);
}

// The first token limit that has no room; kHeld: all have.
Reservation CheckTokens(const DeploymentState& state, const RowLimits& limits, uint64_t reserved,
                        TokenCounts wanted, LimitClock clock) {
  if (!limits.LimitsTokens()) return Reservation::kHeld;
  const TokenCounts held = Unpack(reserved);
  const int64_t held_sum = int64_t{held.input} + held.output;
  const int64_t wanted_sum = int64_t{wanted.input} + wanted.output;
  if (!HasRoom(limits.tpm, Used(state.token_window, clock.now), held_sum, wanted_sum)) {
    return Reservation::kTpmReached;
  }
  if (limits.itpm >= 0 &&
      !HasRoom(limits.itpm, Used(state.input_window, clock.now), held.input, wanted.input)) {
    return Reservation::kItpmReached;
  }
  if (limits.otpm >= 0 &&
      !HasRoom(limits.otpm, Used(state.output_window, clock.now), held.output, wanted.output)) {
    return Reservation::kOtpmReached;
  }
  if (limits.tpd >= 0 &&
      !HasRoom(limits.tpd, UsedToday(state.day_tokens, limits, clock), held_sum, wanted_sum)) {
    return Reservation::kTpdReached;
  }
  return Reservation::kHeld;
}

// The reservations are read before the windows and exchanged after them, and SettleTokens moves
// tokens the other way round: whatever moves meanwhile is counted twice, never not at all.
Reservation ReserveTokens(DeploymentState& state, const RowLimits& limits, TokenCounts& tokens,
                          LimitClock clock) {
  if (!limits.counts_tokens) {
    tokens = {};
    return Reservation::kHeld;
  }
  uint64_t reserved = state.reserved_tokens.load(std::memory_order_acquire);
  while (true) {
    const Reservation check = CheckTokens(state, limits, reserved, tokens, clock);
    if (check != Reservation::kHeld) return check;
    const TokenCounts held = Unpack(reserved);
    if (uint64_t{held.input} + tokens.input > kPartMax ||
        uint64_t{held.output} + tokens.output > kPartMax) {
      tokens = {};  // absurd sums must not run from one part of the word into the next
    }
    if (state.reserved_tokens.compare_exchange_weak(reserved, reserved + Pack(tokens),
                                                    std::memory_order_acq_rel,
                                                    std::memory_order_acquire)) {
      return Reservation::kHeld;
    }
  }
}

bool TakeSlot(DeploymentState& state, int64_t limit) {
  int32_t held = state.in_flight.load(std::memory_order_relaxed);
  do {
    if (limit >= 0 && held >= limit) return false;
  } while (!state.in_flight.compare_exchange_weak(held, held + 1, std::memory_order_relaxed));
  return true;
}

Reservation ReserveRequests(DeploymentState& state, const RowLimits& limits, LimitClock clock) {
  if (!limits.counts_requests) return Reservation::kHeld;
  if (limits.rpd >= 0 && !DayWindow::AddBelow(state.day_requests, static_cast<uint64_t>(limits.rpd),
                                              DayOf(limits, clock))) {
    return Reservation::kRpdReached;
  }
  const auto rpm = limits.rpm >= 0 ? static_cast<uint64_t>(limits.rpm) : UINT64_MAX;
  if (CountWindow::AddBelow(state.rate_window, rpm, kMinute, clock.now)) return Reservation::kHeld;
  if (limits.rpd >= 0) DayWindow::TakeBack(state.day_requests);
  return Reservation::kRpmReached;
}

int SecondsRoundedUp(Duration d) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(d).count());
}

// A moving average over about eight answers.
uint32_t Renew(uint32_t mean, int64_t value) {
  const int64_t capped = std::clamp<int64_t>(value, 0, kReservedMax);
  if (mean == 0) return static_cast<uint32_t>(capped);
  return static_cast<uint32_t>((int64_t{mean} * 7 + capped + 7) / 8);
}

void AddTokens(std::atomic<uint64_t>& cell, int64_t amount, TimePoint now) {
  if (amount > 0) CountWindow::Add(cell, static_cast<uint64_t>(amount), kMinute, now);
}

}  // namespace

std::optional<int64_t> SlotLimit(const config::Deployment& row,
                                 const config::RouterSettings& settings) {
  if (row.max_parallel_requests.has_value()) return row.max_parallel_requests;
  if (row.rpm.has_value()) return row.rpm;
  if (row.tpm.has_value()) {
    return std::max<int64_t>(static_cast<int64_t>(static_cast<double>(*row.tpm) / 1000.0 * 6), 1);
  }
  return settings.default_max_parallel_requests;
}

TokenCounts EstimateTokens(const DeploymentState& state, const RequestControls& controls) {
  const TokenCounts mean = Unpack(state.mean_tokens.load(std::memory_order_relaxed));
  const bool has_answered = mean.input != 0 || mean.output != 0;
  const auto estimate = [&](int64_t told, uint32_t average) {
    if (told > 0) return static_cast<uint32_t>(std::min(told, kReservedMax));
    return has_answered ? average : kUnknownTokens;
  };
  return {.input = estimate(controls.input_tokens_estimate, mean.input),
          .output = estimate(controls.output_tokens_max, mean.output)};
}

Reservation ReserveRow(DeploymentState& state, const RowLimits& limits, TokenCounts& tokens,
                       LimitClock clock) {
  if (limits.IsLimited()) {
    if (const Reservation full = FullElsewhere(state, clock.now); full != Reservation::kHeld) return full;
  }
  if (!TakeSlot(state, limits.slots)) return Reservation::kSlotsFull;
  Reservation result = ReserveTokens(state, limits, tokens, clock);
  if (result == Reservation::kHeld) {
    result = ReserveRequests(state, limits, clock);
    if (result != Reservation::kHeld) ReleaseTokens(state, tokens);
  }
  if (result != Reservation::kHeld) ReleaseSlot(state);
  return result;
}

Reservation CheckRow(const DeploymentState& state, const RowLimits& limits, TokenCounts tokens,
                     LimitClock clock) {
  if (limits.IsLimited()) {
    if (const Reservation full = FullElsewhere(state, clock.now); full != Reservation::kHeld) return full;
  }
  if (limits.slots >= 0 && state.in_flight.load(std::memory_order_relaxed) >= limits.slots) {
    return Reservation::kSlotsFull;
  }
  if (!limits.LimitsRate()) return Reservation::kHeld;
  const uint64_t reserved = state.reserved_tokens.load(std::memory_order_relaxed);
  const Reservation check = CheckTokens(state, limits, reserved, tokens, clock);
  if (check != Reservation::kHeld) return check;
  if (limits.rpd >= 0 && UsedToday(state.day_requests, limits, clock) >= limits.rpd) {
    return Reservation::kRpdReached;
  }
  if (limits.rpm >= 0 && Used(state.rate_window, clock.now) >= limits.rpm) {
    return Reservation::kRpmReached;
  }
  return Reservation::kHeld;
}

void ReleaseSlot(DeploymentState& state) {
  state.in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void TakeBackRequest(DeploymentState& state, const RowLimits& limits) {
  if (!limits.counts_requests) return;
  CountWindow::TakeBack(state.rate_window);
  if (limits.rpd >= 0) DayWindow::TakeBack(state.day_requests);
}

void ReleaseTokens(DeploymentState& state, TokenCounts held) {
  if (const uint64_t packed = Pack(held); packed != 0) {
    state.reserved_tokens.fetch_add(kVersionUnit - packed, std::memory_order_acq_rel);
  }
}

void SettleTokens(DeploymentState& state, const RowLimits& limits, TokenCounts held, int64_t input,
                  int64_t output, LimitClock clock) {
  if (limits.counts_tokens && input + output > 0) {
    AddTokens(state.token_window, input + output, clock.now);
    if (limits.itpm >= 0) AddTokens(state.input_window, input, clock.now);
    if (limits.otpm >= 0) AddTokens(state.output_window, output, clock.now);
    if (limits.tpd >= 0) {
      DayWindow::Add(state.day_tokens, static_cast<uint64_t>(input + output),
                     DayOf(limits, clock));
    }
    const TokenCounts mean = Unpack(state.mean_tokens.load(std::memory_order_relaxed));
    state.mean_tokens.store(
        Pack({.input = Renew(mean.input, input), .output = Renew(mean.output, output)}),
        std::memory_order_relaxed);
  }
  ReleaseTokens(state, held);
}

RoomLeft RoomOf(const std::vector<const config::Deployment*>& rows, const SharedState& state, TimePoint now) {
  std::optional<int64_t> requests, tokens;
  for (const config::Deployment* row : rows) {
    const DeploymentState& of = state.at(row->index);
    const auto& rpm = row->rpm ? row->rpm : row->info_rpm;
    const auto& tpm = row->tpm ? row->tpm : row->info_tpm;
    if (rpm) requests = requests.value_or(0) + *rpm - Used(of.rate_window, now);
    if (tpm) tokens = tokens.value_or(0) + *tpm - Used(of.token_window, now);
  }
  const auto left = [](const std::optional<int64_t>& sum) {
    return sum ? static_cast<double>(std::max<int64_t>(*sum, 0)) : -1.0;
  };
  return {.requests = left(requests), .tokens = left(tokens)};
}

Duration FreeIn(Reservation refusal, const DeploymentState& state, const RowLimits& limits,
                LimitClock clock) {
  if (refusal != Reservation::kHeld && FullElsewhere(state, clock.now) == refusal) {
    return FreeElsewhereIn(state, clock.now);
  }
  switch (refusal) {
    case Reservation::kRpmReached:
      return CountWindow::Left(state.rate_window, kMinute, clock.now);
    case Reservation::kTpmReached:
      return CountWindow::Left(state.token_window, kMinute, clock.now);
    case Reservation::kItpmReached:
      return CountWindow::Left(state.input_window, kMinute, clock.now);
    case Reservation::kOtpmReached:
      return CountWindow::Left(state.output_window, kMinute, clock.now);
    case Reservation::kRpdReached:
    case Reservation::kTpdReached: {
      const int64_t second = SecondOfDays(limits, clock);
      return std::chrono::seconds((DayOf(limits, clock) + 1) * kDaySeconds - second);
    }
    case Reservation::kHeld:
    case Reservation::kSlotsFull:
    case Reservation::kProbeRunning: break;
  }
  return {};
}

Error RefusalError(Reservation refusal, const DeploymentState& state,
                   const config::Deployment& row, const RowLimits& limits, LimitClock clock) {
  Error error = GatewayError(ErrorClass::kRateLimit, 429, "throttling_error", {});
  error.provider = row.provider;
  std::string_view name;
  int64_t limit = 0;
  int64_t used = 0;
  switch (refusal) {
    case Reservation::kHeld:
    case Reservation::kSlotsFull:
      error.message = fmt::format(
          "litellm.RateLimitError: Deployment has all max_parallel_requests slots in use. "
          "Deployment model_group={}, id={} already has max_parallel_requests={} requests in "
          "flight.",
          row.model_name, row.id, std::max<int64_t>(limits.slots, 0));
      error.limit_kind = "concurrent_requests";
      return error;
    case Reservation::kProbeRunning:
      error.message = fmt::format(
          "litellm.RateLimitError: Deployment is being probed after a cooldown. Deployment "
          "model_group={}, id={}",
          row.model_name, row.id);
      error.retry_after_s = 1;
      return error;
    case Reservation::kRpmReached:
      name = "RPM", limit = limits.rpm, used = Used(state.rate_window, clock.now) + 1;
      break;
    case Reservation::kTpmReached:
      name = "TPM", limit = limits.tpm, used = Used(state.token_window, clock.now);
      break;
    case Reservation::kItpmReached:
      name = "ITPM", limit = limits.itpm, used = Used(state.input_window, clock.now);
      break;
    case Reservation::kOtpmReached:
      name = "OTPM", limit = limits.otpm, used = Used(state.output_window, clock.now);
      break;
    case Reservation::kRpdReached:
      name = "RPD", limit = limits.rpd, used = UsedToday(state.day_requests, limits, clock) + 1;
      break;
    case Reservation::kTpdReached:
      name = "TPD", limit = limits.tpd, used = UsedToday(state.day_tokens, limits, clock);
      break;
  }
  // By the count of all replicas, our own says less.
  if (FullElsewhere(state, clock.now) == refusal) used = std::max(used, limit);
  error.message = fmt::format(
      "litellm.RateLimitError: Model rate limit exceeded. {} limit={}, current usage={}", name,
      limit, used);
  error.limit_kind = name[0] == 'R' ? "requests" : "tokens";
  error.retry_after_s = std::max(SecondsRoundedUp(FreeIn(refusal, state, limits, clock)), 1);
  return error;
}

}  // namespace gw::routing
