// Rows: older names, caches, counts, batches, tools, and what the gateway adds.
#include "metrics/family_rows.h"

namespace gw::metrics {

using enum FamilyId;
using enum ScrapeId;

namespace {

void AppendOlderRows(std::vector<FamilyRow>& rows) {
  rows.push_back(Counter(kCallbackFailures,
                         {"litellm_callback_logging_failures_metric", "callback_name", "P1",
                          "Failures of logging callbacks"}));
  rows.push_back(Counter(kLlmApiFailed,
                         {"litellm_llm_api_failed_requests_metric",
                          "end_user K model T user model_id", "P0",
                          "Deprecated, see litellm_proxy_failed_requests_metric. Requests with "
                          "a failed provider call"}));
  rows.push_back(Counter(kRequests,
                         {"litellm_requests_metric",
                          "end_user K model T user user_email client_ip user_agent "
                          "requested_model model_id api_provider O",
                          "P0",
                          "Deprecated, see litellm_proxy_total_requests_metric. Successful "
                          "requests"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_zero_cost_requests",
                           "requested_model model model_id api_provider reason", "P2",
                           "Requests with usage that cost nothing although the model has a "
                           "price"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_spend_capture_rate", "api_provider", "P2",
                           "Booked spend divided by the provider's bill"}));
}

void AppendCacheRows(std::vector<FamilyRow>& rows) {
  const std::string labels = "model K T end_user user model_id api_provider";
  rows.push_back(Counter(kCacheHits,
                         {"litellm_cache_hits_metric", labels, "P1",
                           "Requests answered from the response cache"}));
  // compat: LiteLLM counts streams as misses even with the cache off; ours needs a cache.
  rows.push_back(Counter(kCacheMisses,
                         {"litellm_cache_misses_metric", labels, "P1",
                           "Requests that the response cache was asked for in vain"}));
  rows.push_back(Counter(kCachedTokens,
                         {"litellm_cached_tokens_metric", labels, "P1",
                           "Tokens of answers from the response cache"}));
  rows.push_back(Counter(kProviderCacheRead,
                         {"litellm_provider_cache_read_input_tokens_metric", labels, "P1",
                          "Input tokens read from the provider's prompt cache"}));
  rows.push_back(Counter(kProviderCacheCreation,
                         {"litellm_provider_cache_creation_input_tokens_metric", labels, "P1",
                          "Input tokens written to the provider's prompt cache"}));
}

void AppendManagedFileRows(std::vector<FamilyRow>& rows) {
  const std::string creator = "model api_provider user user_email api_key_alias";
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_managed_batch_created", creator, "P2",
                           "Managed batches created"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_managed_file_size_bytes",
                           "purpose file_type model api_provider user", "P2",
                           "Size of the last managed file"}));
  rows.push_back(NameOnly(Type::kHistogram, Buckets::kBatch,
                          {"litellm_managed_batch_duration_seconds", "model api_provider", "P2",
                           "Seconds from creation to completion of a managed batch"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_managed_file_created", creator, "P2",
                           "Managed files created"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_managed_file_deleted", "result", "P2",
                           "Deletions of managed files"}));
}

void AppendBatchAndToolRows(std::vector<FamilyRow>& rows) {
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_check_batch_cost_jobs_polled", "", "P2",
                           "Batches without a cost at the last poll"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_check_batch_cost_jobs_processed", "model api_provider", "P2",
                           "Batches whose cost was booked"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_check_batch_cost_errors", "error_type", "P2",
                           "Errors of the batch cost job"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_check_batch_cost_last_run_timestamp", "", "P2",
                           "Unix time of the last run of the batch cost job"}));
  const std::string tool_labels = "mcp_tool_name mcp_server_name K T user end_user";
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_mcp_tool_calls", tool_labels, "P2", "MCP tool calls"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_mcp_tool_call_spend_metric", tool_labels, "P2",
                           "Cost of MCP tool calls in US dollars"}));
}

}  // namespace

void AppendFeatureRows(std::vector<FamilyRow>& rows) {
  AppendOlderRows(rows);
  AppendCacheRows(rows);
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_total_users", "", "P2", "Users known to the proxy"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_active_users", "", "P2",
                           "Users known to the proxy and not deactivated"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_teams_count", "", "P2", "Teams known to the proxy"}));
  AppendManagedFileRows(rows);
  AppendBatchAndToolRows(rows);
  rows.push_back(Scraped(kInFlight, Type::kGauge,
                         {"litellm_in_flight_requests", "", "P1",
                          "HTTP requests being served now, this scrape included"}));
}

void AppendGatewayRows(std::vector<FamilyRow>& rows) {
  const std::string deployment = "model_group litellm_model_name model_id api_base api_provider";
  rows.push_back(Scraped(kBuildInfo, Type::kGauge,
                         {"litellm_build_info", "version commit", "P1",
                          "Always 1; the labels name the running build"}));
  rows.push_back(Counter(kAttempts, {"litellm_gw_deployment_attempts", deployment + " outcome",
                                     "P1", "Attempts at a deployment, retries included"}));
  rows.push_back(Counter(kStreamAborted, {"litellm_gw_stream_aborted", "side", "P1",
                                          "Streams that broke off after their first chunk"}));
  rows.push_back(Counter(kHedges, {"litellm_gw_hedges", "model_group outcome", "P1",
                                   "Second calls beside a late first one: won, lost, or refused_by_cap"}));
  rows.push_back(Counter(kReloads, {"litellm_gw_config_reloads", "outcome", "P1",
                                    "Times the configuration was read again while running"}));
  rows.push_back(Counter(kTelemetryRecords,
                         {"litellm_gw_telemetry_records", "sink outcome", "P1",
                          "Records for access log, traces and callbacks: delivered, or dropped and why"}));
  rows.push_back(Histogram(kInterToken, Buckets::kInterToken,
                           {"litellm_gw_inter_token_latency_seconds", deployment, "P1",
                            "Mean seconds between output tokens of a stream after the first"}));
  rows.push_back(Histogram(kRetryBackoff, Buckets::kLatency,
                           {"litellm_gw_retry_backoff_seconds", "", "P1",
                            "Seconds a request slept between attempts, if it did"}));
  rows.push_back(Scraped(kActiveStreams, Type::kGauge,
                         {"litellm_gw_active_streams", "", "P1", "Streams being relayed now"}));
  rows.push_back(Scraped(kDeploymentCooldown, Type::kGauge,
                         {"litellm_gw_deployment_cooldown_seconds", "model_id", "P1",
                          "Seconds until the deployment is used again; 0 when in use"}));
  rows.push_back(Counter(kEngineScrapes, {"litellm_gw_engine_scrapes", "outcome", "P1",
                                          "Times an engine's metrics were read for inference-aware"}));
  rows.push_back(Scraped(kEngineWaiting, Type::kGauge,
                         {"litellm_gw_engine_waiting_requests", "model_id", "P1",
                          "Requests in the engine's queue, as its own metrics said last"}));
  rows.push_back(Scraped(kEngineRunning, Type::kGauge,
                         {"litellm_gw_engine_running_requests", "model_id", "P1",
                          "Requests that the engine computes, as its own metrics said last"}));
  rows.push_back(Scraped(kEngineKvUsage, Type::kGauge,
                         {"litellm_gw_engine_kv_cache_usage_ratio", "model_id", "P1",
                          "Share of the engine's KV cache in use, as its own metrics said last"}));
  rows.push_back(Scraped(kMetricSeries, Type::kGauge,
                         {"litellm_gw_metric_series", "family", "P1",
                          "Label sets held per family"}));
  rows.push_back(Scraped(kMetricOverflow, Type::kCounter,
                         {"litellm_gw_metric_overflow", "family", "P1",
                          "Times a new label set found its family full"}));
}

}  // namespace gw::metrics
