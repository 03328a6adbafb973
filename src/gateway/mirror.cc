#include "gateway/mirror.h"

#include <algorithm>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "gateway/upstream_call.h"

namespace gw::gateway {

namespace {

constexpr double kMirrorSecondsMax = 120;  // a shutdown does not wait for copies; this bounds them
constexpr size_t kMirrorBodyBytesMax = size_t{4} << 20;

thread_local int running_mirrors = 0;

struct Running {
  Running() { ++running_mirrors; }
  ~Running() { --running_mirrors; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

// What the copy needs of the request after the request is gone.
struct MirrorJob {
  ViewPtr view;
  std::string body;
  translate::ClientRequest request;
  routing::RequestControls controls;
  std::string answer_id;
};

// nullopt: the row answered. Only its cooldown and its counters learn of it.
net::Task<std::optional<Error>> CallRow(MirrorJob& job, const routing::Candidate& candidate) {
  const config::Deployment& deployment = *candidate.deployment;
  CallSpec spec;
  spec.deployment = &deployment;
  spec.upstream_model = candidate.upstream_model;
  spec.answer_id = job.answer_id;
  spec.started = SteadyClock::now();
  UpstreamCall call(job.request, std::move(spec));
  if (auto error = call.Prepare()) co_return error;
  const double own_s = routing::ComputeTimeouts(*job.view->core->snapshot, deployment, job.controls).first_byte_s;
  net::CancelSlot never;
  co_await call.Open(*job.view, std::min(own_s, kMirrorSecondsMax), never);
  if (!call.is_open()) co_return call.OpenError();
  std::string answer;
  const TimePoint deadline = call.started() + FromSeconds(kMirrorSecondsMax);
  const net::IoStatus status = co_await call.http().ReadWholeBody(answer, limits::kUpstreamBodyBytesMax, deadline);
  const int code = call.http().head().status;
  call.Finish();
  if (status != net::IoStatus::kOk) co_return translate::MapConnectionError(deployment, "the answer was cut");
  if (code < 200 || code > 299) co_return translate::MapUpstreamError(deployment, code, answer, {});
  co_return std::nullopt;
}

net::Task<void> Mirror(Worker& worker, std::unique_ptr<MirrorJob> job) {
  const Running running;
  Core& core = *job->view->core;
  routing::RequestRoute route(core.index, core.state, job->controls);
  const routing::Step step = route.Next(SteadyClock::now(), worker.random());
  if (step.kind != routing::Step::Kind::kAttempt) {
    route.OnAbandoned();
    log::Debug("no copy for silent_model", {{"model", job->controls.model}, {"why", step.error.message}});
    co_return;
  }
  std::optional<Error> error = co_await CallRow(*job, step.candidate);
  if (error.has_value()) {
    (void)route.OnAttemptFailed(*error, SteadyClock::now());
    log::Debug("a copy for silent_model failed", {{"model", job->controls.model}, {"why", error->message}});
  } else {
    route.OnAttemptSucceeded(SteadyClock::now());
  }
}

}  // namespace

void StartMirror(Worker& worker, const RequestContext& context, std::string_view model) {
  if (context.request.form != nullptr) return;  // a file is not copied
  if (running_mirrors >= limits::kMirrorsPerLoopMax || context.request.body.size() > kMirrorBodyBytesMax) return;
  auto job = std::make_unique<MirrorJob>();
  job->view = worker.view();
  job->body.reserve(context.request.body.size() + json::kPadding);
  job->body = context.request.body;
  job->request.endpoint = context.request.endpoint;
  job->request.body = job->body;
  job->request.stream = context.request.stream;
  job->controls.model = model;
  job->controls.stream = context.request.stream;
  job->controls.num_retries = 0;
  job->controls.disable_fallbacks = true;
  job->answer_id = "chatcmpl-" + context.call_id;
  net::Spawn(Mirror(worker, std::move(job)));
}

}  // namespace gw::gateway
