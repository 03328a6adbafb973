#include "gateway/health_probe.h"

#include <exception>

#include "base/json.h"
#include "base/json_tree.h"
#include "base/limits.h"
#include "base/log.h"
#include "gateway/upstream_call.h"
#include "routing/router.h"

namespace gw::gateway {

namespace {

constexpr size_t kParallelProbes = 8;

// A tenth of a second of silence: 8,000 samples a second, 8 bits, one channel.
std::string SilentWav() {
  constexpr uint32_t kSamples = 800;
  constexpr unsigned char kHead[] = {'R', 'I', 'F', 'F', 0x44, 0x03, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0,
                                     1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0, 'd', 'a', 't', 'a', 0x20, 0x03, 0, 0};
  std::string wav(reinterpret_cast<const char*>(kHead), sizeof(kHead));
  return wav.append(kSamples, '\x80');
}

std::string ProbeForm() {
  return "--probe\r\nContent-Disposition: form-data; name=\"file\"; filename=\"probe.wav\"\r\nContent-Type: audio/wav\r\n\r\n" +
         SilentWav() + "\r\n--probe--\r\n";
}

// A request body of the deployment's mode; kept padded for the JSON walkers.
std::string ProbeBody(const config::Deployment& deployment, api::Endpoint* endpoint) {
  std::string body;
  if (deployment.mode == "audio_transcription") {
    *endpoint = api::Endpoint::kTranscriptions;
    body = "{}";
  } else if (deployment.mode == "audio_speech") {
    *endpoint = api::Endpoint::kSpeech;
    const std::string_view voice = json::GetString(deployment.model_info, "health_check_voice");
    body = R"({"model":"probe","input":"test from litellm","voice":)";
    json::AppendQuoted(body, voice.empty() ? "alloy" : voice);
    body += '}';
  } else if (deployment.mode == "embedding") {
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
  const std::string form_text = request.endpoint == api::Endpoint::kTranscriptions ? ProbeForm() : std::string();
  auto form = api::ParseFormData("multipart/form-data; boundary=probe", form_text);
  if (form.ok()) request.form = &*form;
  CallSpec spec;
  spec.deployment = &deployment;
  spec.upstream_model = deployment.health_check_model.empty() ? std::string_view(deployment.upstream_model)
                                                              : std::string_view(deployment.health_check_model);
  spec.answer_id = "chatcmpl-probe";
  spec.started = SteadyClock::now();
  if (spec.upstream_model.find('*') != std::string_view::npos) {
    result.error = "a wildcard deployment needs model_info.health_check_model";
    co_return result;
  }
  UpstreamCall call(request, std::move(spec));
  if (const auto error = call.Prepare()) {
    result.error = error->message;
    co_return result;
  }
  net::CancelSlot never;
  co_await call.Open(view, deployment.health_check_timeout_s, never);
  if (!call.is_open()) {
    result.error = call.opened().outcome == upstream::AttemptOutcome::kTimeout ? "timed out" : call.opened().why;
    co_return result;
  }
  std::string answer;
  const TimePoint deadline = call.started() + FromSeconds(deployment.health_check_timeout_s);
  const net::IoStatus status = co_await call.http().ReadWholeBody(answer, limits::kUpstreamBodyBytesMax, deadline);
  const int code = call.http().head().status;
  result.status = code;
  result.healthy = status == net::IoStatus::kOk && code >= 200 && code < 300;
  if (!result.healthy) {
    result.error = status == net::IoStatus::kOk ? "the upstream answered " + std::to_string(code) : "the answer was cut";
  }
  call.Finish();
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
    std::exception_ptr failure;
    try {
      round.results[i] = co_await Probe(round.view, *round.deployments[i]);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) continue;
    round.results[i] = admin::ProbeOutcome();
    round.results[i].deployment = round.deployments[i];
    round.results[i].error = net::WhatOf(failure);
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

namespace {

void TellRouter(Core& core, const std::vector<admin::ProbeOutcome>& results) {
  const config::RouterSettings& router = core.snapshot->router;
  if (!router.health_check_routing) return;
  for (const admin::ProbeOutcome& result : results) {
    const bool transient = result.status == 408 || result.status == 429;
    if (transient && router.health_check_ignores_transient) continue;
    core.state.SetProbe(result.deployment->index, result.healthy, SteadyClock::now());
  }
}

}  // namespace

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
        TellRouter(core, results);
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
