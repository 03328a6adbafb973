// Requests and attempts that failed, and our count of every attempt.
#include <charconv>

#include "metrics/litellm_impl.h"

namespace gw::metrics {
namespace {

// The decimal text of an HTTP status.
struct StatusText {
  explicit StatusText(int status) {
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), status);
    (void)error;  // 12 bytes hold every int
    text = {digits, static_cast<size_t>(end - digits)};
  }
  StatusText(const StatusText&) = delete;
  StatusText& operator=(const StatusText&) = delete;
  char digits[12];
  std::string_view text;
};

// A refused key is never a label: whoever guesses keys would create series at will.
[[nodiscard]] CallerLabels WithoutRefusedKey(CallerLabels caller, std::string_view status) {
  if (status == "401") caller.hashed_api_key = {};
  return caller;
}

}  // namespace

void LitellmMetrics::OnClientFailure(uint32_t worker, const ClientFailureRecord& record) {
  const LabelChoice& choice = impl_->options.choice;
  const StatusText status(record.status);
  const CallerLabels caller = WithoutRefusedKey(record.caller, status.text);
  const std::string_view model_id = record.model_id_is_empty ? "" : OrNone(record.model_id);
  const std::string_view stream = StreamLabel(record.stream_field_present, record.stream);

  CacheKey key;
  AppendCaller(key, caller, *impl_);
  for (const std::string_view value : {record.requested_model, record.route, model_id,
                                       record.api_provider, status.text, record.exception_class}) {
    key.Append(value);
  }
  if (choice.stream) key.Append(stream);
  if (choice.rate_limit) {
    key.Append(record.rate_limit_category);
    key.Append(record.rate_limit_type);
  }

  const auto make_labels = [&](FamilyId) {
    LabelValues values;
    values.SetCaller(caller, choice);
    values[Label::kRequestedModel] = record.requested_model;  // "" when the body named none
    values[Label::kRoute] = OrNone(record.route);
    values[Label::kModelId] = model_id;
    values[Label::kApiProvider] = OrNone(record.api_provider);
    values[Label::kExceptionStatus] = status.text;
    values[Label::kStatusCode] = status.text;
    values[Label::kExceptionClass] = OrNone(record.exception_class);
    values[Label::kStream] = stream;
    values[Label::kRateLimitCategory] = OrNone(record.rate_limit_category);
    values[Label::kRateLimitType] = OrNone(record.rate_limit_type);
    return values;
  };
  SeriesSet& set = impl_->Caches(worker).client_failure.Find(key);
  EventWriter writer(*impl_, worker, set, make_labels);
  writer.Add(FamilyId::kProxyFailed, 1);
  writer.Add(FamilyId::kProxyTotal, 1);
}

void LitellmMetrics::OnAttemptFailure(uint32_t worker, const AttemptFailureRecord& record) {
  const LabelChoice& choice = impl_->options.choice;
  CacheKey key;
  AppendCaller(key, record.caller, *impl_);
  AppendDeployment(key, record.deployment);
  for (const std::string_view value : {record.requested_model, record.model,
                                       record.exception_status, record.exception_class,
                                       record.refused_model_id}) {
    key.Append(value);
  }
  const auto make_labels = [&](FamilyId id) {
    LabelValues values;
    values.SetCaller(record.caller, choice);
    values.SetDeployment(record.deployment);  // "" before any deployment was chosen
    values[Label::kRequestedModel] = record.requested_model;
    values[Label::kModel] = record.model;
    // compat: the old family names the row that a refused request would have gone to.
    if (id == FamilyId::kLlmApiFailed && !record.refused_model_id.empty())
      values[Label::kModelId] = record.refused_model_id;
    values[Label::kExceptionStatus] = OrNone(record.exception_status);
    values[Label::kExceptionClass] = OrNone(record.exception_class);
    return values;
  };
  SeriesSet& set = impl_->Caches(worker).attempt_failure.Find(key);
  EventWriter writer(*impl_, worker, set, make_labels);
  writer.Add(FamilyId::kDeploymentFailure, 1);
  writer.Add(FamilyId::kDeploymentTotal, 1);
  writer.Add(FamilyId::kLlmApiFailed, 1);
}

void LitellmMetrics::OnAttempt(uint32_t worker, const AttemptRecord& record) {
  CacheKey key;
  AppendDeployment(key, record.deployment);
  key.Append(record.outcome);
  const auto make_labels = [&](FamilyId) {
    LabelValues values;
    values.SetDeployment(record.deployment);
    values[Label::kOutcome] = record.outcome;
    return values;
  };
  SeriesSet& set = impl_->Caches(worker).attempt.Find(key);
  EventWriter(*impl_, worker, set, make_labels).Add(FamilyId::kAttempts, 1);
}

}  // namespace gw::metrics
