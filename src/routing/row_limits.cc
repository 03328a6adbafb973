#include "routing/row_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "routing/packed_window.h"

namespace gw::routing {
namespace {

constexpr Duration kMinute = std::chrono::seconds(60);

bool TakeSlot(DeploymentState& state, std::optional<int64_t> limit) {
  int32_t held = state.in_flight.load(std::memory_order_relaxed);
  do {
    if (limit.has_value() && held >= *limit) return false;
  } while (!state.in_flight.compare_exchange_weak(held, held + 1, std::memory_order_relaxed));
  return true;
}

Reservation ReserveRate(DeploymentState& state, const config::Deployment& row, bool enforce,
                        TimePoint now) {
  if (!row.rpm.has_value() && !row.tpm.has_value()) return Reservation::kHeld;
  if (!enforce) {
    CountWindow::Add(state.rate_window, 1, kMinute, now);  // for x-ratelimit-remaining-requests
    return Reservation::kHeld;
  }
  // Tokens are known only afterwards: the request that crosses the limit still passes.
  if (row.tpm.has_value() &&
      static_cast<int64_t>(CountWindow::Read(state.token_window, kMinute, now)) >= *row.tpm) {
    return Reservation::kTpmReached;
  }
  const int64_t limit = std::max<int64_t>(row.rpm.value_or(INT64_MAX), 0);
  return CountWindow::AddBelow(state.rate_window, static_cast<uint64_t>(limit), kMinute, now)
             ? Reservation::kHeld
             : Reservation::kRpmReached;
}

int SecondsRoundedUp(Duration d) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(d).count());
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

Reservation ReserveRow(DeploymentState& state, const config::Deployment& row,
                       const config::RouterSettings& settings, TimePoint now) {
  if (!TakeSlot(state, SlotLimit(row, settings))) return Reservation::kSlotsFull;
  const Reservation rate = ReserveRate(state, row, settings.enforce_model_rate_limits, now);
  if (rate != Reservation::kHeld) ReleaseSlot(state);
  return rate;
}

void ReleaseSlot(DeploymentState& state) {
  state.in_flight.fetch_sub(1, std::memory_order_relaxed);
}

Error RefusalError(Reservation refusal, const DeploymentState& state,
                   const config::Deployment& row, const config::RouterSettings& settings,
                   TimePoint now) {
  Error error;
  error.cls = ErrorClass::kRateLimit;
  error.source = ErrorSource::kGateway;
  error.status = 429;
  error.type = "throttling_error";
  error.provider = row.provider;
  if (refusal == Reservation::kSlotsFull) {
    error.message = fmt::format(
        "litellm.RateLimitError: Deployment has all max_parallel_requests slots in use. "
        "Deployment model_group={}, id={} already has max_parallel_requests={} requests in flight.",
        row.model_name, row.id, SlotLimit(row, settings).value_or(0));
    return error;
  }
  const bool by_requests = refusal == Reservation::kRpmReached;
  const std::atomic<uint64_t>& cell = by_requests ? state.rate_window : state.token_window;
  const uint64_t used = CountWindow::Read(cell, kMinute, now) + (by_requests ? 1 : 0);
  error.message = fmt::format(
      "litellm.RateLimitError: Model rate limit exceeded. {} limit={}, current usage={}",
      by_requests ? "RPM" : "TPM", (by_requests ? row.rpm : row.tpm).value_or(0), used);
  error.retry_after_s = std::max(SecondsRoundedUp(CountWindow::Left(cell, kMinute, now)), 1);
  return error;
}

}  // namespace gw::routing
