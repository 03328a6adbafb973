#include "gateway/account.h"

#include <chrono>

#include "base/strings.h"
#include "gateway/request_record.h"
#include "routing/row_limits.h"

namespace gw::gateway {

namespace {

// compat: OpenAI's own rows are another provider while they complete texts.
std::string_view ProviderOf(const RequestContext& context, const config::Deployment& deployment) {
  const bool text = context.endpoint == api::Endpoint::kCompletions && deployment.provider == "openai";
  return text ? std::string_view("text-completion-openai") : std::string_view(deployment.provider);
}

metrics::DeploymentLabels LabelsOf(const RequestContext& context, const routing::Candidate& candidate) {
  const config::Deployment& d = *candidate.deployment;
  return {candidate.model_group, candidate.upstream_model, d.id, d.api_base, ProviderOf(context, d)};
}

// What the client asked for, bounded: names that the router does not know become "other".
std::string_view RequestedModel(const RequestContext& context) {
  const std::string& model = context.controls.model;
  if (model.empty()) return "";
  return context.core.index.Knows(model) ? std::string_view(model) : std::string_view("other");
}

// compat: prometheus_emit_rate_limit_labels tells who said 429.
void SetRateLimit(const Error& error, metrics::ClientFailureRecord& r) {
  if (error.status != 429) return;
  r.rate_limit_category = error.source == ErrorSource::kUpstream ? "vendor_rate_limit" : "litellm_rate_limit";
  r.rate_limit_type = error.limit_kind;
}

// The trace that was begun here, when its spans are sent.
std::string OwnTraceId(const RequestContext& context) {
  if (context.record == nullptr) [[likely]] return {};
  const telemetry::RequestRecord& record = *context.record;
  const bool is_sent = record.is_traced && record.trace.sampled && context.core.snapshot->telemetry.otel.traces.on;
  return is_sent ? telemetry::Hex(record.trace.trace_id) : std::string();
}

// The trace that the client's request belongs to, else our own, else the call id where the operator wants
// every request. `own_trace` lives as long as what is returned.
metrics::ExemplarId ExemplarOf(const RequestContext& context, const std::string& own_trace) {
  using Exemplars = config::MetricsSettings::Exemplars;
  const Exemplars wanted = context.core.snapshot->metrics.exemplars;
  metrics::ExemplarId exemplar;
  if (wanted == Exemplars::kOff) return exemplar;
  exemplar.id = metrics::TraceIdOf(context.exchange.head().headers.Get("traceparent"));
  if (exemplar.id.empty()) exemplar.id = own_trace;
  if (exemplar.id.empty() && wanted == Exemplars::kAll) {
    exemplar.id = context.call_id;
    exemplar.kind = metrics::ExemplarId::Kind::kCall;
  }
  if (!exemplar.id.empty()) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    exemplar.time_unix_s = std::chrono::duration<double>(now).count();
  }
  return exemplar;
}

using telemetry::AttemptRecord;
using Ending = telemetry::RequestRecord::Outcome;

bool MetricsOn(const RequestContext& context) { return context.core.snapshot->metrics.enabled; }

// compat: LiteLLM's logs, too, name a hit's key and the row that answered in its time.
void RecordSuccess(RequestContext& context, const AnsweredBy& answered, const api::Usage& usage,
                   const accounting::Cost& cost) {
  telemetry::RequestRecord& record = *context.record;
  record.usage = usage;
  if (answered.from_cache) {
    record.from_cache = true;
    record.deployment = answered.candidate->deployment;
    record.model_group = answered.candidate->model_group;
    record.upstream_model = answered.candidate->upstream_model;
  } else {
    NoteAttemptEnd(context, *answered.candidate, AttemptRecord::Outcome::kSuccess, nullptr, false);
    NoteBilled(context, *answered.candidate, usage, cost.total);
  }
  EndRecord(context, Ending::kSuccess, 200, nullptr);
}

void AddSpend(RequestContext& context, double usd) {
  auto& spend = context.core.counts[context.worker].spend;
  spend.store(spend.load(std::memory_order_relaxed) + usd, std::memory_order_relaxed);
}

void CountCooldown(RequestContext& context, const routing::Candidate& candidate, const std::string& status) {
  const config::Deployment& d = *candidate.deployment;
  context.core.metrics->OnCooldown(context.worker,
                                   {d.model_name, d.id, d.api_base, d.provider, status, context.caller.custom});
}

// Where the upstream does not say what is left: what the group's own rpm and tpm leave.
void FillRoom(const RequestContext& context, const routing::Candidate& candidate, metrics::SuccessRecord& r) {
  if (r.remaining_requests >= 0 && r.remaining_tokens >= 0) return;
  routing::ModelIndex::Match scratch;
  const auto* match = context.core.index.Resolve(candidate.model_group, context.controls.team_id, scratch);
  if (match == nullptr) return;
  const routing::RoomLeft left = routing::RoomOf(match->deployments, context.core.state, context.timing.finished);
  if (r.remaining_requests < 0) r.remaining_requests = left.requests;
  if (r.remaining_tokens < 0) r.remaining_tokens = left.tokens;
}

std::string_view AttemptOutcomeLabel(const Error& error) {
  if (error.cls == ErrorClass::kTimeout) return "timeout";
  return error.source == ErrorSource::kUpstream && error.upstream_headers.empty() && error.status == 500 ? "connect_error"
                                                                                                         : "error";
}

}  // namespace

void AccountSuccess(RequestContext& context, const AnsweredBy& answered, const api::Usage& usage,
                    const accounting::Cost& cost) {
  context.is_accounted = true;
  AddSpend(context, cost.total);
  const routing::Candidate& candidate = *answered.candidate;
  const std::string own_trace = OwnTraceId(context);  // the record goes
  if (context.record != nullptr) [[unlikely]] RecordSuccess(context, answered, usage, cost);
  if (!MetricsOn(context)) return;
  const Timing& t = context.timing;
  metrics::SuccessRecord r;
  r.caller = context.caller;
  r.deployment = LabelsOf(context, candidate);
  r.requested_model = context.controls.model;
  r.route = context.route_label;
  r.service_tier = usage.service_tier;
  r.stream = context.request.stream;
  r.stream_field_present = context.stream_field_present;
  r.exemplar = ExemplarOf(context, own_trace);
  r.queue_time_s = Seconds(t.started - t.arrived);
  r.total_s = Seconds(t.finished - t.arrived);
  r.llm_api_s = Seconds(t.finished - t.attempt_begin);
  r.attempt_s = r.llm_api_s;
  r.has_llm_latency = !answered.from_cache;
  r.cache_hit = answered.from_cache;
  r.cache_miss = context.cache_missed && !answered.from_cache;
  if (context.request.stream && t.first_chunk != TimePoint{}) {
    r.time_to_first_token_s = Seconds(t.first_chunk - t.attempt_begin);
    r.first_token_from_start_s = Seconds(t.first_chunk - t.started);
    if (usage.completion_tokens > 1)
      r.inter_token_s = Seconds(t.finished - t.first_chunk) / static_cast<double>(usage.completion_tokens - 1);
  } else {
    r.overhead_s = Seconds(t.finished - t.arrived - t.upstream - t.backoff);
  }
  r.backoff_s = Seconds(t.backoff);
  r.spend_usd = cost.total;
  r.prompt_tokens = usage.prompt_tokens;
  r.completion_tokens = usage.completion_tokens;
  r.total_tokens = usage.total_tokens;
  r.cached_tokens = usage.cached_tokens;
  r.cache_creation_tokens = usage.cache_creation_tokens;
  r.reasoning_tokens = usage.reasoning_tokens;
  r.prompt_audio_tokens = usage.prompt_audio_tokens;
  r.completion_audio_tokens = usage.completion_audio_tokens;
  r.remaining_requests = answered.remaining_requests;
  r.remaining_tokens = answered.remaining_tokens;
  if (context.core.index.table().states_room()) [[unlikely]] FillRoom(context, candidate, r);
  const config::Deployment& d = *candidate.deployment;
  // compat: as limits model_info's come first, of what is left litellm_params' do.
  if (const auto& rpm = d.info_rpm ? d.info_rpm : d.rpm) r.rpm_limit = static_cast<double>(*rpm);
  if (const auto& tpm = d.info_tpm ? d.info_tpm : d.tpm) r.tpm_limit = static_cast<double>(*tpm);
  metrics::LitellmMetrics& m = *context.core.metrics;
  m.OnSuccess(context.worker, r);
  if (!answered.from_cache) m.OnAttempt(context.worker, {r.deployment, "success"});
}

namespace {

// Whose failure is it that the client is told of? The error is the one of the group it asked for, so the row
// is, too; a stream that broke belongs to the last. compat: a refusal before routing is counted for the row
// that would have been called when there is only one.
const config::Deployment* BlamedRow(const RequestContext& context, const Error& error) {
  if (context.last_deployment == nullptr) {
    if (context.controls.model.empty()) return nullptr;  // not asked for any, whatever "*" would match
    return context.core.index.OnlyRow(context.controls.model, context.controls.team_id);
  }
  return error.mid_stream || context.asked_deployment == nullptr ? context.last_deployment : context.asked_deployment;
}

// Refused before any deployment was chosen: the deployment families count it too (facts 2.5).
void CountRefusal(RequestContext& context, const Error& error, const metrics::ClientFailureRecord& told,
                  const config::Deployment* row) {
  const bool unknown = error.cls == ErrorClass::kModelNotFound;
  // compat: LiteLLM's audio endpoints look the model up outside of what it logs.
  if (unknown && api::IsAudio(context.endpoint)) return;
  const std::string status = std::to_string(error.status);
  metrics::AttemptFailureRecord refused;
  refused.caller = context.caller;
  refused.requested_model = told.requested_model;
  // compat: a group is named when it has one row, or when the router itself has refused.
  if (row != nullptr || (unknown && context.core.index.has_patterns())) refused.deployment.model_group = told.requested_model;
  if (row != nullptr) refused.refused_model_id = row->id;
  refused.model = told.requested_model;
  refused.exception_status = status;
  refused.exception_class = told.exception_class;
  context.core.metrics->OnAttemptFailure(context.worker, refused);
}

}  // namespace

void AccountFailure(RequestContext& context, const Error& error) {
  context.is_accounted = true;
  EndRecord(context, Ending::kFailure, error.status, &error);
  if (!MetricsOn(context)) return;
  metrics::ClientFailureRecord r;
  r.caller = context.caller;
  const std::string exception_class = ExceptionClassLabel(error);
  r.requested_model = RequestedModel(context);
  r.route = context.route_label;
  const config::Deployment* row = BlamedRow(context, error);
  if (row != nullptr) {
    r.model_id = row->id;
    r.api_provider = context.last_deployment != nullptr ? ProviderOf(context, *row) : std::string_view(row->provider);
  } else {
    r.model_id_is_empty = error.cls == ErrorClass::kModelNotFound;
  }
  r.status = error.status;
  r.exception_class = exception_class;
  SetRateLimit(error, r);
  r.stream = context.request.stream;
  r.stream_field_present = context.stream_field_present;
  context.core.metrics->OnClientFailure(context.worker, r);
  const bool auth = error.cls == ErrorClass::kProxy && error.status == 401;
  if (context.last_deployment != nullptr || context.attempt_failure_counted || auth) return;
  CountRefusal(context, error, r, row);
}

void BillUnfinished(RequestContext& context, const routing::Candidate& candidate, const api::Usage& usage,
                    double duration_s) {
  const accounting::Cost cost = accounting::ComputeCost(*context.core.snapshot, *candidate.deployment,
                                                        candidate.upstream_model, usage, duration_s);
  AddSpend(context, cost.total);
  NoteBilled(context, candidate, usage, cost.total);
}

void AccountAbandoned(RequestContext& context, const routing::Candidate* candidate, const api::Usage* usage) {
  context.is_accounted = true;
  if (candidate != nullptr) NoteAttemptEnd(context, *candidate, AttemptRecord::Outcome::kCancelled, nullptr, false);
  if (candidate != nullptr && usage != nullptr) {
    BillUnfinished(context, *candidate, *usage, Seconds(context.timing.finished - context.timing.attempt_begin));
  }
  if (context.record != nullptr && usage != nullptr) context.record->usage = *usage;
  EndRecord(context, Ending::kAbandoned, 499, nullptr);
  if (!MetricsOn(context)) return;
  if (context.stream_started) context.core.metrics->OnStreamAborted(context.worker, "client");
  if (candidate != nullptr) context.core.metrics->OnAttempt(context.worker, {LabelsOf(context, *candidate), "cancelled"});
  metrics::ClientFailureRecord r;
  r.caller = context.caller;
  r.requested_model = RequestedModel(context);
  r.route = context.route_label;
  if (candidate != nullptr) {
    r.model_id = candidate->deployment->id;
    r.api_provider = ProviderOf(context, *candidate->deployment);
  }
  r.status = 499;
  r.exception_class = "ClientDisconnected";
  r.stream = context.request.stream;
  r.stream_field_present = context.stream_field_present;
  context.core.metrics->OnClientFailure(context.worker, r);
}

void NoteFailedRow(RequestContext& context, const routing::Candidate& candidate, Error& error) {
  // compat: LiteLLM sends text completions with OpenAI's library, whatever OpenAI-like provider serves them.
  const bool openai_like = candidate.deployment->row->dialect == config::Dialect::kOpenAi;
  const bool is_text = context.endpoint == api::Endpoint::kCompletions;
  if (is_text && openai_like && !error.provider.empty()) error.provider = "openai";
  if (!candidate.is_fallback) context.asked_deployment = candidate.deployment;
}

void AccountAttemptFailure(RequestContext& context, const routing::Candidate& candidate, const Error& error,
                           bool cooled) {
  NoteAttemptEnd(context, candidate, error.mid_stream ? AttemptRecord::Outcome::kBroken : AttemptRecord::Outcome::kFailed,
                 &error, cooled);
  if (!MetricsOn(context)) return;
  metrics::LitellmMetrics& m = *context.core.metrics;
  const metrics::DeploymentLabels labels = LabelsOf(context, candidate);
  m.OnAttempt(context.worker, {labels, AttemptOutcomeLabel(error)});
  if (error.mid_stream) m.OnStreamAborted(context.worker, "upstream");
  const std::string status = std::to_string(error.status);
  if (!context.attempt_failure_counted) {
    context.attempt_failure_counted = true;
    metrics::AttemptFailureRecord r;
    r.caller = context.caller;
    r.deployment = labels;
    r.requested_model = candidate.model_group;
    r.model = candidate.upstream_model;
    const bool is_raw = !error.logged_class.empty();
    const std::string exception_class =
        is_raw ? std::string(error.logged_class) : ExceptionClassLabel(error);
    r.exception_status = is_raw ? std::string_view(error.logged_status) : std::string_view(status);
    r.exception_class = exception_class;
    m.OnAttemptFailure(context.worker, r);
  }
  if (cooled) CountCooldown(context, candidate, status);
}

accounting::Cost AccountEmbedding(RequestContext& context, const routing::Candidate& candidate, const api::Usage& usage,
                                  double took_s) {
  accounting::Cost cost = accounting::ComputeCost(*context.core.snapshot, *candidate.deployment,
                                                  candidate.upstream_model, usage, took_s);
  AddSpend(context, cost.total);
  NoteAttemptEnd(context, candidate, AttemptRecord::Outcome::kSuccess, nullptr, false);
  NoteBilled(context, candidate, usage, cost.total);
  if (!MetricsOn(context)) return cost;
  metrics::SuccessRecord r;
  r.caller = context.caller;
  r.deployment = LabelsOf(context, candidate);
  r.requested_model = candidate.model_group;
  r.route = context.route_label;
  r.spend_usd = cost.total;
  r.prompt_tokens = usage.prompt_tokens;
  r.total_tokens = usage.total_tokens;
  context.core.metrics->OnSideCall(context.worker, r);
  context.core.metrics->OnAttempt(context.worker, {r.deployment, "success"});
  return cost;
}

void AccountEmbeddingFailure(RequestContext& context, const routing::Candidate& candidate, const Error& error,
                             bool cooled) {
  NoteAttemptEnd(context, candidate, AttemptRecord::Outcome::kFailed, &error, cooled);
  if (!MetricsOn(context)) return;
  context.core.metrics->OnAttempt(context.worker, {LabelsOf(context, candidate), AttemptOutcomeLabel(error)});
  if (cooled) CountCooldown(context, candidate, std::to_string(error.status));
}

void AccountAborted(RequestContext& context, const routing::Candidate& candidate, std::string_view outcome,
                    const api::Usage* usage, double duration_s) {
  const bool overtaken = outcome == "hedged_away";
  NoteAttemptEnd(context, candidate, overtaken ? AttemptRecord::Outcome::kHedgedAway : AttemptRecord::Outcome::kCancelled,
                 nullptr, false);
  if (usage != nullptr) BillUnfinished(context, candidate, *usage, duration_s);
  if (MetricsOn(context)) context.core.metrics->OnAttempt(context.worker, {LabelsOf(context, candidate), outcome});
}

void AccountHedge(RequestContext& context, const routing::Candidate& candidate, std::string_view outcome) {
  if (MetricsOn(context)) context.core.metrics->OnHedge(context.worker, candidate.model_group, outcome);
}

void AccountHops(RequestContext& context, routing::RequestRoute& route) {
  for (const routing::FallbackHop& hop : route.TakeHops()) {
    if (!MetricsOn(context)) continue;
    const std::string status = std::to_string(hop.exception_status);
    metrics::FallbackRecord r;
    r.caller = context.caller;
    const bool is_known = context.core.index.Knows(hop.from_group, context.controls.team_id);
    r.requested_model = is_known ? std::string_view(hop.from_group) : std::string_view("other");
    r.fallback_model = hop.to_group;
    r.exception_status = status;
    r.exception_class = hop.exception_class;
    r.succeeded = hop.succeeded;
    context.core.metrics->OnFallback(context.worker, r);
  }
}

}  // namespace gw::gateway
