// Rows: the process, client requests, tokens and spend.
#include "metrics/family_rows.h"

namespace gw::metrics {

using enum FamilyId;
using enum ScrapeId;

void AppendProcessRows(std::vector<FamilyRow>& rows) {
  rows.push_back(Scraped(kVirtualMemory, Type::kGauge,
                         {"process_virtual_memory_bytes", "", "P1",
                          "Virtual memory size of the process in bytes."}));
  rows.push_back(Scraped(kResidentMemory, Type::kGauge,
                         {"process_resident_memory_bytes", "", "P1",
                          "Resident memory size of the process in bytes."}));
  rows.push_back(Scraped(kStartTime, Type::kGauge,
                         {"process_start_time_seconds", "", "P1",
                          "Unix time in seconds at which the process started."}));
  rows.push_back(Scraped(kCpuSeconds, Type::kCounter,
                         {"process_cpu_seconds", "", "P1",
                          "User and system CPU time spent, in seconds."}));
  rows.push_back(Scraped(kOpenFds, Type::kGauge,
                         {"process_open_fds", "", "P1", "File descriptors in use."}));
  rows.push_back(Scraped(kMaxFds, Type::kGauge,
                         {"process_max_fds", "", "P1", "File descriptors allowed."}));
}

namespace {

void AppendTokenRows(std::vector<FamilyRow>& rows) {
  rows.push_back(Counter(kTotalTokens, {"litellm_total_tokens_metric", "U O", "P0",
                                        "Input plus output tokens of successful requests"}));
  rows.push_back(Counter(kInputTokens, {"litellm_input_tokens_metric", "U O", "P0",
                                        "Input (prompt) tokens of successful requests"}));
  rows.push_back(Counter(kOutputTokens, {"litellm_output_tokens_metric", "U O", "P0",
                                         "Output (completion) tokens of successful requests"}));
  rows.push_back(Counter(kInputCachedTokens,
                         {"litellm_input_cached_tokens_metric", "U", "P1",
                          "Input tokens that the provider served from its prompt cache"}));
  rows.push_back(Counter(kInputCacheCreationTokens,
                         {"litellm_input_cache_creation_tokens_metric", "U", "P1",
                          "Input tokens that the provider wrote to its prompt cache"}));
  rows.push_back(Counter(kInputAudioTokens, {"litellm_input_audio_tokens_metric", "U", "P2",
                                             "Audio tokens among the input tokens"}));
  rows.push_back(Counter(kOutputReasoningTokens,
                         {"litellm_output_reasoning_tokens_metric", "U", "P1",
                          "Reasoning tokens among the output tokens"}));
  rows.push_back(Counter(kOutputAudioTokens, {"litellm_output_audio_tokens_metric", "U", "P2",
                                              "Audio tokens among the output tokens"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_video_duration_seconds_metric", "U O", "P2",
                           "Seconds of generated video"}));
  rows.push_back(NameOnly(Type::kCounter, Buckets::kNone,
                          {"litellm_images_generated_metric", "U O", "P2",
                           "Generated images"}));
}

}  // namespace

void AppendRequestRows(std::vector<FamilyRow>& rows) {
  rows.push_back(
      Counter(kProxyFailed,
              {"litellm_proxy_failed_requests_metric",
               "end_user K requested_model T user user_email exception_status exception_class "
               "route client_ip user_agent model_id api_provider O",
               "P0", "Client requests that the proxy answered with an error"}));
  rows.push_back(Counter(kProxyTotal,
                         {"litellm_proxy_total_requests_metric",
                          "end_user K requested_model T user status_code user_email route "
                          "client_ip user_agent model_id api_provider O",
                          "P0", "Client requests to the proxy, by final status"}));
  rows.push_back(
      Histogram(kRequestTotalLatency, Buckets::kLatency,
                {"litellm_request_total_latency_metric",
                 "model_group end_user K requested_model T user model model_id api_provider "
                 "service_tier O",
                 "P0",
                 "Seconds from the arrival of a successful request to the end of its answer, "
                 "authentication included"}));
  const std::string api_labels =
      "model_group model K T requested_model end_user user model_id api_provider service_tier O";
  rows.push_back(Histogram(kLlmApiLatency, Buckets::kLatency,
                           {"litellm_llm_api_latency_metric", api_labels, "P0",
                            "Seconds that the provider took for the attempt that answered"}));
  rows.push_back(Histogram(kTimeToFirstToken, Buckets::kLatency,
                           {"litellm_llm_api_time_to_first_token_metric", api_labels, "P0",
                            "Seconds from sending the answering attempt to its first chunk; "
                            "streams only"}));
  rows.push_back(Counter(kSpend, {"litellm_spend_metric",
                                  "end_user K model T user user_email client_ip user_agent "
                                  "requested_model model_id api_provider service_tier O",
                                  "P0", "Cost of successful requests in US dollars"}));
  AppendTokenRows(rows);
}

}  // namespace gw::metrics
