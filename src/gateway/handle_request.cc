#include "gateway/handle_request.h"

#include <exception>

#include "accounting/cost.h"
#include "api/error_response.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "gateway/account.h"
#include "gateway/cached_request.h"
#include "gateway/controls.h"
#include "gateway/custom_labels.h"
#include "gateway/form_request.h"
#include "gateway/hedged_attempt.h"
#include "gateway/mirror.h"
#include "gateway/mock_response.h"
#include "gateway/request_record.h"
#include "gateway/response_headers.h"
#include "gateway/run_attempt.h"
#include "gateway/service_timer.h"
#include "gateway/shared_lease.h"
#include "routing/router.h"

namespace gw::gateway {

namespace {

// The client's own id is used when it is printable; else a fresh one.
std::string CallId(const http::Headers& headers) {
  const std::string_view given = headers.Get("x-litellm-call-id");
  if (given.empty() || given.size() > 256) return MakeUuid();
  for (const char c : given) {
    if (c < 0x21 || c > 0x7e) return MakeUuid();
  }
  return std::string(given);
}

// The peer, or what a trusted proxy in front says (general_settings.use_x_forwarded_for).
std::string_view ClientAddress(const config::Snapshot& snapshot, const http::ServerExchange& exchange) {
  if (snapshot.general.use_x_forwarded_for) {
    const std::string_view forwarded = exchange.head().headers.Get("x-forwarded-for");
    const std::string_view first = Trim(forwarded.substr(0, forwarded.find(',')));
    if (!first.empty()) return first;
  }
  return exchange.client_ip();
}

// Answers with the error in the client's dialect and accounts for it.
net::Task<void> Refuse(RequestContext& context, Error error) {
  context.timing.finished = SteadyClock::now();
  AccountFailure(context, error);
  std::string lines;
  AppendErrorHeaders(context, error, lines);
  const bool auth = error.cls == ErrorClass::kProxy && error.status == 401;
  const bool anthropic = context.endpoint == api::Endpoint::kMessages && !auth;
  const std::string body = anthropic ? api::RenderAnthropicError(error) : api::RenderOpenAiError(error);
  (void)co_await context.exchange.Respond(error.status, lines, body);
}

Error BodyError(http::BodyStatus status, size_t bytes_max) {
  switch (status) {
    case http::BodyStatus::kTooLarge: {
      const std::string limit = std::to_string(bytes_max >> 20);
      return ClientError(413, "Request size is too large. Max size is " + limit + " MB", "invalid_request_error", "");
    }
    case http::BodyStatus::kTimeout:
      return ClientError(408, "The request body did not arrive in time", "invalid_request_error", "");
    case http::BodyStatus::kMalformed:
      return ClientError(400, "Malformed chunked request body", "invalid_request_error", "request_body");
    default: return ClientError(400, "The request body is incomplete", "invalid_request_error", "request_body");
  }
}

// Empty counts as {}; anything but one JSON object is refused. compat: a BOM is refused as well.
Result<std::string_view> ValidBody(std::string_view body) {
  // Padded, because the walkers may look behind the text.
  static const std::string kEmptyObject = "{}" + std::string(json::kPadding, ' ');
  if (json::TrimSpace(body).empty()) return std::string_view(kEmptyObject).substr(0, 2);
  if (const char* why = json::Validate(body)) {
    return ClientError(400, std::string("Invalid JSON payload: ") + why, "invalid_request_error", "request_body");
  }
  if (json::KindOf(json::TrimSpace(body)) != json::Kind::kObject) {
    return ClientError(400, "Invalid JSON payload: expected an object", "invalid_request_error", "request_body");
  }
  return body;
}

// Sleeps between attempts; false when the client left.
net::Task<bool> BackOff(RequestContext& context, Worker& worker, Duration wait) {
  const TimePoint begin = SteadyClock::now();
  if (context.exchange.client_gone()) co_return false;
  const bool slept = co_await net::Sleep(worker.loop(), wait, &context.exchange.on_client_gone());
  context.timing.backoff += SteadyClock::now() - begin;
  co_return slept;
}

void Finish(RequestContext& context, const routing::Candidate& candidate, const AttemptReport& report) {
  AnsweredBy answered;
  answered.candidate = &candidate;
  answered.remaining_requests = report.remaining_requests;
  answered.remaining_tokens = report.remaining_tokens;
  ServiceTimer timer(context, metrics::Service::kSelf);
  AccountSuccess(context, answered, report.usage, *report.cost);
  timer.Done();
}

// What the attempt that just ended took and used, for strategies and limits.
routing::AttemptOutcome OutcomeOf(const RequestContext& context, const AttemptReport& report) {
  const Timing& t = context.timing;
  routing::AttemptOutcome outcome;
  outcome.duration = t.finished - t.attempt_begin;
  if (context.request.stream && t.first_chunk > t.attempt_begin) outcome.first_token = t.first_chunk - t.attempt_begin;
  outcome.prompt_tokens = report.usage.prompt_tokens - report.cached_prompt_tokens;
  outcome.completion_tokens = report.usage.completion_tokens;
  outcome.cost_usd = report.cost ? report.cost->total : 0;
  outcome.is_chat = context.endpoint == api::Endpoint::kChat || context.endpoint == api::Endpoint::kMessages;
  outcome.is_stream = context.request.stream;
  return outcome;
}

accounting::Cost CostOf(const RequestContext& context, const routing::Candidate& candidate, const AttemptReport& report) {
  const double duration = Seconds(context.timing.finished - context.timing.attempt_begin);
  return accounting::ComputeCost(*context.core.snapshot, *candidate.deployment, candidate.upstream_model, report.usage,
                                 duration);
}

// A stream that broke off and waits to be continued: what the client is told if nobody can.
struct BrokenStream {
  std::optional<Error> error;
  std::string event;
};

net::Task<void> EndBroken(RequestContext& context, const BrokenStream& broken) {
  context.timing.finished = SteadyClock::now();
  NoteAnswer(context, broken.event);
  AccountFailure(context, *broken.error);
  const bool sent = co_await context.exchange.WriteChunk(broken.event);
  if (sent) {
    (void)co_await context.exchange.EndStream();
  }
}

// Do all replicas together have room for it? True: the route goes on without this row.
net::Task<bool> RefusedElsewhere(RequestContext& context, routing::RequestRoute& route,
                                 const routing::Candidate& candidate, SharedLease& lease) {
  const auto refusal = co_await lease.Ask(context.view, candidate, route.reserved(), context.redis_was_late);
  if (!refusal) co_return false;
  route.OnRefusedElsewhere(refusal->reason, refusal->trusted, refusal->free_in, SteadyClock::now());
  co_return true;
}

void NoteFailure(RequestContext& context, routing::RequestRoute& route, const routing::Candidate& candidate,
                 Error& error, TimePoint now) {
  NoteFailedRow(context, candidate, error);
  const routing::FailureEffect effect = route.OnAttemptFailed(error, now);
  ShareFailure(context.view, *candidate.deployment, effect);
  AccountAttemptFailure(context, candidate, error, effect.cooldown_started);
}

}  // namespace

net::Task<void> RunRoute(RequestContext& context, Worker& worker) {
  routing::RequestRoute route(context.core.index, context.core.state, context.controls);
  BrokenStream broken;
  while (true) {
    ServiceTimer timer(context, metrics::Service::kRouter);
    routing::Step step = route.Next(SteadyClock::now(), worker.random());
    if (step.kind == routing::Step::Kind::kFail) timer.Failed(step.error, "next_step");
    else timer.Done();
    if (step.kind == routing::Step::Kind::kFail) {
      AccountHops(context, route);
      if (context.continuing) {
        co_await EndBroken(context, broken);
        co_return;
      }
      co_await Refuse(context, std::move(step.error));
      co_return;
    }
    if (step.kind == routing::Step::Kind::kWait) {
      if (co_await BackOff(context, worker, step.wait)) continue;
      context.timing.finished = SteadyClock::now();
      AccountAbandoned(context, nullptr, nullptr);
      co_return;
    }
    SharedLease lease(worker);
    if (context.view.shared_redis != nullptr) [[unlikely]] {
      const bool is_refused = co_await RefusedElsewhere(context, route, step.candidate, lease);
      if (is_refused) continue;
    }
    if (!step.candidate.mirror_model.empty()) StartMirror(worker, context, step.candidate.mirror_model);
    AttemptReport report;
    if (context.mock_timeout) {
      report = co_await MockTimeout(context, worker.loop(), step.candidate);
    } else if (const auto delay = HedgeDelay(context, route)) {
      report = co_await RunHedged(context, worker, route, step.candidate, *delay);
    } else {
      report = co_await RunAttempt(context, route, step.candidate);
    }
    const TimePoint now = SteadyClock::now();
    if (report.has_usage) {
      lease.SetUsage(report.usage.prompt_tokens - report.cached_prompt_tokens, report.usage.completion_tokens);
      if (!report.cost) report.cost = CostOf(context, step.candidate, report);
    }
    switch (report.end) {
      case AttemptEnd::kAnswered:
        route.OnAttemptSucceeded(now, OutcomeOf(context, report));
        AccountHops(context, route);
        Finish(context, step.candidate, report);
        if (context.listener != nullptr) context.listener->OnAnswered(step.candidate, report.usage);
        co_return;
      case AttemptEnd::kAbandoned:
        if (report.has_usage) route.Settle(OutcomeOf(context, report), now);
        route.OnAbandoned();
        AccountAbandoned(context, &step.candidate, report.has_usage ? &report.usage : nullptr);
        co_return;
      case AttemptEnd::kFailed:
        NoteFailure(context, route, step.candidate, *report.error, now);
        break;
      case AttemptEnd::kBroken:
        if (report.has_usage) route.Settle(OutcomeOf(context, report), now);
        NoteFailure(context, route, step.candidate, *report.error, now);
        if (report.has_usage) BillUnfinished(context, step.candidate, report.usage, 0);
        if (report.error->can_continue) {
          // The client waits; whoever is next goes on where this one stopped.
          context.continuing = true;
          context.continued_tokens += report.usage.completion_tokens;
          broken.error = report.error;
          broken.event = report.stream_error;
          break;
        }
        AccountHops(context, route);
        AccountFailure(context, *report.error);
        co_return;
    }
  }
}

namespace {

// Who is it, and what has been asked?
void Begin(RequestContext& context, const InferenceCall& call) {
  const http::Headers& headers = context.exchange.head().headers;
  context.endpoint = call.endpoint;
  context.route_label = call.route_label;
  context.path_model = call.path_model;
  context.call_id = CallId(headers);
  context.timing.arrived = context.exchange.received_at();
  context.caller.client_ip = ClientAddress(*context.core.snapshot, context.exchange);
  context.caller.user_agent = headers.Get("user-agent");
}

// An Error is the client's answer, here and below.
std::optional<Error> Authenticate(RequestContext& context, api::RouteId route) {
  const http::RequestHead& head = context.exchange.head();
  const auto lookup = [&head](std::string_view name) { return head.headers.Get(name); };
  ServiceTimer timer(context, metrics::Service::kAuth);
  timer.BeginAt(context.timing.arrived);
  if (context.core.authenticator.NeedsKey(route, head.path())) {
    auto identity = context.core.authenticator.Authenticate(lookup);
    if (!identity.ok()) {
      timer.Failed(identity.error(), "user_api_key_auth");
      return std::move(identity.error());
    }
    context.caller.hashed_api_key = identity->hashed_api_key;
    context.caller.user = identity->user;
  }
  timer.Done();
  return std::nullopt;
}

// Reads what the client said about model, stream, retries, timeouts, fallbacks.
std::optional<Error> ReadRequest(RequestContext& context, Result<std::string_view>& body) {
  if (!body.ok()) return std::move(body.error());
  ServiceTimer timer(context, metrics::Service::kPreCall);
  auto read = ReadControls(context, *body);
  ResolveCustomLabels(context);
  if (!read.ok()) {
    timer.Failed(read.error(), "read_controls");
    return std::move(read.error());
  }
  timer.Done();
  const config::Snapshot& snapshot = *context.core.snapshot;
  const std::string& user_header = snapshot.general.user_header_name;
  const http::Headers& headers = context.exchange.head().headers;
  if (const std::string_view user = user_header.empty() ? "" : headers.Get(user_header); !user.empty())
    context.end_user = user;
  if (context.core.metrics->choice().end_user) context.caller.end_user = context.end_user;
  if (context.request.stream && snapshot.router.continue_broken_streams && !context.controls.disable_fallbacks)
    context.continuation.emplace(context.request);
  if (!context.core.index.Knows(context.controls.model, context.controls.team_id)) {
    Error unknown = routing::ModelNotFound(context.controls.model);
    unknown.message.insert(0, std::string(CallName(context.endpoint)) + ": ");
    // compat: with wildcard rows LiteLLM leaves the refusal to its router.
    if (!context.core.index.has_patterns()) unknown.shown_class = {};
    return unknown;
  }
  return std::nullopt;
}

// Memory ran out, or our code is wrong: this request is over, and no other. What it held was given
// back while its frames unwound.
net::Task<void> EndByException(RequestContext& context, std::exception_ptr failure) {
  log::Error("a request ended by an exception", {{"call_id", context.call_id}, {"what", net::WhatOf(failure)}});
  context.exchange.on_client_gone().Clear();  // it may name a frame that is gone
  context.timing.finished = SteadyClock::now();
  Error error;
  error.message = "Internal server error";
  error.type = "internal_server_error";
  if (context.exchange.responded()) {
    context.exchange.CloseAfter();  // half an answer: its missing end tells the client
    if (!context.is_accounted) AccountFailure(context, error);
    co_return;
  }
  if (!context.is_accounted) {
    co_await Refuse(context, std::move(error));
  }
}

}  // namespace

net::Task<void> HandleInference(Worker& worker, const View& view, http::ServerExchange& exchange,
                                InferenceCall call) {
  RequestContext context(exchange, view, worker.index());
  std::exception_ptr failure;
  try {
    Begin(context, call);
    BeginRecord(context, worker);
    // AUTHENTICATE, before a byte of the body is looked at.
    std::optional<Error> refused = Authenticate(context, call.route);
    ResolveCustomLabels(context);
    if (!refused) {
      // READ, VALIDATE, CONTROLS.
      const size_t configured = context.core.snapshot->general.request_bytes_max;
      const size_t bytes_max = configured != 0 ? configured : limits::kBodyBytesMaxDefault;
      const http::RequestBody received = co_await exchange.ReadBody(bytes_max);
      if (received.status == http::BodyStatus::kClientGone) {
        context.timing.finished = SteadyClock::now();
        AccountAbandoned(context, nullptr, nullptr);
        co_return;
      }
      Result<std::string_view> body = std::string_view();
      if (received.status != http::BodyStatus::kOk) {
        body = BodyError(received.status, bytes_max);
      } else if (call.endpoint == api::Endpoint::kTranscriptions) {
        body = co_await ReadForm(context, worker, received.data);
      } else {
        body = ValidBody(received.data);
      }
      refused = ReadRequest(context, body);
      if (body.ok()) NoteRequest(context, *body);
    }
    if (refused) {
      co_await Refuse(context, std::move(*refused));
      co_return;
    }
    // ROUTE, ATTEMPT, RELAY, ACCOUNT.
    context.timing.started = SteadyClock::now();
    if (context.core.cache != nullptr) [[unlikely]] {
      co_await RunCached(context, worker);
    } else {
      co_await RunRoute(context, worker);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await EndByException(context, failure);
  }
}

}  // namespace gw::gateway
