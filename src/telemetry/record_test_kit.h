// Records for the tests of what is made from them: one deployment, fixed times.
#pragma once

#include <memory>
#include <string>

#include "config/snapshot.h"
#include "telemetry/record.h"

namespace gw::telemetry {

inline TimePoint At(double seconds) { return TimePoint{} + std::chrono::hours(1) + FromSeconds(seconds); }

struct RecordKit {
  std::shared_ptr<config::Snapshot> snapshot = std::make_shared<config::Snapshot>();

  RecordKit() {
    for (const char* id : {"dep-a", "dep-b"}) {
      config::Deployment d;
      d.index = static_cast<uint32_t>(snapshot->deployments.size());
      d.id = id;
      d.model_name = std::string("group-") + id[4];
      d.litellm_model = "openai/gpt-4o-mini";
      d.upstream_model = "gpt-4o-mini";
      d.provider = "openai";
      d.api_base = "http://upstream/v1";
      d.api_key = "sk-never-shown";
      d.price.input_cost_per_token = 1e-6;
      d.price.output_cost_per_token = 2e-6;
      d.has_custom_price = true;
      d.region_name = "eu";
      snapshot->deployments.push_back(std::move(d));
    }
  }

  // A chat that dep-a answered: from 0 to 2 s, anchored to 2026-11-28 15:11:43.5 UTC.
  [[nodiscard]] RequestRecord Chat() const {
    RequestRecord r;
    r.snapshot = snapshot;
    r.call_id = "call-1";
    r.path = r.route = "/v1/chat/completions";
    r.client_ip = "10.0.0.1";
    r.user_agent = "curl/7.88.1";
    r.headers = {{"x-foo", "bar"}, {"langfuse_trace_name", "from header"}};
    r.key_hash = "hash";
    r.key_alias = "alias";
    r.requested_model = "group-a";
    r.outcome = RequestRecord::Outcome::kSuccess;
    r.status = 200;
    r.deployment = &snapshot->deployments[0];
    r.model_group = "group-a";
    r.upstream_model = "gpt-4o-mini";
    r.usage.prompt_tokens = 5;
    r.usage.completion_tokens = 2;
    r.usage.total_tokens = 7;
    r.usage.cached_tokens = 1;
    r.cost_usd = 9e-6;
    r.arrived = r.started = At(0);
    r.finished = At(2);
    r.finished_unix_ns = 1795878703'500'000'000;
    r.upstream = FromSeconds(1.75);
    r.attempts.push_back(Attempt(0, AttemptRecord::Outcome::kSuccess, 0.25, 2));
    r.request_body =
        R"({"model":"group-a","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"user":"enduser",)"
        R"("metadata":{"tags":["t1"],"session_id":"sess-1","custom":"v"}})";
    r.response_body =
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"group-a","choices":[{"index":0,)"
        R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]})";
    return r;
  }

  [[nodiscard]] AttemptRecord Attempt(size_t deployment, AttemptRecord::Outcome outcome, double begin, double end,
                                      int status = 200) const {
    AttemptRecord a;
    a.deployment = &snapshot->deployments[deployment];
    a.model_group = a.deployment->model_name;
    a.upstream_model = a.deployment->upstream_model;
    a.begin = At(begin);
    a.end = At(end);
    a.outcome = outcome;
    a.status = status;
    if (status != 200) {
      a.error_class = status == 408 ? "Timeout" : "InternalServerError";
      a.error_message = "litellm.InternalServerError: boom";
    }
    return a;
  }

  // All attempts failed.
  [[nodiscard]] RequestRecord Failure(double end = 1) const {
    RequestRecord r = Chat();
    r.outcome = RequestRecord::Outcome::kFailure;
    r.status = 500;
    r.error_class = "InternalServerError";
    r.error_message = "litellm.InternalServerError: boom";
    r.attempts = {Attempt(0, AttemptRecord::Outcome::kFailed, end - 0.5, end, 500)};
    r.finished = At(end);
    r.response_body.clear();
    return r;
  }
};

}  // namespace gw::telemetry
