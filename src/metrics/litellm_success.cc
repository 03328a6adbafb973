// A client request that ended well: about twenty families with one cache look-up.
#include <limits>

#include "metrics/litellm_impl.h"

namespace gw::metrics {
namespace {

// compat: LiteLLM shows Python's sys.maxsize where a key has no limit for the model.
constexpr double kUnlimited = 9223372036854775807.0;

// The size class of the prompt, for prometheus_emit_input_sequence_length_label.
[[nodiscard]] std::string_view SequenceLength(int64_t prompt_tokens) {
  if (prompt_tokens <= 0) return "unknown";
  if (prompt_tokens < 1000) return "0-1k";
  if (prompt_tokens < 4000) return "1k-4k";
  if (prompt_tokens < 16000) return "4k-16k";
  return prompt_tokens < 64000 ? "16k-64k" : "64k+";
}

[[nodiscard]] CacheKey MakeKey(const SuccessRecord& record, const MetricsCore& core) {
  const LabelChoice& choice = core.options.choice;
  CacheKey key;
  AppendCaller(key, record.caller, core);
  AppendDeployment(key, record.deployment);
  key.Append(record.requested_model);
  key.Append(record.route);
  key.Append(record.service_tier);
  if (choice.stream) key.Append(StreamLabel(record.stream_field_present, record.stream));
  if (choice.input_sequence_length) key.Append(SequenceLength(record.prompt_tokens));
  return key;
}

[[nodiscard]] LabelValues MakeLabels(FamilyId id, const SuccessRecord& record,
                                     const LabelChoice& choice) {
  LabelValues values;
  values.SetCaller(record.caller, choice);
  const DeploymentLabels& deployment = record.deployment;
  values[Label::kModelGroup] = OrNone(deployment.model_group);
  values[Label::kLitellmModelName] = OrNone(deployment.litellm_model_name);
  values[Label::kModel] = OrNone(deployment.litellm_model_name);
  values[Label::kModelId] = OrNone(deployment.model_id);
  values[Label::kApiBase] = OrNone(deployment.api_base);
  values[Label::kApiProvider] = OrNone(deployment.api_provider);
  values[Label::kServiceTier] = OrNone(record.service_tier);
  values[Label::kRoute] = OrNone(record.route);
  values[Label::kStatusCode] = "200";
  values[Label::kInputSequenceLength] = SequenceLength(record.prompt_tokens);
  values[Label::kStream] = StreamLabel(record.stream_field_present, record.stream);
  // compat: only the proxy's own total names the group the client asked for; every other family
  // names the group of the deployment that answered, also after a fallback.
  values[Label::kRequestedModel] = id == FamilyId::kProxyTotal ? OrNone(record.requested_model)
                                                               : OrNone(deployment.model_group);
  switch (id) {
    case FamilyId::kRemainingKeyBudget:
      values[Label::kApiKeyAlias] = record.caller.api_key_alias;  // compat: "" here, not "None"
      break;
    case FamilyId::kRemainingUserBudget:
      values[Label::kUserEmail] = record.caller.user_email;
      values[Label::kUserAlias] = record.caller.user_alias;
      break;
    case FamilyId::kKeyRequestsForModel:
    case FamilyId::kKeyTokensForModel:
      values[Label::kModel] = OrNone(deployment.model_group);
      break;
    default:
      break;
  }
  return values;
}

template <typename Writer>
void WriteUse(Writer& writer, const SuccessRecord& record) {
  writer.Add(FamilyId::kDeploymentSuccess, 1);
  writer.Add(FamilyId::kDeploymentTotal, 1);
  writer.Add(FamilyId::kSpend, record.spend_usd);
  writer.Add(FamilyId::kTotalTokens, static_cast<double>(record.total_tokens));
  writer.Add(FamilyId::kInputTokens, static_cast<double>(record.prompt_tokens));
  writer.Add(FamilyId::kOutputTokens, static_cast<double>(record.completion_tokens));
}

template <typename Writer>
void WriteCounts(Writer& writer, const SuccessRecord& record) {
  writer.Add(FamilyId::kProxyTotal, 1);
  writer.Add(FamilyId::kRequests, 1);
  WriteUse(writer, record);
  writer.AddIfPositive(FamilyId::kInputCachedTokens, record.cached_tokens);
  writer.AddIfPositive(FamilyId::kInputCacheCreationTokens, record.cache_creation_tokens);
  writer.AddIfPositive(FamilyId::kInputAudioTokens, record.prompt_audio_tokens);
  writer.AddIfPositive(FamilyId::kOutputReasoningTokens, record.reasoning_tokens);
  writer.AddIfPositive(FamilyId::kOutputAudioTokens, record.completion_audio_tokens);
  if (record.cache_hit) {
    writer.Add(FamilyId::kCacheHits, 1);
    writer.AddIfPositive(FamilyId::kCachedTokens, record.total_tokens);
  }
  if (record.cache_miss) writer.Add(FamilyId::kCacheMisses, 1);
  writer.AddIfPositive(FamilyId::kProviderCacheRead, record.cached_tokens);
  writer.AddIfPositive(FamilyId::kProviderCacheCreation, record.cache_creation_tokens);
}

template <typename Writer>
void WriteTimes(Writer& writer, const SuccessRecord& record) {
  writer.Observe(FamilyId::kQueueTime, record.queue_time_s);
  writer.Observe(FamilyId::kRequestTotalLatency, record.total_s);
  // compat: LiteLLM also observes the first token and the time per token of a hit, which say
  // nothing about the deployment they are labelled with.
  if (record.has_llm_latency) writer.Observe(FamilyId::kLlmApiLatency, record.llm_api_s);
  if (record.stream) {
    if (record.has_llm_latency) writer.Observe(FamilyId::kTimeToFirstToken, record.time_to_first_token_s);
  } else if (record.overhead_s > 0) {
    writer.Observe(FamilyId::kOverhead, record.overhead_s);
    writer.Observe(FamilyId::kOverheadWithGuardrails, record.overhead_s);  // no guardrails here
  }
  if (record.completion_tokens > 0 && record.has_llm_latency) {
    // compat: for a stream LiteLLM divides the time to the first chunk, failed attempts included.
    const double seconds = record.stream ? record.first_token_from_start_s : record.attempt_s;
    writer.Observe(FamilyId::kLatencyPerOutputToken,
                   seconds / static_cast<double>(record.completion_tokens));
  }
  if (record.inter_token_s >= 0 && record.has_llm_latency) writer.Observe(FamilyId::kInterToken, record.inter_token_s);
  if (record.backoff_s > 0) writer.Observe(FamilyId::kRetryBackoff, record.backoff_s);
}

template <typename Writer>
void WriteGauges(Writer& writer, const SuccessRecord& record) {
  if (record.remaining_requests >= 0) {
    writer.Set(FamilyId::kRemainingRequests, record.remaining_requests);
  }
  if (record.remaining_tokens >= 0) {
    writer.Set(FamilyId::kRemainingTokens, record.remaining_tokens);
  }
  if (record.rpm_limit >= 0) writer.Set(FamilyId::kRpmLimit, record.rpm_limit);
  if (record.tpm_limit >= 0) writer.Set(FamilyId::kTpmLimit, record.tpm_limit);
  // Nobody has a budget or a per-model limit as long as there are no virtual keys.
  constexpr double kNoBudget = std::numeric_limits<double>::infinity();
  if (!record.caller.hashed_api_key.empty()) {
    writer.Set(FamilyId::kRemainingKeyBudget, kNoBudget);
    writer.Set(FamilyId::kKeyRequestsForModel, kUnlimited);
    writer.Set(FamilyId::kKeyTokensForModel, kUnlimited);
  }
  if (!record.caller.user.empty()) writer.Set(FamilyId::kRemainingUserBudget, kNoBudget);
}

// Calls `write` with a writer to the series of the record's labels.
template <typename Write>
void WithSeries(MetricsCore& core, uint32_t worker, const SuccessRecord& record, const Write& write) {
  const CacheKey key = MakeKey(record, core);
  SeriesSet& set = core.Caches(worker).success.Find(key);
  const auto make_labels = [&](FamilyId id) { return MakeLabels(id, record, core.options.choice); };
  EventWriter writer(core, worker, set, make_labels, record.exemplar);
  write(writer);
}

}  // namespace

void LitellmMetrics::OnSuccess(uint32_t worker, const SuccessRecord& record) {
  WithSeries(*impl_, worker, record, [&record](auto& writer) {
    WriteCounts(writer, record);
    WriteTimes(writer, record);
    WriteGauges(writer, record);
  });
}

void LitellmMetrics::OnSideCall(uint32_t worker, const SuccessRecord& record) {
  WithSeries(*impl_, worker, record, [&record](auto& writer) { WriteUse(writer, record); });
}

}  // namespace gw::metrics
