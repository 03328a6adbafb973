#include "gateway/serve_admin.h"

#include "admin/answer.h"
#include "admin/cors.h"
#include "admin/health_endpoints.h"
#include "admin/model_endpoints.h"
#include "admin/routes_endpoint.h"
#include "api/error_response.h"
#include "base/log.h"
#include "base/strings.h"
#include "gateway/explain.h"
#include "gateway/health_probe.h"
#include "gateway/response_headers.h"
#include "gateway/serve_cache.h"
#include "gateway/serve_callbacks.h"
#include "gateway/serve_metrics.h"

namespace gw::gateway {

namespace {

enum class Cors : uint8_t { kAdd, kAnswered };  // a preflight answer holds its own lines

net::Task<void> Send(const View& view, http::ServerExchange& exchange, admin::Answer answer, Cors cors = Cors::kAdd) {
  std::string lines(kCommonLines);
  if (cors == Cors::kAdd) {
    admin::AppendCorsLines(view.core->snapshot->server.cors_origins, exchange.head().headers.Get("origin"), lines);
  }
  if (!answer.content_type.empty()) {
    lines += "content-type: ";
    lines += answer.content_type;
    lines += "\r\n";
  }
  lines += answer.header_lines;
  (void)co_await exchange.Respond(answer.status, lines, answer.body);
}

// A refused key: counted like a refused inference request, the body in the route's own shape.
net::Task<void> RefuseKey(Worker& worker, const View& view, http::ServerExchange& exchange,
                          const api::RouteMatch& match, Error error) {
  Core& core = *view.core;
  const bool metrics_route = match.id == api::RouteId::kMetrics && match.verdict == api::RouteVerdict::kFound;
  // Scrapes are not client requests: they are answered, not counted.
  if (core.snapshot->metrics.enabled && !metrics_route) {
    metrics::ClientFailureRecord record;
    record.caller.client_ip = exchange.client_ip();
    record.caller.user_agent = exchange.head().headers.Get("user-agent");
    record.route = match.label;
    record.status = error.status;
    record.exception_class = ErrorClassName(error.cls);
    core.metrics->OnClientFailure(worker.index(), record);
  }
  admin::Answer answer;
  answer.status = error.status;
  answer.body = metrics_route ? api::RenderMetricsUnauthorized(error) : api::RenderOpenAiError(error);
  co_await Send(view, exchange, std::move(answer));
}

net::Task<admin::Answer> Health(Worker& worker, const View& view, std::string_view query) {
  Core& core = *view.core;
  if (core.snapshot->general.background_health_checks) {
    std::vector<admin::ProbeOutcome> outcomes;
    {
      const std::lock_guard<std::mutex> lock(core.probes_mutex);
      outcomes = core.probes;
    }
    co_return admin::CachedHealthAnswer(*core.snapshot, outcomes, query);
  }
  std::vector<const config::Deployment*> targets = admin::SelectForHealth(*core.snapshot, query);
  const std::vector<admin::ProbeOutcome> outcomes = co_await ProbeDeployments(worker, view, std::move(targets));
  co_return admin::HealthAnswer(*core.snapshot, outcomes, query);
}

// Reads files: done on the helper thread. The view in force may be another one afterwards.
net::Task<admin::Answer> Reload(Worker& worker, const View& view) {
  ReloadOutcome outcome;
  Runtime& runtime = view.core->runtime;
  auto work = [&runtime, &outcome] {
    if (runtime.reload) outcome = runtime.reload();
  };
  co_await net::Offload(runtime.offload, worker.loop(), work);
  const bool rejected = outcome.kind == ReloadOutcome::Kind::kRejected;
  co_return admin::ReloadAnswer(!rejected, outcome.kind == ReloadOutcome::Kind::kApplied, outcome.text, outcome.details);
}

// On a copy of the live state: nothing that is played changes it.
net::Task<admin::Answer> Explain(const View& view, http::ServerExchange& exchange) {
  constexpr size_t kQuestionBytesMax = 64 * 1024;
  const http::RequestBody body = co_await exchange.ReadBody(kQuestionBytesMax);
  if (body.status != http::BodyStatus::kOk) co_return admin::DetailErrorAnswer(400, "the request body is no question");
  auto question = ParseExplainBody(body.data);
  if (!question.ok()) co_return admin::ErrorAnswer(question.error());
  Core& core = *view.core;
  const auto state = core.state.CopyFor(*core.snapshot);
  const ExplainAnswer answer = RunExplain(core.index, *state, *question, SteadyClock::now());
  co_return admin::JsonAnswer(200, RenderExplainJson(answer));
}

admin::RuntimeFacts Facts() {
  admin::RuntimeFacts facts;
  facts.compat_version = kCompatVersion;
  facts.detailed_debug = log::Enabled(log::Level::kDebug);
  facts.log_level = facts.detailed_debug ? "DEBUG" : "INFO";
  return facts;
}

// The routes that answer from memory.
admin::Answer FromMemory(Core& core, const api::RouteMatch& match, std::string_view query) {
  const config::Snapshot& snapshot = *core.snapshot;
  switch (match.id) {
    case api::RouteId::kLiveness: return admin::LivenessAnswer(core.draining);
    case api::RouteId::kReadiness: return admin::ReadinessAnswer(snapshot, Facts(), core.draining);
    case api::RouteId::kReadinessDetails: return admin::ReadinessDetailsAnswer(snapshot, Facts(), core.draining);
    case api::RouteId::kBacklog: return admin::BacklogAnswer(static_cast<int64_t>(core.runtime.InFlight()));
    case api::RouteId::kModels: return admin::ListModelsAnswer(snapshot, query);
    case api::RouteId::kModel: return admin::GetModelAnswer(snapshot, PercentDecode(match.model, false));
    case api::RouteId::kModelInfo: return admin::ModelInfoAnswer(snapshot, query);
    case api::RouteId::kModelGroupInfo: return admin::ModelGroupInfoAnswer(snapshot, query);
    case api::RouteId::kRoutes: return admin::RoutesAnswer();
    case api::RouteId::kTest: return admin::TestAnswer();
    case api::RouteId::kRoot: return admin::RootAnswer(snapshot.server.no_docs);
    default: return admin::DetailAnswer(404, "Not Found");
  }
}

net::Task<void> ServeFound(Worker& worker, const View& view, http::ServerExchange& exchange,
                           const api::RouteMatch& match) {
  const std::string_view query = exchange.head().query();
  if (match.id == api::RouteId::kMetrics) {
    if (view.core->snapshot->metrics.enabled) {
      co_await ServeMetrics(worker, exchange);
    } else {
      co_await Send(view, exchange, admin::DetailAnswer(404, "Not Found"));
    }
    co_return;
  }
  if (match.id == api::RouteId::kReload) {
    admin::Answer answer = co_await Reload(worker, view);
    co_await Send(view, exchange, std::move(answer));
    co_return;
  }
  if (match.id == api::RouteId::kExplain) {
    admin::Answer answer = co_await Explain(view, exchange);
    co_await Send(view, exchange, std::move(answer));
    co_return;
  }
  if (IsCacheRoute(match.id)) {
    admin::Answer answer = co_await CacheAnswer(view, exchange, match.id);
    co_await Send(view, exchange, std::move(answer));
    co_return;
  }
  if (match.id == api::RouteId::kHealth) {
    admin::Answer answer = co_await Health(worker, view, query);
    co_await Send(view, exchange, std::move(answer));
    co_return;
  }
  if (match.id == api::RouteId::kHealthServices) {
    co_await Send(view, exchange, TestService(worker, view, query));
    co_return;
  }
  co_await Send(view, exchange, FromMemory(*view.core, match, query));
}

}  // namespace

net::Task<void> ServeAdmin(Worker& worker, const View& view, http::ServerExchange& exchange, api::RouteMatch match,
                           std::string_view path) {
  Core& core = *view.core;
  const http::RequestHead& head = exchange.head();
  const config::ServerOptions& options = core.snapshot->server;

  admin::CorsRequest cors;
  cors.origin = head.headers.Get("origin");
  cors.request_method = head.headers.Get("access-control-request-method");
  cors.request_headers = head.headers.Get("access-control-request-headers");
  if (admin::IsPreflight(head.method, cors)) {
    co_await Send(view, exchange, admin::PreflightAnswer(options.cors_origins, cors), Cors::kAnswered);
    co_return;
  }
  switch (match.verdict) {
    case api::RouteVerdict::kFound: break;
    case api::RouteVerdict::kNotFound:
      co_await Send(view, exchange, admin::DetailAnswer(404, "Not Found"));
      co_return;
    case api::RouteVerdict::kMethodNotAllowed:
      co_await Send(view, exchange, admin::MethodNotAllowedAnswer(match.allow));
      co_return;
    case api::RouteVerdict::kOptions: co_await Send(view, exchange, admin::OptionsAnswer(match.allow)); co_return;
    case api::RouteVerdict::kRedirect:
      co_await Send(view, exchange, admin::RedirectAnswer(options.root_path, match.location, head.query()));
      co_return;
  }
  if (core.authenticator.NeedsKey(match.id, path)) {
    const http::Headers& headers = head.headers;
    const auto lookup = [&headers](std::string_view name) { return headers.Get(name); };
    auto identity = core.authenticator.Authenticate(lookup);
    if (!identity.ok()) {
      co_await RefuseKey(worker, view, exchange, match, std::move(identity.error()));
      co_return;
    }
  }
  co_await ServeFound(worker, view, exchange, match);
}

}  // namespace gw::gateway
