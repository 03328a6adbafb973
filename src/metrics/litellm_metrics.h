// Every litellm_* family (name, help, labels, buckets) in one table, and the events that feed them.
//
// Called once per event by gateway/account.cc on the worker's thread. Label sets are resolved once
// per distinct combination and cached per worker; afterwards an event costs one hash and a handful
// of plain adds. Views in the records need to live only during the call. An empty view prints as
// "None" where LiteLLM prints None (metrics facts 1.6), as "" where it prints that.
// Semantics: metrics facts 2 and 3; differences are rows of docs/compat.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/label_choice.h"
#include "metrics/registry.h"

namespace gw::metrics {

// What the labels of custom_prometheus_metadata_labels and custom_prometheus_tags say of a request.
struct CustomLabels {
  std::vector<std::string> metadata;  // as LabelChoice::metadata_labels
  uint64_t tags = 0;                  // bit i: LabelChoice::tags[i] is there
};

// Who called. Master key: {"litellm_proxy_master_key", ..., user "default_user_id"}.
struct CallerLabels {
  std::string_view hashed_api_key, api_key_alias, team, team_alias, user, user_email, org_id,
      org_alias, end_user;
  std::string_view user_alias;
  std::string_view client_ip, user_agent;
  const CustomLabels* custom = nullptr;  // null: nothing is known of them
};

struct DeploymentLabels {
  std::string_view model_group;         // public group of the deployment that acted
  std::string_view litellm_model_name;  // provider model without prefix
  std::string_view model_id, api_base, api_provider;
};

// A client request that ended well (a stream: after its last chunk).
struct SuccessRecord {
  CallerLabels caller;
  DeploymentLabels deployment;         // the one that answered
  std::string_view requested_model;    // group the client asked for, also after a fallback
  std::string_view route;              // "/v1/chat/completions"
  std::string_view service_tier;
  bool stream = false;
  bool stream_field_present = false;   // for the optional `stream` label
  bool has_llm_latency = true;         // false on response-cache hits
  bool cache_hit = false;              // answered from the response cache
  bool cache_miss = false;             // the response cache was asked in vain
  // Seconds; clock points of metrics facts 3.1.
  double queue_time_s = 0, total_s = 0, llm_api_s = 0, time_to_first_token_s = 0;
  double overhead_s = 0;               // non-stream only; <= 0 is skipped
  double attempt_s = 0;                // duration of the answering attempt (per-output-token)
  double first_token_from_start_s = 0; // stream: t_first - t0
  double inter_token_s = -1;           // ours: mean decode gap; < 0: none
  double backoff_s = 0;                // ours: slept between attempts
  double spend_usd = 0;
  ExemplarId exemplar;                 // of the histograms; without an id: none
  int64_t prompt_tokens = 0, completion_tokens = 0, total_tokens = 0;
  int64_t cached_tokens = 0, cache_creation_tokens = 0, reasoning_tokens = 0;
  int64_t prompt_audio_tokens = 0, completion_audio_tokens = 0;
  double remaining_requests = -1, remaining_tokens = -1;  // x-ratelimit-remaining-*; < 0: none
  double rpm_limit = -1, tpm_limit = -1;                  // configured; < 0: none
};

// A client request that ended in an error (also auth, bad JSON, unknown model).
struct ClientFailureRecord {
  CallerLabels caller;
  std::string_view requested_model;  // bounded: "other" when the router does not know it
  std::string_view route;
  std::string_view model_id, api_provider;  // of the last attempt; model_id "" vs "None" matters:
  bool model_id_is_empty = false;           // print "" instead of "None"
  int status = 500;
  std::string_view exception_class;  // "Openai.RateLimitError"
  std::string_view rate_limit_category, rate_limit_type;  // for the optional labels
  bool stream = false, stream_field_present = false;
};

// The first failed attempt of a client request (LiteLLM counts no other), or a refusal before any
// deployment was chosen (`deployment` all empty: those labels print "").
struct AttemptFailureRecord {
  CallerLabels caller;
  DeploymentLabels deployment;
  std::string_view requested_model;
  std::string_view model;             // label of litellm_llm_api_failed_requests_metric
  std::string_view exception_status;  // "500"; empty prints "None"
  std::string_view exception_class;
  std::string_view refused_model_id;  // before any deployment was chosen: what kLlmApiFailed shows all the same
};

struct FallbackRecord {
  CallerLabels caller;
  std::string_view requested_model, fallback_model, exception_status, exception_class;
  bool succeeded = false;
};

struct CooldownRecord {
  // compat: LiteLLM prints the public group as litellm_model_name here (metrics facts 3.2).
  std::string_view model_group, model_id, api_base, api_provider, exception_status;
  const CustomLabels* custom = nullptr;  // of the request whose failure began it
};

// Ours: every attempt, whatever its outcome (litellm_gw_deployment_attempts_total).
struct AttemptRecord {
  DeploymentLabels deployment;
  // "success", "error", "timeout", "connect_error", "cancelled", "hedged_away"
  std::string_view outcome;
};

struct LitellmMetricsOptions {
  RegistryOptions registry;
  std::vector<double> latency_buckets;  // empty: LB
  LabelChoice choice;
};

// What a scrape reads from live state.
struct LiveState {
  std::function<double()> in_flight_requests;
  std::function<double()> active_streams;
  struct Engine { double waiting, running, kv_usage; };  // as its own metrics said last
  struct Deployment {
    DeploymentLabels labels;
    int state;
    double cooldown_left_s;
    std::optional<Engine> engine = std::nullopt;
  };
  std::function<void(const std::function<void(const Deployment&)>&)> deployments;
  struct ProviderBudget { std::string_view provider; double left_usd; };
  std::function<void(const std::function<void(const ProviderBudget&)>&)> provider_budgets;
};

class LitellmMetrics {
 public:
  LitellmMetrics(const LitellmMetricsOptions& options, LiveState live);
  ~LitellmMetrics();

  void OnSuccess(uint32_t worker, const SuccessRecord& record);
  // A call that the gateway made for itself on a caller's behalf: tokens and spend, no request.
  void OnSideCall(uint32_t worker, const SuccessRecord& record);
  void OnClientFailure(uint32_t worker, const ClientFailureRecord& record);
  void OnAttemptFailure(uint32_t worker, const AttemptFailureRecord& record);
  void OnFallback(uint32_t worker, const FallbackRecord& record);
  void OnCooldown(uint32_t worker, const CooldownRecord& record);
  void OnAttempt(uint32_t worker, const AttemptRecord& record);
  // side: "client" or "upstream".
  void OnStreamAborted(uint32_t worker, std::string_view side);
  // outcome: "won", "lost" or "refused_by_cap".
  void OnHedge(uint32_t worker, std::string_view model_group, std::string_view outcome);
  // outcome: "applied", "unchanged" or "rejected". Any thread, but one call at a time (the reloader's
  // lock): it counts in cells of its own, which no worker writes.
  void OnReload(std::string_view outcome);
  // Records, spans, lines of a telemetry sink; drops also count as failures of that callback. Any thread:
  // in the cells of OnReload, behind the same lock.
  void OnTelemetry(std::string_view sink, std::string_view outcome, uint64_t records);
  // outcome: "success", "error", "timeout" or "connect_error".
  void OnEngineScrape(uint32_t worker, std::string_view outcome);
  void OnCallbackFailure(uint32_t worker, std::string_view callback_name);
  // One call of a part of the gateway; see times_services().
  void OnService(uint32_t worker, Service service, double seconds);
  void OnServiceFailure(uint32_t worker, Service service, std::string_view error_class,
                        std::string_view function_name);
  // service_callback: prometheus_system. Without it nobody needs to read the clock for OnService.
  [[nodiscard]] bool times_services() const;
  // Upkeep of expiry (Registry::Sweep). Quiesce: each worker now and then, on its thread. Sweep: one thread.
  [[nodiscard]] bool expires() const;
  void Quiesce(uint32_t worker);
  void Sweep(double now_s);
  [[nodiscard]] const LabelChoice& choice() const;

  [[nodiscard]] Registry& registry();
  [[nodiscard]] const Registry& registry() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::metrics
