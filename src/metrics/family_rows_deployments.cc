// Rows: deployments, their latency, health, limits and fallbacks.
#include "metrics/family_rows.h"

namespace gw::metrics {

using enum FamilyId;

namespace {

void AppendLatencyRows(std::vector<FamilyRow>& rows) {
  const std::string labels = "model_group api_provider api_base litellm_model_name K model_id";
  rows.push_back(Gauge(kRemainingRequests,
                       {"litellm_remaining_requests_metric", labels, "P0",
                        "Requests left at the deployment, as the provider said, else from the "
                        "configured limit"}));
  rows.push_back(Gauge(kRemainingTokens,
                       {"litellm_remaining_tokens_metric", labels, "P0",
                        "Tokens left at the deployment, as the provider said, else from the "
                        "configured limit"}));
  rows.push_back(Histogram(kOverhead, Buckets::kLatency,
                           {"litellm_overhead_latency_metric", labels, "P0",
                            "Seconds spent outside provider calls; not for streams"}));
  rows.push_back(Histogram(kOverheadWithGuardrails, Buckets::kLatency,
                           {"litellm_overhead_with_guardrails_latency_metric", labels, "P1",
                            "Seconds spent outside provider calls, guardrails included"}));
  rows.push_back(Histogram(
      kQueueTime, Buckets::kLatency,
      {"litellm_request_queue_time_seconds",
       "end_user K requested_model T user model model_id api_provider O", "P1",
       "Seconds from the arrival of a request to its routing: authentication and preparation"}));
}

void AppendGuardrailRows(std::vector<FamilyRow>& rows) {
  rows.push_back(NameOnly(Type::kHistogram, Buckets::kLatency,
                          {"litellm_guardrail_latency_seconds",
                           "guardrail_name status error_type hook_type", "P1",
                           "Seconds a guardrail took"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_guardrail_errors", "guardrail_name error_type hook_type",
                           "P1", "Guardrail runs that ended in an error"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_guardrail_requests", "guardrail_name status hook_type", "P1",
                           "Guardrail runs"}));
  rows.push_back(Scraped(ScrapeId::kProviderBudget, Type::kGauge,
                         {"litellm_provider_remaining_budget_metric", "api_provider", "P1",
                           "Budget left for the provider in US dollars"}));
}

void AppendStateRows(std::vector<FamilyRow>& rows) {
  rows.push_back(Scraped(ScrapeId::kDeploymentState, Type::kGauge,
                         {"litellm_deployment_state",
                          "litellm_model_name model_id api_base api_provider", "P0",
                          "0 = healthy, 1 = the last attempt failed, 2 = cooling down"}));
  const std::string labels = "model_group litellm_model_name model_id api_base api_provider";
  rows.push_back(Gauge(kTpmLimit, {"litellm_deployment_tpm_limit", labels, "P1",
                                   "Configured tokens per minute of the deployment"}));
  rows.push_back(Gauge(kRpmLimit, {"litellm_deployment_rpm_limit", labels, "P1",
                                   "Configured requests per minute of the deployment"}));
  rows.push_back(Counter(kCooledDown,
                         {"litellm_deployment_cooled_down",
                          "litellm_model_name model_id api_base api_provider exception_status",
                          "P0",
                          "Cooldowns of the deployment, by the status that caused them"}));
}

}  // namespace

void AppendDeploymentRows(std::vector<FamilyRow>& rows) {
  AppendLatencyRows(rows);
  AppendGuardrailRows(rows);
  AppendStateRows(rows);
  rows.push_back(Counter(kDeploymentSuccess,
                         {"litellm_deployment_success_responses", "D K T client_ip user_agent",
                          "P0", "Requests that the deployment answered"}));
  rows.push_back(Counter(kDeploymentFailure,
                         {"litellm_deployment_failure_responses",
                          "D exception_status exception_class K T client_ip user_agent", "P0",
                          "Requests whose first failure came from the deployment"}));
  rows.push_back(Counter(kDeploymentTotal,
                         {"litellm_deployment_total_requests", "D K T client_ip user_agent",
                          "P0", "Counted successes plus counted failures of the deployment"}));
  rows.push_back(Histogram(kLatencyPerOutputToken, Buckets::kClient,
                           {"litellm_deployment_latency_per_output_token",
                            "model_group litellm_model_name model_id api_base api_provider K T O",
                            "P0",
                            "Seconds divided by output tokens: of the attempt, or for streams "
                            "until the first chunk"}));
  const std::string labels =
      "requested_model fallback_model K T exception_status exception_class model_id";
  rows.push_back(Counter(kSuccessfulFallbacks,
                         {"litellm_deployment_successful_fallbacks", labels, "P0",
                          "Fallbacks to another model group that answered"}));
  rows.push_back(Counter(kFailedFallbacks,
                         {"litellm_deployment_failed_fallbacks", labels, "P0",
                          "Fallbacks to another model group that failed"}));
}

}  // namespace gw::metrics
