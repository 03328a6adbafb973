#include "routing/route_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "routing/cooldown.h"

namespace gw::routing {
namespace {

constexpr size_t kQuotedErrorBytesMax = 2000;

// compat: the shortest cooldown of the group's rows, not what is left of it (seen in 1.109.1).
int CooldownSecondsToTell(const RowList& rows, const config::RouterSettings& settings,
                          const SharedState& state) {
  double least = kRetryAfterCooldownSecondsMax;
  for (const config::Deployment* row : rows) {
    const int64_t length_ns =
        state.at(row->index).cooldown_length_ns.load(std::memory_order_relaxed);
    const double seconds = length_ns > 0 ? static_cast<double>(length_ns) / 1e9
                                         : ConfiguredCooldownSeconds(*row, settings);
    least = std::min(least, seconds);
  }
  return std::max(static_cast<int>(std::ceil(least)), 1);
}

// Cuts between UTF-8 characters.
std::string_view CutText(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

Error GatewayError(ErrorClass cls, int status, std::string_view type, std::string message) {
  Error error;
  error.cls = cls;
  error.source = ErrorSource::kGateway;
  error.status = status;
  error.type = type;
  error.message = std::move(message);
  return error;
}

Error ModelNotFound(std::string_view model) {
  Error error = GatewayError(
      ErrorClass::kModelNotFound, 400, "invalid_request_error",
      fmt::format("Invalid model name passed in model={}. Call `/v1/models` to view "
                  "available models for your key.",
                  model));
  error.shown_class = "BadRequestError";  // compat: as the router says it
  return error;
}

Error AllCoolingDown(std::string_view group, const RowList& rows,
                     const config::RouterSettings& settings, const SharedState& state) {
  const int seconds = CooldownSecondsToTell(rows, settings, state);
  std::string ids;
  for (const config::Deployment* row : rows) {
    fmt::format_to(std::back_inserter(ids), "{}'{}'", ids.empty() ? "" : ", ", row->id);
  }
  std::string message = fmt::format(
      "No deployments available for selected model, Try again in {} seconds. All deployments for "
      "selected model are in cooldown. Passed model={}. pre-call-checks={}, cooldown_list=[{}]",
      seconds, group, settings.enable_pre_call_checks ? "True" : "False", ids);
  Error error = GatewayError(ErrorClass::kNoDeployments, 429, "all_deployments_in_cooldown",
                             std::move(message));
  error.retry_after_s = seconds;
  return error;
}

Error Paused(std::string_view group) {
  return GatewayError(
      ErrorClass::kServiceUnavailable, 503, "internal_server_error",
      fmt::format("litellm.ServiceUnavailableError: model group '{}' is paused: all "
                  "of its deployments are blocked.",
                  group));
}

Error TagsRefused(std::string_view group) {
  return GatewayError(ErrorClass::kAuthentication, 401, "authentication_error",
                      fmt::format("Not allowed to access model due to tags configuration. "
                                  "Passed model={}",
                                  group));
}

Error NothingToCall(std::string_view group) {
  return GatewayError(
      ErrorClass::kNoDeployments, 429, "rate_limit_error",
      fmt::format("No deployments available for selected model. Passed model={}", group));
}

// The estimate is ours, the text is what clients look for.
Error ContextTooLarge(std::string_view group, int64_t tokens_max, int64_t tokens) {
  return GatewayError(
      ErrorClass::kContextWindowExceeded, 400, "invalid_request_error",
      fmt::format("litellm.ContextWindowExceededError: litellm._pre_call_checks: Context Window "
                  "exceeded for given call. No models have context window large enough for this "
                  "call.\nModel={}, Max Input Tokens={}, Got={}",
                  group, tokens_max, tokens));
}

Error MockError(RequestControls::Mock mock, std::string_view group) {
  using Mock = RequestControls::Mock;
  const auto text = [group](std::string_view name) {
    return fmt::format("litellm.{}: a mock error for model={}: the request asked for it", name,
                       group);
  };
  switch (mock) {
    case Mock::kContextWindow:
      return GatewayError(ErrorClass::kContextWindowExceeded, 400, "invalid_request_error",
                          text("ContextWindowExceededError"));
    case Mock::kContentPolicy:
      return GatewayError(ErrorClass::kContentPolicyViolation, 400, "invalid_request_error",
                          text("ContentPolicyViolationError"));
    case Mock::kRateLimit:
      return GatewayError(ErrorClass::kRateLimit, 429, "throttling_error", text("RateLimitError"));
    case Mock::kFallbacks:
    case Mock::kNone:
      break;
  }
  return GatewayError(ErrorClass::kInternalServer, 500, "internal_server_error",
                      text("InternalServerError"));
}

std::string ExplainFailure(std::string_view group, const TargetList& tried,
                           std::string_view first_fallback_error) {
  std::string text = "\n\nLiteLLM: model group '";
  text += group;
  text += "' failed with the error above";
  if (tried.empty()) {
    text += " and has no fallback to try. An entry for it in router_settings.fallbacks adds one.";
    return text;
  }
  text += ". Fallback to ";
  for (size_t i = 0; i < tried.size(); ++i) {
    if (i > 0) text += ", ";
    text += tried[i]->model;
  }
  text += " also failed";
  if (!first_fallback_error.empty()) {
    text += ": ";
    text += CutText(first_fallback_error, kQuotedErrorBytesMax);
  }
  return text;
}

}  // namespace gw::routing
