#include "gateway/embed_prompt.h"

#include <cstdint>

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "cache/embedding_items.h"
#include "cache/vector_codec.h"
#include "gateway/account.h"
#include "gateway/request_record.h"
#include "gateway/shared_lease.h"
#include "gateway/trace_headers.h"
#include "gateway/upstream_call.h"

namespace gw::gateway {

namespace {

struct Embedding {
  std::optional<Error> error;
  bool abandoned = false;  // the client left
  std::string vector;
  api::Usage usage;
  TimePoint begin{};
};

Error NoVector(const config::Deployment& deployment) {
  Error error;
  error.cls = ErrorClass::kInternalServer;
  error.source = ErrorSource::kUpstream;
  error.status = 500;
  error.provider = deployment.provider;
  error.message = "litellm.InternalServerError: the upstream did not answer with one embedding";
  return error;
}

std::string BodyOf(std::string_view model, std::string_view text) {
  std::string body = "{\"model\":";
  body.reserve(text.size() + text.size() / 8 + model.size() + 64 + json::kPadding);
  json::AppendQuoted(body, model);
  body += ",\"input\":";
  json::AppendQuoted(body, text);
  body += '}';
  body.reserve(body.size() + json::kPadding);
  return body;
}

net::Task<void> ReadVector(UpstreamCall& call, TimePoint deadline, double limit_s, Embedding& out) {
  const config::Deployment& deployment = call.deployment();
  std::string raw;
  const net::IoStatus status = co_await call.http().ReadWholeBody(raw, limits::kEmbeddingBodyBytesMax, deadline);
  const int code = call.http().head().status;
  if (status == net::IoStatus::kTimeout) {
    out.error = translate::MapTimeout(deployment, limit_s, Seconds(SteadyClock::now() - out.begin));
  } else if (status != net::IoStatus::kOk) {
    out.error = translate::MapConnectionError(deployment, "the answer was cut");
  } else if (code < 200 || code > 299) {
    out.error = translate::MapUpstreamError(deployment, code, raw, {});
  }
  if (out.error) co_return;
  raw.reserve(raw.size() + json::kPadding);
  auto translated = call.translator().TranslateBody(raw);
  if (!translated.ok()) {
    out.error = std::move(translated.error());
    co_return;
  }
  out.usage = call.translator().usage();
  const auto answer = cache::ReadEmbeddingAnswer(*translated, 1);
  auto vector = answer ? cache::EncodeVector(answer->vectors.front()) : std::nullopt;
  if (vector) out.vector = std::move(*vector);
  else out.error = NoVector(deployment);
}

net::Task<void> CallRow(RequestContext& context, const translate::ClientRequest& request,
                        const routing::RequestControls& controls, const routing::Candidate& candidate, double limit_s,
                        Embedding& out) {
  CallSpec spec;
  spec.deployment = candidate.deployment;
  spec.upstream_model = candidate.upstream_model;
  spec.started = out.begin = SteadyClock::now();
  NoteSideCall(context, candidate, out.begin);
  AddTraceHeaders(context, *candidate.deployment, spec.forwarded_headers);
  UpstreamCall call(request, std::move(spec));
  out.error = call.Prepare();
  if (out.error) co_return;
  const double own_s = routing::ComputeTimeouts(*context.core.snapshot, *candidate.deployment, controls).first_byte_s;
  limit_s = std::min(own_s, limit_s);
  // Who left before anybody watched is not told of by the cancel slot.
  if (!context.exchange.client_gone()) {
    co_await call.Open(context.view, limit_s, context.exchange.on_client_gone());
  }
  if (call.is_open()) {
    call.Watch();
    co_await ReadVector(call, call.started() + FromSeconds(limit_s), limit_s, out);
    call.Finish();
  } else {
    out.error = call.OpenError();
  }
  // A vector that has arrived is paid for, whoever still waits for it.
  out.abandoned = context.exchange.client_gone() && out.vector.empty();
}

// Prose has about four bytes a token; other texts have more tokens than this tells.
constexpr size_t kBytesPerToken = 4;

routing::AttemptOutcome OutcomeOf(const Embedding& made, double cost_usd) {
  routing::AttemptOutcome outcome;
  outcome.duration = SteadyClock::now() - made.begin;
  outcome.prompt_tokens = made.usage.prompt_tokens;
  outcome.cost_usd = cost_usd;
  outcome.is_chat = false;
  return outcome;
}

}  // namespace

net::Task<std::optional<std::string>> EmbedPrompt(RequestContext& context, Worker& worker, SemanticStore& store,
                                                  std::string_view text) {
  std::optional<std::string> vector;
  Core& core = context.core;
  routing::RequestControls controls;
  controls.model = store.settings().embedding_model;
  if (!core.index.Knows(controls.model)) co_return vector;
  controls.num_retries = 0;
  controls.disable_fallbacks = true;
  controls.tags = context.controls.tags;
  controls.tag_filtering = context.controls.tag_filtering;
  const std::string body = BodyOf(controls.model, text);
  translate::ClientRequest request;
  request.endpoint = api::Endpoint::kEmbeddings;
  request.body = body;
  routing::RequestRoute route(core.index, core.state, controls);
  const routing::Step step = route.Next(SteadyClock::now(), worker.random());
  if (step.kind != routing::Step::Kind::kAttempt) {
    route.OnAbandoned();
    store.NoteEmbeddingFailure(false, step.error.message);
    co_return vector;
  }
  // Many embedders cut what is too long without a word: different prompts would have one vector.
  const int64_t tokens_max = std::min(store.settings().embedding_tokens_max,
                                      step.candidate.deployment->max_input_tokens.value_or(INT64_MAX));
  if (static_cast<int64_t>(text.size() / kBytesPerToken) > tokens_max) {
    route.OnAbandoned();
    co_return vector;
  }
  Embedding made;
  co_await CallRow(context, request, controls, step.candidate, store.settings().embedding_timeout_s, made);
  const TimePoint now = SteadyClock::now();
  if (made.abandoned) {
    route.OnAbandoned();
  } else if (made.error) {
    const routing::FailureEffect effect = route.OnAttemptFailed(*made.error, now);
    ShareFailure(context.view, *step.candidate.deployment, effect);
    AccountEmbeddingFailure(context, step.candidate, *made.error, effect.cooldown_started);
    store.NoteEmbeddingFailure(made.error->cls == ErrorClass::kTimeout, made.error->message);
  } else {
    const accounting::Cost cost = AccountEmbedding(context, step.candidate, made.usage, Seconds(now - made.begin));
    route.OnAttemptSucceeded(now, OutcomeOf(made, cost.total));
    vector = std::move(made.vector);
  }
  co_return vector;
}

}  // namespace gw::gateway
