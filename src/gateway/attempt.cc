#include "gateway/attempt.h"

#include <algorithm>

#include "accounting/cost.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "gateway/request_record.h"
#include "gateway/response_headers.h"
#include "gateway/trace_headers.h"

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

Error FilteredError(const config::Deployment& deployment) {
  Error error;
  error.cls = ErrorClass::kContentPolicyViolation;
  error.source = ErrorSource::kUpstream;
  error.status = 400;
  error.provider = deployment.provider;
  error.message = "litellm.ContentPolicyViolationError: the answer was filtered by the provider";
  return error;
}

}  // namespace

Error CannotContinue(const config::Deployment& deployment) {
  Error error;
  error.cls = ErrorClass::kUnsupportedParams;
  error.source = ErrorSource::kDownstream;
  error.status = 400;
  error.provider = deployment.provider;
  error.message = "litellm.UnsupportedParamsError: the deployment does not continue a text that has begun";
  return error;
}

Attempt::Attempt(RequestContext& context, routing::RequestRoute& route, const routing::Candidate& candidate,
                 net::CancelSlot& cancel)
    : context_(context), route_(route), candidate_(candidate), cancel_(cancel), begin_(SteadyClock::now()) {}

void Attempt::BecomeCurrent() {
  context_.last_deployment = candidate_.deployment;
  context_.last_upstream_model = candidate_.upstream_model;
  context_.timing.attempt_begin = begin_;
}

bool Attempt::Fail(Error error) {
  report_.error = std::move(error);
  return false;
}

std::optional<Error> Attempt::Prepare() {
  NoteAttempt(context_, candidate_, begin_);
  const config::Deployment& deployment = *candidate_.deployment;
  CallSpec spec;
  spec.deployment = &deployment;
  spec.upstream_model = candidate_.upstream_model;
  spec.shown_model = ShownModel(context_, candidate_);
  // OpenAI upstreams bring their own id; the others need one.
  spec.answer_id =
      "chatcmpl-" + (deployment.row->dialect == config::Dialect::kOpenAi ? context_.call_id : MakeUuid());
  spec.drop_params = deployment.drop_params.value_or(context_.drop_params) || context_.drop_params;
  spec.forwarded_headers = ForwardedHeaders(context_);
  AddTraceHeaders(context_, deployment, spec.forwarded_headers);
  spec.started = begin_;
  call_.emplace(context_.request, std::move(spec));
  if (context_.continuing) {
    if (context_.continuation->CanContinueAt(deployment))
      continued_ = context_.continuation->NextBody(deployment, context_.continued_tokens);
    if (!continued_) return CannotContinue(deployment);
    call_->request().body = *continued_;
  }
  if (candidate_.target != nullptr && !candidate_.target->overrides.empty())
    call_->request().overrides = &candidate_.target->overrides;
  return call_->Prepare();
}

net::Task<bool> Attempt::Fetch() {
  if (auto error = Prepare()) co_return Fail(std::move(*error));
  timeouts_ = routing::ComputeTimeouts(*context_.core.snapshot, *candidate_.deployment, context_.controls);
  context_.last_timeout_s = context_.request.stream ? timeouts_.chunk_gap_s : timeouts_.first_byte_s;
  const double head_s = std::min(timeouts_.first_byte_s, timeouts_.first_content_s.value_or(timeouts_.first_byte_s));
  // Who left before anybody watched is not told of by the cancel slot.
  if (!context_.exchange.client_gone()) {
    co_await call_->Open(context_.view, head_s, cancel_);
  }
  if (!call_->is_open()) {
    if (context_.exchange.client_gone()) {
      report_.end = AttemptEnd::kAbandoned;
      co_return false;
    }
    Error error = call_->OpenError();
    if (call_->opened().outcome == upstream::AttemptOutcome::kTimeout)
      error.client_set_timeout = timeouts_.set_by_client;
    co_return Fail(std::move(error));
  }
  call_->Watch();
  const int status = call_->http().head().status;
  if (status < 200 || status > 299) {
    co_await ReadErrorAnswer();
    co_return false;
  }
  net::Task<bool> reading = context_.request.stream ? BeginStream() : ReadWholeAnswer();
  const bool ready = co_await reading;
  co_return ready;
}

net::Task<bool> Attempt::BeginStream() {
  RelayInput input;
  input.candidate = &candidate_;
  input.translator = &call_->translator();
  input.http = &call_->http();
  input.begin = begin_;
  input.gap_s = timeouts_.chunk_gap_s;
  input.timeout_by_client = timeouts_.set_by_client;
  if (const auto first = timeouts_.first_content_s) {
    input.first_content_s = *first;
    input.first_content_by = begin_ + FromSeconds(*first);
  }
  relay_.emplace(context_, route_, input, report_);
  return relay_->Advance(StreamRelay::Until::kContent);
}

Error Attempt::TimeoutError() const {
  const double taken = Seconds(SteadyClock::now() - begin_);
  Error error = translate::MapTimeout(*candidate_.deployment, timeouts_.first_byte_s, taken);
  error.client_set_timeout = timeouts_.set_by_client;
  return error;
}

net::Task<void> Attempt::ReadErrorAnswer() {
  std::string body;
  const net::IoStatus status = co_await call_->http().ReadWholeBody(body, kErrorBodyBytesMax, Deadline());
  if (status == net::IoStatus::kCancelled && context_.exchange.client_gone()) {
    report_.end = AttemptEnd::kAbandoned;
    co_return;
  }
  const http::ResponseHead& head = call_->http().head();
  report_.error = translate::MapUpstreamError(*candidate_.deployment, head.status, body, CopyHeaders(head.headers));
}

net::Task<bool> Attempt::ReadWholeAnswer() {
  http::ClientConnection& http = call_->http();
  std::string raw;
  const size_t configured = context_.core.snapshot->general.response_bytes_max;
  const size_t bytes_max = configured != 0 ? configured : limits::kUpstreamBodyBytesMax;
  raw.reserve(http.head().content_length.value_or(4096) % bytes_max + json::kPadding);
  const net::IoStatus status = co_await http.ReadWholeBody(raw, bytes_max, Deadline());
  if (context_.exchange.client_gone()) {
    report_.end = AttemptEnd::kAbandoned;
    co_return false;
  }
  if (status == net::IoStatus::kTimeout) co_return Fail(TimeoutError());
  if (status != net::IoStatus::kOk) {
    const char* why = http.malformed();
    co_return Fail(translate::MapConnectionError(*candidate_.deployment, why != nullptr ? why : "the answer was cut"));
  }
  raw.reserve(raw.size() + json::kPadding);
  auto translated = call_->translator().TranslateBody(raw);
  if (!translated.ok()) co_return Fail(std::move(translated.error()));
  if (call_->translator().content_filtered() && WantsPolicyFallback(context_, candidate_))
    co_return Fail(FilteredError(*candidate_.deployment));
  body_ = std::move(*translated);
  co_return true;
}

net::Task<void> Attempt::Deliver() {
  return relay_ ? relay_->Deliver() : SendWholeAnswer();
}

// Books usage and sends the translated body.
net::Task<void> Attempt::SendWholeAnswer() {
  report_.usage = call_->translator().usage();
  if (report_.usage.service_tier.empty()) report_.usage.service_tier = context_.service_tier;
  report_.has_usage = true;
  const http::Headers& upstream = call_->http().head().headers;
  report_.remaining_requests = HeaderNumber(upstream, "x-ratelimit-remaining-requests");
  report_.remaining_tokens = HeaderNumber(upstream, "x-ratelimit-remaining-tokens");
  Timing& t = context_.timing;
  t.finished = SteadyClock::now();
  const Duration window = t.finished - begin_;
  report_.cost = accounting::ComputeCost(*context_.core.snapshot, *candidate_.deployment, candidate_.upstream_model,
                                         report_.usage, Seconds(window));
  SuccessHeaders values;
  values.model_group = candidate_.model_group;
  values.attempted_retries = route_.attempted_retries();
  values.max_retries = route_.max_retries();
  values.attempted_fallbacks = route_.attempted_fallbacks();
  values.upstream = &upstream;
  if (call_->translator().keeps_content_type()) [[unlikely]] {
    if (const std::string_view type = upstream.Get("content-type"); !type.empty()) values.content_type = type;
  }
  values.cost = &*report_.cost;
  std::string_view sent = body_;
  // A kept answer does not know another type.
  if (context_.listener != nullptr && values.content_type.starts_with("application/json")) [[unlikely]] {
    const int64_t asked = report_.usage.prompt_tokens;
    auto kept = context_.listener->OnWhole(candidate_, std::move(body_), report_.usage);
    if (!kept.ok()) {
      report_ = AttemptReport();
      report_.error = std::move(kept.error());
      co_return;
    }
    sent = *kept;
    report_.cached_prompt_tokens = report_.usage.prompt_tokens - asked;
  }
  values.total_s = Seconds(t.finished - t.arrived);
  values.overhead_s = Seconds(t.finished - t.arrived - t.upstream - window - t.backoff);
  std::string lines;
  lines.reserve(2048);
  AppendSuccessHeaders(context_, values, lines);
  NoteAnswer(context_, sent);
  const bool ok = co_await context_.exchange.Respond(200, lines, sent);
  report_.end = ok ? AttemptEnd::kAnswered : AttemptEnd::kAbandoned;
}

const api::Usage* Attempt::usage() {
  if (!call_ || !call_->is_open()) return nullptr;
  const api::Usage& usage = call_->translator().usage();
  return usage.prompt_tokens > 0 || usage.completion_tokens > 0 ? &usage : nullptr;
}

void Attempt::Drop() {
  if (call_) call_->Finish();
}

void Attempt::Finish() {
  Timing& t = context_.timing;
  if (report_.end != AttemptEnd::kAnswered || t.finished < begin_) t.finished = SteadyClock::now();
  t.upstream += t.finished - begin_;
  if (call_) call_->Finish();
}

}  // namespace gw::gateway
