// Environment variables that are read, for the reference page.
#include "config/schema.h"

namespace gw::config {
namespace {

constexpr auto kOn = KeyStatus::kEffective;
constexpr auto kOff = KeyStatus::kIgnored;
constexpr auto kLater = KeyStatus::kNotSupportedYet;
using enum ValueType;

constexpr auto kS = Section::kEnvironment;

// One row per line, whatever its length.
// clang-format off
constexpr KeySpec kRows[] = {
    {kS, "LITELLM_MASTER_KEY", kString, "-", kOn, "general_settings.master_key."},
    {kS, "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", kBool, "false", kOn, "Start without a real master key."},
    {kS, "CONFIG_FILE_PATH", kString, "-", kOn, "The configuration file, when --config is not given."},
    {kS, "LITELLM_MODE", kString, "DEV", kOn, "PRODUCTION: .env in the working directory is not read."},
    {kS, "LITELLM_MODEL_COST_MAP_URL", kString, "-", kOn, "Path of a price map; nothing is ever downloaded."},
    {kS, "HOST", kString, "0.0.0.0", kOn, "--host."},
    {kS, "PORT", kInt, "4000", kOn, "--port."},
    {kS, "NUM_WORKERS", kInt, "one per core", kOn, "--num_workers: event loops of the one process."},
    {kS, "KEEPALIVE_TIMEOUT", kNumber, "75", kOn, "--keepalive_timeout."},
    {kS, "SSL_CERTFILE_PATH", kString, "-", kOn, "--ssl_certfile_path."},
    {kS, "SSL_KEYFILE_PATH", kString, "-", kOn, "--ssl_keyfile_path."},
    {kS, "SERVER_ROOT_PATH", kString, "-", kOn, "Prefix of all routes."},
    {kS, "LITELLM_CORS_ORIGINS", kString, "*", kOn, "Origins that browsers may call from."},
    {kS, "NO_DOCS", kBool, "false", kOn, "No documentation page."},
    {kS, "PROMETHEUS_METRICS_PORT", kInt, "-", kOn, "A second listener for /metrics only, without a key."},
    {kS, "PROMETHEUS_DISABLE_CREATED_SERIES", kBool, "false", kOn, "No _created series."},
    {kS, "PROMETHEUS_MULTIPROC_DIR", kString, "-", kOff, "One process, one registry."},
    {kS, "SEMANTIC_CACHE_EMBEDDING_TIMEOUT_SECONDS", kNumber, "5", kOn, "cache_params.semantic_cache_embedding_timeout."},
    {kS, "JSON_LOGS", kBool, "false", kOn, "litellm_settings.json_logs."},
    {kS, "LITELLM_LOG", kString, "INFO", kOn, "Log level."},
    {kS, "LITELLM_DROP_PARAMS", kBool, "false", kOn, "litellm_settings.drop_params."},
    {kS, "REQUEST_TIMEOUT", kNumber, "6000", kOn, "litellm_settings.request_timeout."},
    {kS, "ACCESS_LOG", kBoolOrPath, "false", kOn, "general_settings.access_log."},
    {kS, "SSL_VERIFY", kBoolOrPath, "true", kOn, "litellm_settings.ssl_verify."},
    {kS, "SSL_CERT_FILE", kString, "-", kOn, "Certificate authorities for upstreams."},
    {kS, "DEFAULT_COOLDOWN_TIME_SECONDS", kNumber, "5", kOn, "router_settings.cooldown_time."},
    {kS, "DEFAULT_FAILURE_THRESHOLD_PERCENT", kNumber, "0.5", kOn, "Share of failures above which a deployment is cooled."},
    {kS, "DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS", kInt, "5", kOn, "Requests per minute before the share counts."},
    {kS, "SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD", kInt, "1000", kOn, "Failures in a row that cool even a single deployment."},
    {kS, "ROUTER_MAX_FALLBACKS", kInt, "5", kOn, "router_settings.max_fallbacks."},
    {kS, "INITIAL_RETRY_DELAY", kNumber, "0.5", kOn, "Seconds before the first retry."},
    {kS, "MAX_RETRY_DELAY", kNumber, "8", kOn, "Longest pause before a retry."},
    {kS, "JITTER", kNumber, "0.75", kOn, "Random part of that pause."},
    {kS, "HEALTH_CHECK_TIMEOUT_SECONDS", kNumber, "60", kOn, "model_info.health_check_timeout."},
    {kS, "DEFAULT_HEALTH_CHECK_INTERVAL", kNumber, "300", kOn, "general_settings.health_check_interval."},
    {kS, "OPENAI_ORGANIZATION", kString, "-", kOn, "Organization of openai deployments that name none."},
    {kS, "<PROVIDER>_API_KEY", kString, "-", kOn, "Key of deployments that name none; see the providers below."},
    {kS, "<PROVIDER>_API_BASE", kString, "-", kOn, "Address of deployments that name none."},
    {kS, "LITELLM_LOCAL_MODEL_COST_MAP", kBool, "true", kOff, "Prices are always local."},
    {kS, "LITELLM_LICENSE", kString, "-", kOff, "No licence is needed."},
    {kS, "DEFAULT_ALLOWED_FAILS", kInt, "3", kLater, "Failures for exceptions that allowed_fails_policy does not name."},
    {kS, "DATABASE_URL", kString, "-", kLater, "Database of keys and spend."},
    {kS, "REDIS_*", kString, "-", kOn, "What cache_params and router_settings leave open about Redis: URL, HOST, PORT, USERNAME, PASSWORD, DB, SSL, SSL_CERT_REQS, SSL_CA_CERTS, CLUSTER_NODES, SENTINEL_NODES, SENTINEL_PASSWORD, SERVICE_NAME."},
    {kS, "HTTP_PROXY, HTTPS_PROXY, NO_PROXY", kString, "-", kLater, "Proxies on the way to upstreams."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> EnvironmentSchemaRows() { return kRows; }

}  // namespace gw::config
