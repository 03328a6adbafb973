// The configuration as the rest of the program sees it: immutable, shared by all threads.
//
// Made by config/loader from YAML + environment + flags; every default is already applied, every
// os.environ/ reference resolved. Swapped as a whole on reload: holders keep their shared_ptr.
// Secrets (api_key, master_key) live here and must never be printed; `shown_params` is safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/json_tree.h"
#include "config/cache_settings.h"
#include "config/provider_table.h"
#include "config/telemetry_settings.h"
#include "metrics/label_choice.h"
#include "metrics/registry.h"

namespace gw::config {

// scheme://host[:port]/path of an upstream, taken apart once.
struct Origin {
  bool tls = false;
  std::string host;        // name or literal, IPv6 without brackets
  uint16_t port = 0;
  std::string host_header; // host[:port] as the Host header wants it
  std::string base_path;   // "" or "/v1"; no trailing slash
};

struct Price {
  std::optional<double> input_cost_per_token;
  std::optional<double> output_cost_per_token;
  std::optional<double> input_cost_per_second;
  std::optional<double> output_cost_per_second;
  std::optional<double> cache_read_input_token_cost;
  std::optional<double> cache_creation_input_token_cost;
  std::optional<double> output_cost_per_reasoning_token;
  std::optional<double> input_cost_per_audio_token;
  std::optional<double> output_cost_per_audio_token;
};

// One row of the price map (LiteLLM's model_prices format), or of the built-in table.
struct ModelFacts {
  std::string name;
  std::string litellm_provider;
  std::string mode;  // "chat", "embedding", ...; empty = unknown
  std::optional<int64_t> max_tokens, max_input_tokens, max_output_tokens;
  Price price;
  json::Object raw;  // all fields, for /model/info
};

// One model_list entry.
struct Deployment {
  uint32_t index = 0;        // position in Snapshot::deployments
  std::string id;            // model_info.id, or a hash that is stable over restarts
  std::string model_name;    // the public group name; may hold '*'
  std::string litellm_model; // as configured: "openai/gpt-4o-mini"
  std::string provider;      // "openai"
  const ProviderRow* row = nullptr;
  std::string upstream_model;  // what goes upstream; may hold '*'
  std::string api_base;        // as configured or defaulted, without trailing slash and query
  Origin origin;
  std::string api_key;         // empty: none
  std::string organization;
  std::optional<double> timeout_s, stream_timeout_s, request_timeout_s;
  std::optional<int> num_retries;
  std::optional<int64_t> rpm, tpm, max_parallel_requests;
  std::optional<int64_t> info_rpm, info_tpm;  // model_info's: metrics show them, nothing enforces them
  std::optional<double> weight;
  std::optional<int64_t> order;
  std::optional<double> cooldown_time_s;       // model_info first, then litellm_params
  std::optional<int64_t> allowed_fails;        // model_info
  bool blocked = false;
  std::vector<std::string> tags;
  HeaderList extra_headers;
  json::Object default_params;  // request parameters and unknown keys: defaults of the body
  json::Object extra_body;
  std::optional<bool> drop_params;
  std::vector<std::string> additional_drop_params;
  std::vector<std::string> allowed_openai_params;
  bool tls_verify = true;
  std::string ca_file;   // ssl_verify: PATH
  std::string mode;      // model_info.mode, else price map, else ""
  std::string base_model;
  Price price;           // overrides in litellm_params or model_info; unset fields: price map
  bool has_custom_price = false;
  std::string mock_response;
  std::string health_check_model;
  double health_check_timeout_s = 60;
  bool disable_background_health_check = false;
  // Facts of the price map for this row, nullptr when unknown. Owned by Snapshot::model_facts.
  const ModelFacts* facts = nullptr;
  bool facts_of_base_model = false;  // `facts` are those of a base_model that the map knows
  json::Object shown_params;  // litellm_params without secrets, for /model/info
  json::Object model_info;    // as configured plus id
  // Whom the row serves: one team under a name of its own, callers by tag or User-Agent, a region.
  std::string team_id, team_public_model_name;
  std::vector<std::string> tag_regex;  // valid expressions (base/pattern.h)
  bool enable_tag_filtering = false;   // model_info: for the whole group
  bool allow_fail_open = false;        // model_info: the default pool instead of a tag error
  std::string region_name;
  std::optional<int64_t> max_input_tokens;  // model_info first, then the price map
  std::string silent_model;                 // group that gets a copy of what the row is asked
  // Hard limits under enforce_model_rate_limits: input, output tokens per minute; per day.
  std::optional<int64_t> itpm, otpm, rpd, tpd;
  int daily_reset_s = 0;  // daily_reset_time as seconds after midnight UTC
  // Spend limit in USD per period; a limit without a period is refused by the loader.
  std::optional<double> max_budget;
  double budget_period_s = 0;
};

struct FallbackTarget {
  std::string model;
  json::Object overrides;  // body members that replace the client's; may be empty
};

// key (group, or "*" for default_fallbacks) -> targets in order.
struct FallbackList {
  std::string group;
  std::vector<FallbackTarget> targets;
};

struct ModelAlias {
  std::string alias;
  std::string model;
  bool hidden = false;
};

enum class RoutingStrategy : uint8_t {
  kSimpleShuffle, kLeastBusy, kLatencyBased, kUsageBased, kUsageBasedV2, kCostBased, kProviderBudget,
  kInferenceAware,  // ours
};

// Names as in LiteLLM's retry_policy / allowed_fails_policy without their suffix; -1 = not given.
struct PerClassPolicy {
  int bad_request = -1, authentication = -1, timeout = -1, rate_limit = -1, content_policy = -1;
  int internal_server = -1, service_unavailable = -1, bad_gateway = -1, not_found = -1;
  int default_value = -1;
  [[nodiscard]] bool Any() const {
    return bad_request >= 0 || authentication >= 0 || timeout >= 0 || rate_limit >= 0 ||
           content_policy >= 0 || internal_server >= 0 || service_unavailable >= 0 ||
           bad_gateway >= 0 || not_found >= 0 || default_value >= 0;
  }
};

// routing_strategy_args.
struct StrategyArgs {
  double ttl_s = 3600;  // a row's samples are forgotten when none was added for so long
  double lowest_latency_buffer = 0;
  int max_latency_list_size = 10;
  std::optional<double> ttft_percentile;  // (0, 1]; unset: the average
  double exploration = 0.02;              // ours: share of picks that ignore the latencies
  // Ours, of inference-aware (routing/engine_load.h; the weights: ADR 0009).
  double scrape_interval_s = 0.25;
  double stale_after_s = 2;               // an engine that said nothing for so long is unknown
  int prefix_block_bytes = 512;
  double prefill_tokens_per_s = 8000;     // prompt tokens that an engine computes in a second
  int64_t prefix_cache_tokens = 0;        // of engines that do not tell; 0: a guess
  double queue_weight = 1.5;              // of a second in the engine's queue
  double prefix_weight = 4;               // of a second of computing the prompt
  double busy_weight = 0.06;              // seconds per request in the engine
  double kv_weight = 2;                   // seconds when the KV cache is full
};

struct ProviderBudget {
  std::string provider;
  double limit_usd = 0;
  double period_s = 0;
};

// Models that are balanced by a strategy of their own; the group's name calls them all.
struct RoutingGroup {
  std::string name;
  std::vector<std::string> models;  // model_name of rows; each in one group at most
  RoutingStrategy strategy = RoutingStrategy::kSimpleShuffle;
  StrategyArgs args;
};

// By what does a caller find the deployment that served it before? Bits of a mask.
enum AffinityKind : uint8_t {
  kSessionAffinity = 1,
  kPromptCaching = 2,
  kDeploymentAffinity = 4,  // by the caller's key
};

// Ours, off by default: a second row is raced against one that is late.
struct Hedging {
  bool enabled = false;
  double percentile = 0.95;           // of the row's own times: so late is late
  double delay_min_s = 0.05;
  std::optional<double> delay_max_s;  // also for rows with too few samples; unset: these are waited for
  double cost_cap = 0.05;             // second rows per request
  int burst = 10;                     // second rows beyond that in a row
  bool streams = true;
  bool whole_answers = true;
};

struct RouterSettings {
  RoutingStrategy strategy = RoutingStrategy::kSimpleShuffle;
  int num_retries = 2;
  double retry_after_s = 0;
  std::optional<double> timeout_s;
  std::optional<double> stream_timeout_s;
  std::optional<double> request_timeout_s;  // litellm_settings.request_timeout / REQUEST_TIMEOUT
  std::vector<FallbackList> fallbacks;      // includes "*" from default_fallbacks, last
  std::vector<FallbackList> context_window_fallbacks;
  std::vector<FallbackList> content_policy_fallbacks;
  bool has_context_window_fallbacks = false;
  bool has_content_policy_fallbacks = false;
  int max_fallbacks = 5;
  std::optional<int> allowed_fails;  // set only when explicit (routing facts 6.2 B)
  PerClassPolicy allowed_fails_policy;
  PerClassPolicy retry_policy;
  std::vector<std::pair<std::string, PerClassPolicy>> model_group_retry_policy;
  double cooldown_time_s = 5;
  bool disable_cooldowns = false;
  bool enable_pre_call_checks = false;
  bool enforce_model_rate_limits = false;
  bool enable_tag_filtering = false;
  std::optional<int64_t> default_max_parallel_requests;
  std::vector<ModelAlias> aliases;
  // Thresholds, overridable by environment.
  double failure_threshold_percent = 0.5;
  int failure_threshold_requests_min = 5;
  int single_deployment_traffic_threshold = 1000;
  double initial_retry_delay_s = 0.5;
  double max_retry_delay_s = 8;
  double retry_jitter_s = 0.75;
  bool expose_router_debug_in_errors = true;
  // compat: LiteLLM never counts beyond 1, neither do we; read for a later true count.
  bool compat_attempted_fallbacks = false;
  std::optional<double> total_timeout_s;  // ours; off by default
  std::optional<double> first_token_timeout_s;  // ours; off by default
  bool continue_broken_streams = false;   // enable_mid_stream_fallback_continuation
  StrategyArgs strategy_args;
  std::vector<ProviderBudget> provider_budgets;
  uint8_t affinity = 0;  // AffinityKind bits of optional_pre_call_checks
  std::vector<std::pair<std::string, uint8_t>> group_affinity;  // model_group_affinity_config
  double affinity_ttl_s = 3600;
  bool session_affinity_repin = false;
  bool enable_weighted_failover = false;
  bool half_open_probes = false;     // ours: one request at a time after a cooldown
  double rate_limit_wait_max_s = 0;  // ours: wait so long when every row is over its own limits
  std::vector<RoutingGroup> routing_groups;
  bool tag_filtering_match_any = true;
  std::string tag_routing_prefix;              // empty: every tag of a request routes
  std::optional<int> num_retries_per_request;  // retries and fallback attempts, all together
  bool fallback_on_unsupported_params = true;
  std::optional<int> default_priority;         // set: requests wait for a healthy row
  double polling_interval_s = 0.03;            // apart by which priorities wake up
  double cooldown_wait_max_s = 0;              // ours: likewise, for requests without a priority
  std::optional<double> retry_budget;          // ours: retries per first attempt, whole process
  int retry_budget_burst = 100;                // ours: retries beyond that in a row
  Hedging hedging;
  bool health_check_routing = false;           // skip rows whose background probe failed
  double health_check_staleness_s = 600;       // older probes say nothing
  bool health_check_ignores_transient = false; // probes that met 408 or 429 say nothing

  [[nodiscard]] const StrategyArgs& ArgsFor(std::string_view model) const {
    const RoutingGroup* group = GroupOf(model);
    return group == nullptr ? strategy_args : group->args;
  }
  // Is it the router's strategy, or that of a routing group?
  [[nodiscard]] bool Uses(RoutingStrategy wanted) const {
    return strategy == wanted || std::any_of(routing_groups.begin(), routing_groups.end(),
                                             [wanted](const auto& group) { return group.strategy == wanted; });
  }
  // The group that the model stands in; nullptr: none.
  [[nodiscard]] const RoutingGroup* GroupOf(std::string_view model) const {
    for (const RoutingGroup& group : routing_groups) {
      if (std::find(group.models.begin(), group.models.end(), model) != group.models.end()) return &group;
    }
    return nullptr;
  }
};

struct MetricsSettings {
  bool enabled = false;        // "prometheus" among the callbacks
  bool require_auth = false;   // ours: open unless require_auth_for_metrics_endpoint: true
  std::vector<double> latency_buckets;  // empty: LiteLLM's
  metrics::LabelChoice labels;          // which families and labels
  // Which requests leave exemplars: none, those with a traceparent header, all (by their call id).
  enum class Exemplars : uint8_t { kOff, kTraced, kAll };
  Exemplars exemplars = Exemplars::kTraced;  // ours
  bool native_histograms = false;            // ours
  metrics::Expiry expiry;                    // of idle series
  double cleanup_interval_s = 60;            // how often they are looked for
  bool created_series = true;           // PROMETHEUS_DISABLE_CREATED_SERIES
  size_t series_per_family_max = 0;     // 0: limits::kSeriesPerFamilyMax
  std::optional<uint16_t> separate_port;
};

struct GeneralSettings {
  std::string master_key;  // empty: everybody is admin (only when permitted)
  std::string litellm_key_header_name;
  std::string completion_model, embedding_model;
  size_t request_bytes_max = 0;   // 0: limits::kBodyBytesMaxDefault
  size_t response_bytes_max = 0;  // 0: limits::kUpstreamBodyBytesMax
  bool always_include_stream_usage = false;
  bool forward_client_headers = false;
  bool forward_openai_org_id = false;
  bool background_health_checks = false;
  double health_check_interval_s = 300;
  bool health_check_details = true;
  std::optional<int> health_check_concurrency;
  bool allow_mock_testing = false;
  bool public_readiness_details = false;
  std::vector<std::string> public_routes;
  std::string user_header_name;
  bool use_x_forwarded_for = false;
  bool reload_on_file_change = true;  // ours
};

struct ProxySettings {  // litellm_settings that are neither routing nor metrics
  bool drop_params = false;
  bool json_logs = false;
  bool set_verbose = false;
  bool ssl_verify = true;
  std::string ca_file;
  bool include_cost_in_streaming_usage = false;
  std::vector<std::string> callbacks;  // success_callback and callbacks, for readiness details
};

// What the command line and the environment decide.
struct ServerOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 4000;
  int num_workers = 0;  // 0: one loop per core
  double keepalive_timeout_s = 0;  // 0: limits::kKeepAliveTimeoutDefault
  std::string tls_cert_file, tls_key_file;
  std::string root_path;  // SERVER_ROOT_PATH
  std::string cors_origins = "*";
  bool no_docs = false;
};

struct Snapshot {
  std::string source_file;
  std::string source_digest;  // of all that was read, references resolved: does another file say the same?
  std::vector<Deployment> deployments;  // config order; indices are stable within a snapshot
  RouterSettings router;
  MetricsSettings metrics;
  GeneralSettings general;
  ProxySettings proxy;
  CacheSettings cache;
  RedisSettings redis;  // shared state of replicas: the router's, else the cache's
  TelemetrySettings telemetry;
  ServerOptions server;
  // The price map; pointers into it stay valid for the snapshot's life.
  std::unordered_map<std::string, std::unique_ptr<ModelFacts>> model_facts;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace gw::config
