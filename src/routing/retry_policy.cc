#include "routing/retry_policy.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "routing/class_policy.h"

namespace gw::routing {
namespace {

constexpr int kRetryAfterSecondsMax = 60;  // a longer wish is answered by backoff

const config::PerClassPolicy& PolicyOf(const RetrySituation& s) {
  for (const auto& [group, policy] : s.settings.model_group_retry_policy) {
    if (group == s.group || group == s.row_group) return policy;  // replaces the global one
  }
  return s.settings.retry_policy;
}

int ConfiguredRetries(const RetrySituation& s) {
  if (s.controls.num_retries.has_value()) return *s.controls.num_retries;
  if (s.row != nullptr && s.row->num_retries.has_value()) return *s.row->num_retries;
  return s.settings.num_retries;
}

bool HasOwnFallbackList(const RetrySituation& s) {
  if (s.error.cls == ErrorClass::kContextWindowExceeded) {
    return s.controls.context_window_fallbacks.has_value() ||
           s.settings.has_context_window_fallbacks;
  }
  if (s.error.cls == ErrorClass::kContentPolicyViolation) {
    return s.controls.content_policy_fallbacks.has_value() ||
           s.settings.has_content_policy_fallbacks;
  }
  return false;
}

}  // namespace

bool IsRetryableError(const Error& error, size_t rows) {
  if (error.mid_stream && !error.can_continue) return false;
  if (error.status == 401 || error.cls == ErrorClass::kPermissionDenied) return rows > 1;
  // A 403 that an OpenAI-compatible upstream sent is a generic error there and is retried.
  if (error.status == 403) return error.cls == ErrorClass::kApiError;
  return error.status == 408 || error.status == 409 || error.status == 429 || error.status >= 500;
}

RetryDecision DecideRetry(const RetrySituation& s) {
  RetryDecision decision;
  decision.max_retries = std::clamp(ConfiguredRetries(s), 0, limits::kAttemptsPerRequestMax);
  if (s.error.mid_stream && !s.error.can_continue) return decision;
  const bool client_forbids = s.controls.num_retries.has_value() && *s.controls.num_retries <= 0;
  const int by_policy = client_forbids ? -1 : PolicyValue(PolicyOf(s), s.error);
  if (by_policy >= 0) {
    // A policy that names the error overrides what would be retryable, but not an empty group.
    decision.max_retries = std::min(by_policy, limits::kAttemptsPerRequestMax);
  } else if (HasOwnFallbackList(s) || !IsRetryableError(s.error, s.rows)) {
    return decision;
  }
  decision.retry = s.healthy_rows > 0 && s.retries_done < decision.max_retries;
  return decision;
}

Duration ComputePause(const RetrySituation& s, Random& random) {
  // Our own "all slots in use" says that trying at once is pointless, however many rows there are.
  if (s.rows > 1 && s.healthy_rows > 0 && !s.refused_by_us) return {};
  const double jitter = random.NextUnit() * s.settings.retry_jitter_s;
  if (s.error.retry_after_s > 0 && s.error.retry_after_s <= kRetryAfterSecondsMax) {
    return FromSeconds(s.error.retry_after_s + jitter);
  }
  const double doubled =
      s.settings.initial_retry_delay_s * std::exp2(std::min(s.retries_done, 30));
  const double delay =
      std::min(std::max(doubled, s.settings.retry_after_s), s.settings.max_retry_delay_s);
  return FromSeconds(std::max(delay, 0.0) + jitter);
}

}  // namespace gw::routing
