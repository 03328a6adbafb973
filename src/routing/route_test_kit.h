// For tests: a small configuration in code, scripted upstreams, virtual time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/strings.h"
#include "routing/router.h"

namespace gw::routing::testing {

// "500", "429-after-2", "timeout", "reset", "ctx", "policy", "permission"; nullopt for "ok".
inline std::optional<Error> ErrorFor(std::string_view answer, std::string_view provider) {
  if (answer == "ok" || answer == "200") return std::nullopt;
  Error error;
  error.source = ErrorSource::kUpstream;
  error.provider = provider;
  const auto fill = [&](ErrorClass cls, int status) {
    error.cls = cls;
    error.status = status;
  };
  if (answer == "timeout") fill(ErrorClass::kTimeout, 408);
  else if (answer == "reset") fill(ErrorClass::kInternalServer, 500);
  else if (answer == "ctx") fill(ErrorClass::kContextWindowExceeded, 400);
  else if (answer == "policy") fill(ErrorClass::kContentPolicyViolation, 400);
  else if (answer == "permission") fill(ErrorClass::kPermissionDenied, 403);
  else {
    const size_t dash = answer.find('-');
    const int status = static_cast<int>(ParseInt(answer.substr(0, dash)).value_or(500));
    if (dash != std::string_view::npos) {
      const std::string_view after = answer.substr(dash + std::string_view("-after-").size());
      error.retry_after_s = static_cast<int>(ParseInt(after).value_or(-1));
    }
    switch (status) {
      case 400: case 422: fill(ErrorClass::kBadRequest, status); break;
      case 401: fill(ErrorClass::kAuthentication, status); break;
      case 404: fill(ErrorClass::kNotFound, status); break;
      case 408: case 504: fill(ErrorClass::kTimeout, status); break;
      case 429: fill(ErrorClass::kRateLimit, status); break;
      case 500: fill(ErrorClass::kInternalServer, status); break;
      case 502: fill(ErrorClass::kBadGateway, status); break;
      case 503: fill(ErrorClass::kServiceUnavailable, status); break;
      default: fill(ErrorClass::kApiError, status); break;
    }
  }
  error.message = "upstream said " + std::string(answer);
  return error;
}

// What one client request went through.
struct Trace {
  std::vector<std::string> calls;  // deployment ids
  std::vector<double> waits;
  std::vector<Candidate> candidates;
  int status = 0;
  Error error;
  int attempts = 0;
  int attempted_retries = 0;
  int max_retries = 0;
  int attempted_fallbacks = 0;
  int cooldowns_started = 0;
  std::vector<FallbackHop> hops;
  const config::Deployment* last_row = nullptr;  // Step::candidate of a failure
};

using Script = std::function<std::optional<Error>(const Candidate&)>;

class World {
 public:
  World() : snapshot_(std::make_shared<config::Snapshot>()) { snapshot_->router.num_retries = 0; }

  config::RouterSettings& settings() { return snapshot_->router; }

  // The id is also the upstream model's name. References stay valid until the next Row().
  config::Deployment& Row(std::string group, std::string id) {
    config::Deployment& row = snapshot_->deployments.emplace_back();
    row.index = static_cast<uint32_t>(snapshot_->deployments.size() - 1);
    row.model_name = std::move(group);
    row.id = std::move(id);
    row.provider = "openai";
    row.upstream_model = row.id;
    row.litellm_model = "openai/" + row.id;
    return row;
  }

  void Fallback(std::string group, const std::vector<std::string>& targets) {
    settings().fallbacks.push_back(List(std::move(group), targets));
  }

  static config::FallbackList List(std::string group, const std::vector<std::string>& targets) {
    config::FallbackList list;
    list.group = std::move(group);
    for (const std::string& target : targets) list.targets.push_back({target, {}});
    return list;
  }

  // Call once, after the configuration is complete.
  void Build() {
    index_ = std::make_unique<ModelIndex>(snapshot_);
    state_ = std::make_unique<SharedState>(*snapshot_);
  }

  const ModelIndex& index() const { return *index_; }
  SharedState& state() { return *state_; }
  const config::Snapshot& snapshot() const { return *snapshot_; }
  TimePoint now() const { return now_; }
  void Advance(double seconds) { now_ += FromSeconds(seconds); }
  Random& random() { return random_; }
  // What successful attempts take and use; without it: 10 ms and nothing.
  void Outcomes(std::function<AttemptOutcome(const Candidate&)> outcome) { outcome_ = std::move(outcome); }
  void Seed(uint64_t seed) { random_ = Random(seed); }

  Trace Run(const RequestControls& controls, const Script& script) {
    Trace trace;
    RequestRoute route(*index_, *state_, controls);
    while (true) {
      Step step = route.Next(now_, random_);
      if (step.kind == Step::Kind::kWait) {
        trace.waits.push_back(Seconds(step.wait));
        now_ += step.wait;
        continue;
      }
      if (step.kind == Step::Kind::kFail) {
        trace.status = step.error.status;
        trace.error = std::move(step.error);
        trace.last_row = step.candidate.deployment;
        break;
      }
      trace.calls.push_back(step.candidate.deployment->id);
      trace.candidates.push_back(step.candidate);
      const AttemptOutcome outcome = outcome_ ? outcome_(step.candidate) : AttemptOutcome{};
      now_ += outcome_ ? outcome.duration : std::chrono::milliseconds(10);
      const std::optional<Error> error = script(step.candidate);
      if (!error.has_value()) {
        if (outcome_) route.OnAttemptSucceeded(now_, outcome);
        else route.OnAttemptSucceeded(now_);
        trace.status = 200;
        break;
      }
      trace.cooldowns_started += route.OnAttemptFailed(*error, now_).cooldown_started ? 1 : 0;
    }
    trace.attempts = route.attempts();
    trace.attempted_retries = route.attempted_retries();
    trace.max_retries = route.max_retries();
    trace.attempted_fallbacks = route.attempted_fallbacks();
    trace.hops = route.TakeHops();
    return trace;
  }

  Trace Run(std::string model, const Script& script) {
    RequestControls controls;
    controls.model = std::move(model);
    return Run(controls, script);
  }

  int SlotsInUse() const {
    int sum = 0;
    for (uint32_t i = 0; i < state_->size(); ++i) sum += state_->at(i).in_flight.load();
    return sum;
  }

 private:
  std::function<AttemptOutcome(const Candidate&)> outcome_;
  std::shared_ptr<config::Snapshot> snapshot_;
  std::unique_ptr<ModelIndex> index_;
  std::unique_ptr<SharedState> state_;
  Random random_{1};
  TimePoint now_{std::chrono::hours(1000)};
};

// Every row answers the same.
inline Script Always(std::string answer) {
  return [answer = std::move(answer)](const Candidate& c) {
    return ErrorFor(answer, c.deployment->provider);
  };
}

// "T1=500 T2=401 all=503": the answer by deployment id; rows that are not named work.
inline Script Answers(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> answers;
  for (const std::string_view part : Split(text, ' ')) {
    const size_t at = part.find('=');
    if (at != std::string_view::npos) answers.emplace_back(part.substr(0, at), part.substr(at + 1));
  }
  return [answers](const Candidate& c) -> std::optional<Error> {
    for (const auto& [id, answer] : answers) {
      if (id == c.deployment->id || id == "all") return ErrorFor(answer, c.deployment->provider);
    }
    return std::nullopt;
  };
}

}  // namespace gw::routing::testing
