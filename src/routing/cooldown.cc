#include "routing/cooldown.h"

#include <algorithm>
#include <optional>

#include "routing/class_policy.h"
#include "routing/half_open.h"
#include "routing/packed_window.h"

namespace gw::routing {
namespace {

constexpr int kAllowedFailsDefault = 3;  // for classes that an allowed_fails_policy does not name
constexpr Duration kMinute = std::chrono::seconds(60);

// Facts 6.2 A: neither allowed_fails nor a policy is configured.
bool TripsByDefaultRules(const config::RouterSettings& settings, GroupFacts group, int status,
                         const OutcomeCounts& minute) {
  if (status == 402 && group.is_single) return false;
  if (status == 429 && !group.is_single) return true;
  const auto threshold_all = static_cast<uint64_t>(settings.single_deployment_traffic_threshold);
  if (minute.successes == 0 && minute.failures >= threshold_all) return true;
  const double share = static_cast<double>(minute.failures) / static_cast<double>(minute.total());
  const auto requests_min = static_cast<uint64_t>(settings.failure_threshold_requests_min);
  if (!group.is_single && minute.total() >= requests_min &&
      share > settings.failure_threshold_percent) {
    return true;
  }
  return status == 401 || status == 402 || status == 404;
}

// Facts 6.2 B and C: how many failures within one cooldown time are allowed. nullopt: any number.
std::optional<int64_t> AllowedFails(const config::Deployment& row, const config::RouterSettings& settings,
                                    GroupFacts group, const Error& error) {
  if (row.allowed_fails.has_value()) return *row.allowed_fails;
  const int by_policy = PolicyValue(settings.allowed_fails_policy, error);
  const bool alone_for_good = group.is_single && !group.has_fallbacks;
  if (by_policy < 0 && alone_for_good) return std::nullopt;
  return by_policy >= 0 ? by_policy : settings.allowed_fails.value_or(kAllowedFailsDefault);
}

// The n-th failure is one too many.
bool TripsByAllowedFails(DeploymentState& state, int64_t allowed, Duration window, TimePoint now) {
  return static_cast<int64_t>(CountWindow::Add(state.fails, 1, window, now)) > allowed;
}

double CooldownSeconds(const config::Deployment& row, const config::RouterSettings& settings,
                       const Error& error) {
  if (!row.cooldown_time_s.has_value() && error.retry_after_s >= 0) {
    return std::min<double>(error.retry_after_s, kRetryAfterCooldownSecondsMax);
  }
  return ConfiguredCooldownSeconds(row, settings);
}

}  // namespace

bool StartCooldown(DeploymentState& state, Duration length, TimePoint now) {
  const int64_t now_ns = NanosecondsOf(now);
  const int64_t length_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
  const int64_t until = now_ns + length_ns;
  int64_t old = state.cooldown_until_ns.load(std::memory_order_relaxed);
  while (old < until) {
    if (state.cooldown_until_ns.compare_exchange_weak(old, until, std::memory_order_relaxed)) {
      state.cooldown_length_ns.store(length_ns, std::memory_order_relaxed);
      return old <= now_ns;
    }
  }
  return false;
}

bool IsCoolingDown(const DeploymentState& state, TimePoint now) {
  const int64_t now_ns = NanosecondsOf(now);
  return now_ns < state.cooldown_until_ns.load(std::memory_order_relaxed) ||
         now_ns < state.probe_after_ns.load(std::memory_order_relaxed);
}

bool CountsTowardsCooldown(const Error& error) {
  if (error.mid_stream || error.cls == ErrorClass::kApiConnection ||
      error.cls == ErrorClass::kNoDeployments) {
    return false;
  }
  const int status = error.status;
  if (status == 408) return !error.client_set_timeout;
  if (status >= 400 && status < 500) {
    return status == 401 || status == 402 || status == 404 || status == 429;
  }
  return true;
}

double ConfiguredCooldownSeconds(const config::Deployment& row,
                                 const config::RouterSettings& settings) {
  constexpr double kYear = 365.0 * 24 * 3600;  // keeps the conversion to nanoseconds in range
  return std::min(row.cooldown_time_s.value_or(settings.cooldown_time_s), kYear);
}

FailureEffect RecordFailure(DeploymentState& state, const config::Deployment& row,
                            const config::RouterSettings& settings, GroupFacts group,
                            const Error& error, TimePoint now) {
  state.last_failed.store(true, std::memory_order_relaxed);
  if (!CountsTowardsCooldown(error)) return {};
  const OutcomeCounts minute = AddOutcome(state.window, true, now);
  if (settings.disable_cooldowns) return {};
  const double seconds = CooldownSeconds(row, settings, error);
  if (!(seconds > 0)) return {};

  const bool has_allowance = row.allowed_fails.has_value() || settings.allowed_fails.has_value() ||
                             settings.allowed_fails_policy.Any();
  const Duration length = FromSeconds(seconds);
  std::optional<int64_t> allowed;
  if (has_allowance) allowed = AllowedFails(row, settings, group, error);
  const Duration window = FromSeconds(ConfiguredCooldownSeconds(row, settings));
  const bool trips = IsHalfOpen(state) ||  // not well yet
                     (has_allowance ? allowed && TripsByAllowedFails(state, *allowed, window, now)
                                    : TripsByDefaultRules(settings, group, error.status, minute));
  if (!trips) return {.cooldown = {}, .fails_allowed = allowed, .fails_window = window, .cooldown_then = length};
  if (settings.half_open_probes) BecomeHalfOpen(state);
  return {.cooldown_started = StartCooldown(state, length, now), .cooldown = length};
}

void RecordSuccess(DeploymentState& state, TimePoint now) {
  AddOutcome(state.window, false, now);
  // Read first: a healthy row's cache line is then not written once more per request.
  if (state.last_failed.load(std::memory_order_relaxed)) {
    state.last_failed.store(false, std::memory_order_relaxed);
  }
}

Health SharedState::HealthAt(uint32_t index, TimePoint now) const {
  const DeploymentState& state = at(index);
  if (IsCoolingDown(state, now)) return Health::kCompleteOutage;
  return state.last_failed.load(std::memory_order_relaxed) ? Health::kPartialOutage
                                                           : Health::kHealthy;
}

Duration SharedState::CooldownLeft(uint32_t index, TimePoint now) const {
  const int64_t left =
      at(index).cooldown_until_ns.load(std::memory_order_relaxed) - NanosecondsOf(now);
  return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(std::max<int64_t>(left, 0)));
}

SharedState::MinuteUsage SharedState::UsageAt(uint32_t index, TimePoint now) const {
  const DeploymentState& state = at(index);
  return {.requests = static_cast<int64_t>(CountWindow::Read(state.rate_window, kMinute, now)),
          .tokens = static_cast<int64_t>(CountWindow::Read(state.token_window, kMinute, now))};
}

}  // namespace gw::routing
