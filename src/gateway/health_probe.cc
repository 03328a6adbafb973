#include "gateway/health_probe.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "routing/router.h"
#include "translate/translator.h"
#include "upstream/attempt.h"

namespace gw::gateway {

namespace {

constexpr size_t kParallelProbes = 8;

// A request body of the deployment's mode; kept padded for the JSON walkers.
std::string ProbeBody(const config::Deployment& deployment, api::Endpoint* endpoint) {
  std::string body;
  if (deployment.mode == "embedding") {
    *endpoint = api::Endpoint::kEmbeddings;
    body = R"({"model":"probe","input":["test from litellm"]})";
  } else if (deployment.mode == "completion" || deployment.row->dialect == config::Dialect::kOpenAiText) {
    *endpoint = api::Endpoint::kCompletions;
    body = R"({"model":"probe","prompt":"test from litellm","max_tokens":5})";
  } else {
    *endpoint = api::Endpoint::kChat;
    body = R"({"model":"probe","messages":[{"role":"user","content":"test from litellm"}],"max_tokens":5})";
  }
  body.reserve(body.size() + json::kPadding);
  return body;
}

net::Task<admin::ProbeOutcome> Probe(const View& view, const config::Deployment& deployment) {
  admin::ProbeOutcome result;
  result.deployment = &deployment;
  translate::ClientRequest request;
  const std::string body = ProbeBody(deployment, &request.endpoint);
  request.body = body;
  translate::AttemptTarget target;
  target.deployment = &deployment;
  target.upstream_model = deployment.health_check_model.empty() ? std::string_view(deployment.upstream_model)
                                                                : std::string_view(deployment.health_check_model);
  target.drop_params = true;
  target.answer_id = "chatcmpl-probe";
  if (target.upstream_model.find('*') != std::string_view::npos) {
    result.error = "a wildcard deployment needs model_info.health_check_model";
    co_return result;
  }
  const auto translator = translate::MakeTranslator(request, target);
  auto built = translator->BuildRequest();
  if (!built.ok()) {
    result.error = built.error().message;
    co_return result;
  }
  upstream::AttemptPlan plan;
  plan.deployment = &deployment;
  plan.request = &built.value();
  plan.started = SteadyClock::now();
  plan.head_timeout_s = deployment.health_check_timeout_s;
  net::CancelSlot never;
  upstream::OpenedAttempt opened = co_await upstream::OpenAttempt(view.PoolOf(deployment), plan, never);
  if (opened.outcome != upstream::AttemptOutcome::kHead) {
    result.error = opened.outcome == upstream::AttemptOutcome::kTimeout ? "timed out" : opened.why;
    co_return result;
  }
  std::string answer;
  const TimePoint deadline = plan.started + FromSeconds(plan.head_timeout_s);
  const net::IoStatus status = co_await opened.connection->http.ReadWholeBody(answer, limits::kUpstreamBodyBytesMax, deadline);
  const int code = opened.connection->http.head().status;
  result.healthy = status == net::IoStatus::kOk && code >= 200 && code < 300;
  if (!result.healthy) {
    result.error = status == net::IoStatus::kOk ? "the upstream answered " + std::to_string(code) : "the answer was cut";
  }
  upstream::FinishAttempt(std::move(opened.connection));
  co_return result;
}

// Shared by the parallel chains of one round; lives in the frame of ProbeDeployments.
struct Round {
  Worker& worker;
  const View& view;
  std::vector<const config::Deployment*> deployments;
  std::vector<admin::ProbeOutcome> results;
  size_t next = 0;
  size_t running = 0;
  std::coroutine_handle<> waiter;
};

net::Task<void> Chain(Round& round) {
  while (round.next < round.deployments.size()) {
    const size_t i = round.next++;
    round.results[i] = co_await Probe(round.view, *round.deployments[i]);
  }
  // Resume from the loop, not from inside this frame: it must be gone by then.
  if (--round.running == 0) round.worker.loop().Post([w = round.waiter] { w.resume(); });
}

struct StartChains {
  Round& round;
  bool await_ready() const { return round.deployments.empty(); }
  void await_suspend(std::coroutine_handle<> waiter) const {
    round.waiter = waiter;
    const auto wanted = round.view.core->snapshot->general.health_check_concurrency;
    const size_t lanes = wanted && *wanted > 0 ? static_cast<size_t>(*wanted) : kParallelProbes;
    round.running = std::min(lanes, round.deployments.size());
    const size_t chains = round.running;
    for (size_t i = 0; i < chains; ++i) net::Spawn(Chain(round));
  }
  void await_resume() const {}
};

}  // namespace

net::Task<std::vector<admin::ProbeOutcome>> ProbeDeployments(Worker& worker, const View& view,
                                                               std::vector<const config::Deployment*> deployments) {
  Round round{worker, view, std::move(deployments), {}, 0, 0, {}};
  round.results.resize(round.deployments.size());
  co_await StartChains{round};
  co_return std::move(round.results);
}

net::Task<void> RunBackgroundHealthChecks(Worker& worker) {
  while (!worker.view()->core->draining) {
    {
      const ViewPtr view = worker.view();
      Core& core = *view->core;
      if (core.snapshot->general.background_health_checks) {
        std::vector<const config::Deployment*> targets;
        for (const config::Deployment& d : core.snapshot->deployments) {
          if (!d.disable_background_health_check) targets.push_back(&d);
        }
        std::vector<admin::ProbeOutcome> results = co_await ProbeDeployments(worker, *view, std::move(targets));
        const std::lock_guard<std::mutex> lock(core.probes_mutex);
        core.probes = std::move(results);
        core.probes_done = true;
      }
    }
    // A new configuration is probed at once, also when it was adopted during the round.
    const double interval_s = std::max(1.0, worker.view()->core->snapshot->general.health_check_interval_s);
    if (worker.view()->core->probes_done || !worker.view()->core->snapshot->general.background_health_checks)
      (void)co_await net::Sleep(worker.loop(), FromSeconds(interval_s), &worker.on_adopt());
  }
}

}  // namespace gw::gateway
