#include "gateway/run_attempt.h"

#include <algorithm>

#include "accounting/cost.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "gateway/account.h"
#include "gateway/mock_response.h"
#include "gateway/response_headers.h"
#include "gateway/stream_relay.h"
#include "translate/translator.h"
#include "upstream/attempt.h"

namespace gw::gateway {

namespace {

constexpr size_t kErrorBodyBytesMax = size_t{1} << 20;

bool IsOllama(config::Dialect dialect) {
  return dialect == config::Dialect::kOllamaChat || dialect == config::Dialect::kOllamaGenerate;
}

// What the answer's "model" shall say; empty keeps the upstream's.
std::string ShownModel(const RequestContext& context, const routing::Candidate& candidate) {
  if (!candidate.is_fallback && context.model_from_body) return context.controls.model;
  // compat: streams name the group that answers, whole answers what the upstream says.
  if (context.request.stream) return candidate.model_group;
  // compat: Ollama answers have no OpenAI name of their own; LiteLLM shows its own spelling.
  if (IsOllama(candidate.deployment->row->dialect)) {
    return candidate.deployment->provider + "/" + candidate.upstream_model;
  }
  return {};
}

// Client headers that go upstream when the operator says so (http facts 0.4).
HeaderList ForwardedHeaders(const RequestContext& context) {
  HeaderList out;
  const config::GeneralSettings& general = context.core.snapshot->general;
  if (!general.forward_client_headers && !general.forward_openai_org_id) return out;
  for (const http::HeaderField& field : context.exchange.head().headers.fields()) {
    const std::string name = ToLower(field.name);
    const bool organization = name == "openai-organization" && general.forward_openai_org_id;
    const bool custom = general.forward_client_headers && name.starts_with("x-") &&
                        !name.starts_with("x-stainless") && !name.starts_with("x-litellm") &&
                        name != "x-api-key" && name != "x-goog-api-key";
    if (organization || custom) out.emplace_back(name, std::string(field.value));
  }
  return out;
}

double HeaderNumber(const http::Headers& headers, std::string_view name) {
  const auto value = ParseDouble(headers.Get(name));
  return value ? *value : -1;
}

HeaderList CopyHeaders(const http::Headers& headers) {
  HeaderList out;
  for (const http::HeaderField& field : headers.fields()) out.emplace_back(ToLower(field.name), std::string(field.value));
  return out;
}

// A finish_reason content_filter counts as a policy violation when this group has a list for it.
bool WantsPolicyFallback(const RequestContext& context, const routing::Candidate& candidate) {
  if (context.controls.disable_fallbacks) return false;
  for (const config::FallbackList& list : context.core.snapshot->router.content_policy_fallbacks) {
    if (list.group == candidate.model_group) return true;
  }
  return false;
}

struct Attempt {
  RequestContext& context;
  routing::RequestRoute& route;
  const routing::Candidate& candidate;
  translate::Translator& translator;
  routing::Timeouts timeouts;
  TimePoint deadline;
  upstream::PooledConnection& connection;
};

Error TimeoutError(const Attempt& a) {
  const double taken = Seconds(SteadyClock::now() - a.context.timing.attempt_begin);
  Error error = translate::MapTimeout(*a.candidate.deployment, a.timeouts.first_byte_s, taken);
  error.client_set_timeout = a.timeouts.set_by_client;
  return error;
}

net::Task<AttemptReport> ReadErrorAnswer(Attempt& a) {
  AttemptReport report;
  std::string body;
  const net::IoStatus status = co_await a.connection.http.ReadWholeBody(body, kErrorBodyBytesMax, a.deadline);
  if (status == net::IoStatus::kCancelled && a.context.exchange.client_gone()) {
    report.end = AttemptEnd::kAbandoned;
    co_return report;
  }
  const http::ResponseHead& head = a.connection.http.head();
  report.error = translate::MapUpstreamError(*a.candidate.deployment, head.status, body, CopyHeaders(head.headers));
  co_return report;
}

// Books usage and sends the translated body.
net::Task<AttemptReport> Answer(Attempt& a, std::string body) {
  AttemptReport report;
  report.usage = a.translator.usage();
  report.has_usage = true;
  const http::Headers& upstream = a.connection.http.head().headers;
  report.remaining_requests = HeaderNumber(upstream, "x-ratelimit-remaining-requests");
  report.remaining_tokens = HeaderNumber(upstream, "x-ratelimit-remaining-tokens");
  RequestContext& context = a.context;
  Timing& t = context.timing;
  t.finished = SteadyClock::now();
  const Duration window = t.finished - t.attempt_begin;
  const accounting::Cost cost =
      accounting::ComputeCost(*context.core.snapshot, *a.candidate.deployment, a.candidate.upstream_model,
                              report.usage, Seconds(window));
  SuccessHeaders values;
  values.model_group = a.candidate.model_group;
  values.attempted_retries = a.route.attempted_retries();
  values.max_retries = a.route.max_retries();
  values.attempted_fallbacks = a.route.attempted_fallbacks();
  values.upstream = &upstream;
  values.cost = &cost;
  report.cost = cost;
  if (const std::string_view type = upstream.Get("content-type"); a.translator.keeps_content_type() && !type.empty())
    values.content_type = type;
  std::string_view sent = body;
  if (context.listener != nullptr) [[unlikely]] {
    const int64_t asked = report.usage.prompt_tokens;
    auto kept = context.listener->OnWhole(a.candidate, std::move(body), report.usage);
    if (!kept.ok()) {
      report.error = std::move(kept.error());
      co_return report;
    }
    sent = *kept;
    report.cached_prompt_tokens = report.usage.prompt_tokens - asked;
  }
  values.total_s = Seconds(t.finished - t.arrived);
  values.overhead_s = Seconds(t.finished - t.arrived - t.upstream - window - t.backoff);
  std::string lines;
  lines.reserve(2048);
  AppendSuccessHeaders(context, values, lines);
  report.end = co_await context.exchange.Respond(200, lines, sent) ? AttemptEnd::kAnswered : AttemptEnd::kAbandoned;
  co_return report;
}

net::Task<AttemptReport> ReadWholeAnswer(Attempt& a) {
  AttemptReport report;
  std::string body;
  const size_t configured = a.context.core.snapshot->general.response_bytes_max;
  const size_t bytes_max = configured != 0 ? configured : limits::kUpstreamBodyBytesMax;
  body.reserve(a.connection.http.head().content_length.value_or(4096) % bytes_max + json::kPadding);
  const net::IoStatus status = co_await a.connection.http.ReadWholeBody(body, bytes_max, a.deadline);
  if (a.context.exchange.client_gone()) {
    report.end = AttemptEnd::kAbandoned;
    co_return report;
  }
  if (status == net::IoStatus::kTimeout) {
    report.error = TimeoutError(a);
    co_return report;
  }
  if (status != net::IoStatus::kOk) {
    const char* why = a.connection.http.malformed();
    report.error = translate::MapConnectionError(*a.candidate.deployment, why != nullptr ? why : "the answer was cut");
    co_return report;
  }
  body.reserve(body.size() + json::kPadding);
  auto translated = a.translator.TranslateBody(body);
  if (!translated.ok()) {
    report.error = std::move(translated.error());
    co_return report;
  }
  if (a.translator.content_filtered() && WantsPolicyFallback(a.context, a.candidate)) {
    Error filtered;
    filtered.cls = ErrorClass::kContentPolicyViolation;
    filtered.source = ErrorSource::kUpstream;
    filtered.status = 400;
    filtered.provider = a.candidate.deployment->provider;
    filtered.message = "litellm.ContentPolicyViolationError: the answer was filtered by the provider";
    report.error = std::move(filtered);
    co_return report;
  }
  report = co_await Answer(a, std::move(*translated));
  co_return report;
}

void CancelUpstream(void* connection) { static_cast<upstream::PooledConnection*>(connection)->http.Cancel(); }

net::Task<AttemptReport> ReadAnswer(Attempt& a) {
  const int status = a.connection.http.head().status;
  if (status < 200 || status > 299) co_return co_await ReadErrorAnswer(a);
  if (!a.context.request.stream) co_return co_await ReadWholeAnswer(a);
  RelayInput input;
  input.candidate = &a.candidate;
  input.translator = &a.translator;
  input.connection = &a.connection;
  input.gap_s = a.timeouts.chunk_gap_s;
  input.timeout_by_client = a.timeouts.set_by_client;
  if (const auto first = a.timeouts.first_content_s) {
    input.first_content_s = *first;
    input.first_content_by = a.context.timing.attempt_begin + FromSeconds(*first);
  }
  co_return co_await RelayStream(a.context, a.route, input);
}

// No upstream was called: the next candidate is asked.
Error CannotContinue(const config::Deployment& deployment) {
  Error error;
  error.cls = ErrorClass::kUnsupportedParams;
  error.source = ErrorSource::kDownstream;
  error.status = 400;
  error.provider = deployment.provider;
  error.message = "litellm.UnsupportedParamsError: the deployment does not continue a text that has begun";
  return error;
}

Error OpenError(const RequestContext& context, const routing::Candidate& candidate,
                const routing::Timeouts& timeouts, const upstream::OpenedAttempt& opened) {
  if (opened.outcome == upstream::AttemptOutcome::kTimeout) {
    const double taken = Seconds(SteadyClock::now() - context.timing.attempt_begin);
    Error error = translate::MapTimeout(*candidate.deployment, opened.timeout_s, taken);
    error.client_set_timeout = timeouts.set_by_client;
    return error;
  }
  return translate::MapConnectionError(*candidate.deployment, opened.why);
}

}  // namespace

net::Task<AttemptReport> RunAttempt(RequestContext& context, routing::RequestRoute& route,
                                    const routing::Candidate& candidate) {
  AttemptReport report;
  const config::Deployment& deployment = *candidate.deployment;
  context.last_deployment = &deployment;
  context.last_upstream_model = candidate.upstream_model;
  Timing& t = context.timing;
  t.attempt_begin = SteadyClock::now();
  if (!deployment.mock_response.empty()) {
    if (context.continuing) {
      report.error = CannotContinue(deployment);
    } else {
      report = co_await AnswerFromMock(context, route, candidate);
    }
    t.finished = SteadyClock::now();
    co_return report;
  }

  // Translate.
  const std::string shown = ShownModel(context, candidate);
  // OpenAI upstreams bring their own id; the others need one.
  const std::string answer_id = deployment.row->dialect == config::Dialect::kOpenAi
                                    ? "chatcmpl-" + context.call_id
                                    : "chatcmpl-" + MakeUuid();
  translate::ClientRequest request = context.request;
  std::optional<std::string> continued;
  if (context.continuing) {
    if (context.continuation->CanContinueAt(deployment))
      continued = context.continuation->NextBody(deployment, context.continued_tokens);
    if (!continued) {
      report.error = CannotContinue(deployment);
      co_return report;
    }
    request.body = *continued;
  }
  if (candidate.target != nullptr && !candidate.target->overrides.empty()) request.overrides = &candidate.target->overrides;
  translate::AttemptTarget target;
  target.deployment = &deployment;
  target.upstream_model = candidate.upstream_model;
  target.shown_model = shown;
  target.drop_params = deployment.drop_params.value_or(context.drop_params) || context.drop_params;
  target.now_unix_s = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch()).count();
  target.answer_id = answer_id;
  const auto translator = translate::MakeTranslator(request, target);
  auto built = translator->BuildRequest();
  if (!built.ok()) {
    report.error = std::move(built.error());
    co_return report;
  }

  // Call.
  const routing::Timeouts timeouts = routing::ComputeTimeouts(*context.core.snapshot, deployment, context.controls);
  context.last_timeout_s = request.stream ? timeouts.chunk_gap_s : timeouts.first_byte_s;
  const HeaderList forwarded = ForwardedHeaders(context);
  upstream::AttemptPlan plan;
  plan.deployment = &deployment;
  plan.request = &built.value();
  plan.forwarded_headers = &forwarded;
  plan.started = t.attempt_begin;
  plan.head_timeout_s = std::min(timeouts.first_byte_s, timeouts.first_content_s.value_or(timeouts.first_byte_s));
  plan.stream = request.stream;
  plan.accepts_any = api::IsAudio(request.endpoint);
  net::CancelSlot& gone = context.exchange.on_client_gone();
  upstream::OpenedAttempt opened = co_await upstream::OpenAttempt(context.view.PoolOf(deployment), plan, gone);
  if (opened.outcome != upstream::AttemptOutcome::kHead) {
    if (context.exchange.client_gone()) {
      report.end = AttemptEnd::kAbandoned;
    } else {
      report.error = OpenError(context, candidate, timeouts, opened);
    }
    t.finished = SteadyClock::now();
    t.upstream += t.finished - t.attempt_begin;
    co_return report;
  }

  // Answer, or find out why not.
  gone.Set(&CancelUpstream, opened.connection.get());
  Attempt attempt{context, route, candidate, *translator, timeouts, t.attempt_begin + FromSeconds(timeouts.first_byte_s),
                  *opened.connection};
  report = co_await ReadAnswer(attempt);
  gone.Clear();
  if (report.end != AttemptEnd::kAnswered || t.finished < t.attempt_begin) t.finished = SteadyClock::now();
  t.upstream += t.finished - t.attempt_begin;
  upstream::FinishAttempt(std::move(opened.connection));
  co_return report;
}

}  // namespace gw::gateway
