#include "gateway/mock_response.h"

#include <array>

#include "base/json.h"
#include "config/provider_table.h"
#include "gateway/request_record.h"
#include "gateway/response_headers.h"
#include "gateway/upstream_call.h"

namespace gw::gateway {

namespace {

struct MockFailure {
  std::string_view name;
  ErrorClass cls;
  int status;
  std::string_view type;
  std::string_view text;
};

constexpr std::array<MockFailure, 4> kFailures = {{
    {"litellm.RateLimitError", ErrorClass::kRateLimit, 429, "throttling_error", "this is a mock rate limit error"},
    {"litellm.InternalServerError", ErrorClass::kInternalServer, 500, "internal_server_error",
     "this is a mock internal server error"},
    {"litellm.ContextWindowExceededError", ErrorClass::kContextWindowExceeded, 400, "invalid_request_error",
     "this is a mock context window exceeded error"},
    {"litellm.ContentPolicyViolationError", ErrorClass::kContentPolicyViolation, 400, "invalid_request_error",
     "this is a mock content policy violation error"},
}};

std::optional<Error> FailureNamed(const config::Deployment& deployment) {
  for (const MockFailure& row : kFailures) {
    if (deployment.mock_response != row.name) continue;
    Error error;
    error.cls = row.cls;
    error.source = ErrorSource::kUpstream;
    error.status = row.status;
    error.type = row.type;
    error.provider = deployment.provider;
    error.message = std::string(row.name) + ": " + std::string(row.text);
    return error;
  }
  return std::nullopt;
}

constexpr std::string_view kUsage = R"("usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30})";

// The vector of the configuration (`mock_response: [0.1, ...]`), else zeros.
std::string MockVector(std::string_view text) {
  constexpr size_t kDimensions = 1536;
  std::string vector(text);
  if (json::ValidateUnpadded(vector) == nullptr && json::KindOf(json::TrimSpace(vector)) == json::Kind::kArray)
    return vector;
  vector = "[0.0";
  for (size_t i = 1; i < kDimensions; ++i) vector += ",0.0";
  return vector += ']';
}

// What an upstream that speaks OpenAI's schema would say.
std::string WholeBody(api::Endpoint endpoint, std::string_view id, std::string_view model, std::string_view text) {
  if (endpoint == api::Endpoint::kSpeech) return std::string(text);
  if (endpoint == api::Endpoint::kTranscriptions) {
    std::string body = R"({"text":)";
    json::AppendQuoted(body, text);
    return body += '}';
  }
  std::string body = R"({"id":)";
  json::AppendQuoted(body, id);
  body += R"(,"created":0,"model":)";
  json::AppendQuoted(body, model);
  if (endpoint == api::Endpoint::kEmbeddings) {
    body += R"(,"object":"list","data":[{"object":"embedding","index":0,"embedding":)" + MockVector(text) + "}],";
    return body += R"("usage":{"prompt_tokens":10,"total_tokens":10}})";
  }
  if (endpoint == api::Endpoint::kCompletions) {
    body += R"(,"object":"text_completion","choices":[{"index":0,"finish_reason":"stop","text":)";
    json::AppendQuoted(body, text);
    return body.append("}],").append(kUsage) += '}';
  }
  body += R"(,"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":)";
  body += R"({"role":"assistant","content":)";
  json::AppendQuoted(body, text);
  return body.append("}}],").append(kUsage) += '}';
}

// Three characters of UTF-8 a piece, as LiteLLM cuts its mock.
std::string_view TakePiece(std::string_view& text) {
  size_t end = 0;
  for (int characters = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (begins && ++characters > 3) break;
  }
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

std::string StreamBody(api::Endpoint endpoint, std::string_view id, std::string_view model, std::string_view text) {
  const bool chat = endpoint != api::Endpoint::kCompletions;
  std::string head = R"(data: {"id":)";
  json::AppendQuoted(head, id);
  head += R"(,"created":0,"model":)";
  json::AppendQuoted(head, model);
  head += chat ? R"(,"object":"chat.completion.chunk","choices":[)" : R"(,"object":"text_completion","choices":[)";
  std::string body;
  while (!text.empty()) {
    body += head;
    body += chat ? R"({"index":0,"delta":{"role":"assistant","content":)" : R"({"index":0,"text":)";
    json::AppendQuoted(body, TakePiece(text));
    body += chat ? "},\"finish_reason\":null}]}\n\n" : ",\"finish_reason\":null}]}\n\n";
  }
  body += head;
  body += chat ? "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
               : "{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";
  return body.append(head).append("],").append(kUsage) += "}\n\ndata: [DONE]\n\n";
}

std::string HeaderLines(RequestContext& context, const routing::RequestRoute& route,
                        const routing::Candidate& candidate) {
  Timing& t = context.timing;
  t.finished = SteadyClock::now();
  SuccessHeaders values;
  values.model_group = candidate.model_group;
  values.attempted_retries = route.attempted_retries();
  values.max_retries = route.max_retries();
  values.attempted_fallbacks = route.attempted_fallbacks();
  values.total_s = Seconds(t.finished - t.arrived);
  values.overhead_s = Seconds(t.finished - t.arrived - t.upstream - t.backoff);
  values.stream = context.request.stream;
  std::string lines;
  AppendSuccessHeaders(context, values, lines);
  return lines;
}

net::Task<AttemptReport> SendStream(RequestContext& context, routing::RequestRoute& route,
                                    const routing::Candidate& candidate, translate::Translator& translator,
                                    std::string events) {
  AttemptReport report;
  std::string out;
  auto fed = translator.Feed(events, out);
  if (fed.ok() && !fed->done) fed = translator.Finish(out);
  if (!fed.ok()) {
    report.error = std::move(fed.error());
    co_return report;
  }
  report.usage = translator.usage();
  report.has_usage = true;
  context.timing.first_chunk = SteadyClock::now();
  const std::string lines = HeaderLines(context, route, candidate);
  context.stream_started = true;
  if (context.listener != nullptr) context.listener->OnStreamBytes(out);
  NoteAnswer(context, out);
  const bool sent = co_await context.exchange.StartStream(200, lines, out);
  bool ended = false;
  if (sent) {
    ended = co_await context.exchange.EndStream();
  }
  report.end = ended ? AttemptEnd::kAnswered : AttemptEnd::kAbandoned;
  co_return report;
}

}  // namespace

net::Task<AttemptReport> AnswerFromMock(RequestContext& context, routing::RequestRoute& route,
                                        const routing::Candidate& candidate) {
  AttemptReport report;
  context.timing.attempt_begin = SteadyClock::now();
  if (auto failure = FailureNamed(*candidate.deployment)) {
    report.error = std::move(failure);
    co_return report;
  }
  config::Deployment deployment = *candidate.deployment;
  deployment.row = config::FindProvider("openai");  // the dialect in which the mock is written
  const std::string id = "chatcmpl-" + context.call_id;
  CallSpec spec;
  spec.deployment = &deployment;
  spec.upstream_model = candidate.upstream_model;
  spec.shown_model = !candidate.is_fallback && context.model_from_body ? context.controls.model
                     : context.request.stream                          ? candidate.model_group
                                                                       : candidate.upstream_model;
  spec.answer_id = id;
  UpstreamCall call(context.request, std::move(spec));  // nobody is called: only its translator is used
  if (auto error = call.Prepare()) {
    report.error = std::move(error);
    co_return report;
  }
  const std::string_view text = candidate.deployment->mock_response;
  if (context.request.stream) {
    std::string events = StreamBody(context.endpoint, id, candidate.upstream_model, text);
    report = co_await SendStream(context, route, candidate, call.translator(), std::move(events));
    co_return report;
  }
  std::string body = WholeBody(context.endpoint, id, candidate.upstream_model, text);
  body.reserve(body.size() + json::kPadding);
  auto answer = call.translator().TranslateBody(body);
  if (!answer.ok()) {
    report.error = std::move(answer.error());
    co_return report;
  }
  report.usage = call.translator().usage();
  report.has_usage = true;
  std::string_view text_sent = *answer;
  if (context.listener != nullptr) {
    auto kept = context.listener->OnWhole(candidate, std::move(*answer), report.usage);
    if (!kept.ok()) {
      report.error = std::move(kept.error());
      co_return report;
    }
    text_sent = *kept;
  }
  const std::string lines = HeaderLines(context, route, candidate);
  NoteAnswer(context, text_sent);
  const bool sent = co_await context.exchange.Respond(200, lines, text_sent);
  report.end = sent ? AttemptEnd::kAnswered : AttemptEnd::kAbandoned;
  co_return report;
}

net::Task<AttemptReport> MockTimeout(RequestContext& context, net::EventLoop& loop,
                                     const routing::Candidate& candidate) {
  AttemptReport report;
  const routing::Timeouts timeouts =
      routing::ComputeTimeouts(*context.core.snapshot, *candidate.deployment, context.controls);
  context.last_deployment = candidate.deployment;
  context.last_timeout_s = timeouts.first_byte_s;
  context.timing.attempt_begin = SteadyClock::now();
  const bool slept = !context.exchange.client_gone() &&
                     co_await net::Sleep(loop, FromSeconds(timeouts.first_byte_s), &context.exchange.on_client_gone());
  context.timing.finished = SteadyClock::now();
  if (!slept) {
    report.end = AttemptEnd::kAbandoned;
    co_return report;
  }
  Error error;
  error.cls = ErrorClass::kTimeout;
  error.source = ErrorSource::kUpstream;
  error.status = 408;
  error.type = "timeout_error";
  error.provider = candidate.deployment->provider;
  error.message = "litellm.Timeout: This is a mock timeout error";
  error.client_set_timeout = timeouts.set_by_client;
  report.error = std::move(error);
  co_return report;
}

}  // namespace gw::gateway
