#include "gateway/request_record.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "gateway/trace_headers.h"
#include "telemetry/kept_request.h"

namespace gw::gateway {

namespace {

using telemetry::AttemptRecord;
using telemetry::RequestRecord;

// Clients choose these texts: heads are bytes, a path may hold %FF, a model may have a megabyte.
constexpr size_t kClientTextBytesMax = 512;
std::string ClientText(std::string_view value) { return json::CopyAsUtf8(CutUtf8(value, kClientTextBytesMax)); }

// What steers callbacks; no credential is among it.
void FillHeaders(const http::RequestHead& head, RequestRecord& record) {
  const std::string& key_header = record.snapshot->general.litellm_key_header_name;
  for (const http::HeaderField& field : head.headers.fields()) {
    if (!telemetry::IsLoggedHeader(field.name) || EqualsIgnoreCase(field.name, key_header)) continue;
    record.headers.emplace_back(ToLower(field.name), ClientText(field.value));
  }
}

void FillCaller(const RequestContext& context, RequestRecord& record) {
  const metrics::CallerLabels& caller = context.caller;
  record.key_hash = caller.hashed_api_key;
  record.key_alias = caller.api_key_alias;
  record.team = caller.team;
  record.team_alias = caller.team_alias;
  record.user = caller.user;
  record.end_user = ClientText(context.end_user);
  record.requested_model = ClientText(context.controls.model);
  record.stream = context.request.stream;
}

void FillError(const Error& error, std::string& error_class, std::string& message) {
  error_class = ShownClassName(error);
  message = json::CopyAsUtf8(CutUtf8(error.message, telemetry::kErrorTextBytesMax));
}

void Keep(std::string_view bytes, std::string& kept, bool& is_cut) {
  const size_t room = limits::kTelemetryContentBytesMax - kept.size();
  kept += CutUtf8(bytes, room);
  if (bytes.size() > room) is_cut = true;
}

AttemptRecord& AddAttempt(RequestRecord& record, const routing::Candidate& candidate, TimePoint begin) {
  AttemptRecord& attempt = record.attempts.emplace_back();
  attempt.deployment = candidate.deployment;
  attempt.model_group = ClientText(candidate.model_group);  // of a wildcard row: the client's text
  attempt.upstream_model = ClientText(candidate.upstream_model);
  attempt.is_fallback = candidate.is_fallback;
  attempt.begin = begin;
  if (record.is_traced) attempt.span_id = record.NextSpanId();
  return attempt;
}

// The one that answered, or the last that was tried.
void FillDeployment(const RequestContext& context, RequestRecord& record) {
  if (record.deployment == nullptr) record.deployment = context.last_deployment;
  if (record.deployment == nullptr || !record.model_group.empty()) return;
  for (auto it = record.attempts.rbegin(); it != record.attempts.rend(); ++it) {
    if (it->deployment != record.deployment) continue;
    record.model_group = it->model_group;
    record.upstream_model = it->upstream_model;
    return;
  }
  record.model_group = ClientText(record.deployment->model_name);
  record.upstream_model = ClientText(context.last_upstream_model);
}

// Each attempt behind the first went on to another group, or tried its own again; one that ran beside
// another was a hedge, not a retry.
void CountSteps(RequestRecord& record) {
  TimePoint ended{};
  const AttemptRecord* before = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.is_side_call) continue;
    if (before != nullptr && attempt.begin >= ended) {
      if (attempt.model_group == before->model_group) ++record.retries;
      else ++record.fallbacks;
    }
    ended = std::max(ended, attempt.end);
    before = &attempt;
  }
}

// What a request used that had no answer: of its last attempt that used anything.
void FillUsage(RequestRecord& record) {
  if (record.usage.total_tokens > 0 || record.usage.prompt_tokens > 0) return;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.has_usage) record.usage = attempt.usage;
  }
}

// Unique in the process: one loop per thread. A client chooses its call id, so that cannot tell two apart.
uint64_t NextRecordId(uint32_t worker) {
  thread_local uint64_t made = 0;
  return (uint64_t{worker} << 48) | ++made;
}

// A record is lost rather than a request: what runs out of memory here is counted as dropped.
template <typename F>
void Guarded(RequestContext& context, F&& fill) {
  if (context.record == nullptr) [[likely]] return;
  try {
    fill(*context.record);
  } catch (const std::exception&) {
    context.record.reset();
    context.core.runtime.telemetry->CountDropped(context.worker);
  }
}

void Fill(const RequestContext& context, const config::TelemetrySettings& settings, Worker& worker,
          RequestRecord& record) {
  const http::RequestHead& head = context.exchange.head();
  record.snapshot = context.core.snapshot;
  record.worker = context.worker;
  record.id = NextRecordId(context.worker);
  record.call_id = context.call_id;
  record.method = head.method;
  record.path = ClientText(head.path());
  record.route = context.route_label;
  record.endpoint = context.endpoint;
  record.client_ip = ClientText(context.caller.client_ip);
  record.user_agent = ClientText(context.caller.user_agent);
  if (settings.wants_content) FillHeaders(head, record);
  record.arrived = context.timing.arrived;
  record.seed = worker.random().Next();
  record.is_traced = settings.otel.traces.on || settings.otel.logs.on;
  if (!record.is_traced) return;
  const std::array<uint64_t, 3> random = {worker.random().Next(), worker.random().Next(), worker.random().Next()};
  record.trace = telemetry::BeginTrace(head.headers.Get("traceparent"), TraceStateOf(head.headers),
                                       static_cast<telemetry::Sampler>(settings.otel.sampler),
                                       settings.otel.sample_ratio, random);
}

}  // namespace

void BeginRecord(RequestContext& context, Worker& worker) {
  const config::TelemetrySettings& settings = context.core.snapshot->telemetry;
  if (!settings.wants_records) [[likely]] return;
  try {
    context.record = std::make_unique<RequestRecord>();
  } catch (const std::exception&) {
    context.core.runtime.telemetry->CountDropped(context.worker);
  }
  Guarded(context, [&](RequestRecord& record) { Fill(context, settings, worker, record); });
}

void NoteRequest(RequestContext& context, std::string_view body) {
  Guarded(context, [&](RequestRecord& record) {
    const config::TelemetrySettings& settings = context.core.snapshot->telemetry;
    FillCaller(context, record);
    record.started = SteadyClock::now();
    if (settings.wants_starts) context.core.runtime.telemetry->Publish(context.worker, record.Started());
    if (settings.wants_content) KeepRequestBody(body, context.members, settings.callbacks.ignore_no_log, record);
  });
}

void NoteAttempt(RequestContext& context, const routing::Candidate& candidate, TimePoint begin) {
  Guarded(context, [&](RequestRecord& record) { AddAttempt(record, candidate, begin); });
}

void NoteSideCall(RequestContext& context, const routing::Candidate& candidate, TimePoint begin) {
  Guarded(context, [&](RequestRecord& record) { AddAttempt(record, candidate, begin).is_side_call = true; });
}

void NoteAttemptEnd(RequestContext& context, const routing::Candidate& candidate, AttemptRecord::Outcome outcome,
                    const Error* error, bool cooled) {
  Guarded(context, [&](RequestRecord& record) {
    AttemptRecord* attempt = record.RunningAttempt(candidate.deployment);
    if (attempt == nullptr) attempt = &AddAttempt(record, candidate, context.timing.attempt_begin);
    attempt->outcome = outcome;
    attempt->end = SteadyClock::now();
    const TimePoint first = context.timing.first_chunk;
    const bool is_current = context.timing.attempt_begin == attempt->begin;
    if (context.request.stream && is_current && first >= attempt->begin) attempt->first_content = first;
    attempt->cooldown_started = cooled;
    if (outcome == AttemptRecord::Outcome::kSuccess) {
      attempt->status = 200;
      if (!attempt->is_side_call) {
        attempt->end = context.timing.finished;
        record.deployment = candidate.deployment;
      }
    }
    if (error == nullptr) return;
    attempt->status = error->status;
    FillError(*error, attempt->error_class, attempt->error_message);
  });
}

void NoteBilled(RequestContext& context, const routing::Candidate& candidate, const api::Usage& usage, double usd) {
  Guarded(context, [&](RequestRecord& record) {
    record.cost_usd += usd;
    for (auto it = record.attempts.rbegin(); it != record.attempts.rend(); ++it) {
      if (it->deployment != candidate.deployment || it->has_usage) continue;
      it->has_usage = true;
      it->usage = usage;
      it->cost_usd = usd;
      return;
    }
  });
}

void KeepAnswerBytes(RequestContext& context, std::string_view bytes) {
  Guarded(context, [&](RequestRecord& record) {
    if (record.no_log) return;
    if (record.endpoint != api::Endpoint::kSpeech) Keep(bytes, record.response_body, record.response_is_cut);
  });
}

void EndRecord(RequestContext& context, RequestRecord::Outcome outcome, int status, const Error* error) {
  Guarded(context, [&](RequestRecord& record) {
    FillCaller(context, record);
    FillDeployment(context, record);
    record.outcome = outcome;
    record.status = status;
    if (error != nullptr) FillError(*error, record.error_class, record.error_message);
    const Timing& timing = context.timing;
    const TimePoint steady_now = SteadyClock::now();
    record.started = timing.started != TimePoint{} ? timing.started : timing.arrived;
    record.first_chunk = timing.first_chunk;
    record.finished = timing.finished >= timing.arrived ? timing.finished : steady_now;
    record.upstream = timing.upstream;
    record.backoff = timing.backoff;
    const auto now = std::chrono::system_clock::now().time_since_epoch() - (steady_now - record.finished);
    record.finished_unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    for (AttemptRecord& attempt : record.attempts) {
      if (attempt.end == TimePoint{}) attempt.end = record.finished;
      attempt.end = std::max(attempt.end, attempt.begin);
    }
    CountSteps(record);
    FillUsage(record);
    context.core.runtime.telemetry->Publish(context.worker, std::move(context.record));
  });
}

}  // namespace gw::gateway
