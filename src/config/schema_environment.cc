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
    {kS, "OTEL_SDK_DISABLED", kBool, "false", kOn, "Nothing of OpenTelemetry, whatever else is set."},
    {kS, "OTEL_TRACES_EXPORTER", kString, "otlp when asked for", kOn, "otlp or none. Traces are also on with the callback otel or an OTLP endpoint."},
    {kS, "OTEL_METRICS_EXPORTER", kString, "none", kOn, "otlp pushes what /metrics shows."},
    {kS, "OTEL_LOGS_EXPORTER", kString, "none", kOn, "otlp sends one log record per request."},
    {kS, "OTEL_EXPORTER_OTLP_ENDPOINT", kString, "http://localhost:4318", kOn, "The collector; /v1/traces and the like are appended. Given, traces are on."},
    {kS, "OTEL_EXPORTER_OTLP_<SIGNAL>_ENDPOINT", kString, "-", kOn, "Complete address for TRACES, METRICS or LOGS; given, the signal is on."},
    {kS, "OTEL_EXPORTER_OTLP_HEADERS", kString, "-", kOn, "name=value pairs with commas between, percent-encoded; secrets. Also with <SIGNAL>."},
    {kS, "OTEL_EXPORTER_OTLP_PROTOCOL", kString, "http/protobuf", kOn, "http/protobuf or http/json. gRPC is not spoken: port 4318 instead of 4317, else off. Also with <SIGNAL>."},
    {kS, "OTEL_EXPORTER_OTLP_TIMEOUT", kNumber, "10000", kOn, "Milliseconds for one request to the collector. Also with <SIGNAL>."},
    {kS, "OTEL_EXPORTER_OTLP_COMPRESSION", kString, "none", kOn, "gzip or none. Also with <SIGNAL>."},
    {kS, "OTEL_EXPORTER_OTLP_CERTIFICATE", kString, "-", kOn, "Certificate authorities of the collector. Also with <SIGNAL>."},
    {kS, "OTEL_SERVICE_NAME", kString, "litellm", kOn, "Resource attribute service.name."},
    {kS, "OTEL_RESOURCE_ATTRIBUTES", kString, "-", kOn, "More resource attributes, as name=value pairs."},
    {kS, "OTEL_ENVIRONMENT_NAME", kString, "-", kOn, "Resource attribute deployment.environment."},
    {kS, "OTEL_TRACES_SAMPLER", kString, "parentbased_always_on", kOn, "always_on, always_off, traceidratio, or one of these with parentbased_ in front."},
    {kS, "OTEL_TRACES_SAMPLER_ARG", kNumber, "1", kOn, "Share of traces for the ratio samplers."},
    {kS, "OTEL_BSP_SCHEDULE_DELAY", kNumber, "5000", kOn, "Milliseconds that spans wait for others. OTEL_BLRP_SCHEDULE_DELAY for logs: 1000."},
    {kS, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", kInt, "512", kOn, "Requests whose spans are sent together. OTEL_BLRP_MAX_EXPORT_BATCH_SIZE for logs."},
    {kS, "OTEL_BSP_MAX_QUEUE_SIZE", kInt, "2048", kOn, "What waits for the collector, times 4 KB. OTEL_BLRP_MAX_QUEUE_SIZE for logs."},
    {kS, "OTEL_METRIC_EXPORT_INTERVAL", kNumber, "60000", kOn, "Milliseconds between two exports of metrics."},
    {kS, "OTEL_METRIC_EXPORT_TIMEOUT", kNumber, "30000", kOn, "Milliseconds for one of them, if less than OTEL_EXPORTER_OTLP_TIMEOUT."},
    {kS, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", kString, "false", kOn, "true, SPAN_ONLY, EVENT_ONLY: messages in spans, in log records."},
    {kS, "OTEL_EXPORTER, OTEL_ENDPOINT, OTEL_HEADERS", kString, "-", kOn, "LiteLLM's names, with the callback otel; the standard variables win. otlp_http is http/protobuf."},
    {kS, "LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", kBool, "false", kOn, "With the callback otel: metrics are pushed, with the gen_ai.* histograms."},
    {kS, "LITELLM_OTEL_INTEGRATION_ENABLE_EVENTS", kBool, "false", kOn, "With the callback otel: logs are sent."},
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
    {kS, "DEFAULT_BATCH_SIZE, DEFAULT_FLUSH_INTERVAL_SECONDS", kInt, "512, 5", kOn, "Callbacks and alerts: send so many together, at the latest after so long."},
    {kS, "GENERIC_LOGGER_ENDPOINT, GENERIC_LOGGER_HEADERS", kString, "-", kOn, "Address and headers (a=b,c=d) of the callback generic_api."},
    {kS, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION", kString, "-", kOn, "What s3_callback_params leave open. DEFAULT_S3_BATCH_SIZE, DEFAULT_S3_FLUSH_INTERVAL_SECONDS, DEFAULT_S3_MAX_CONCURRENT_UPLOADS, S3_PARTITION_GRANULARITY, S3_LOG_PROMPTS_ONLY likewise."},
    {kS, "LANGFUSE_*", kString, "-", kOn, "The callback langfuse: PUBLIC_KEY, SECRET_KEY, HOST (or BASE_URL), RELEASE, TRACING_ENVIRONMENT, FLUSH_INTERVAL."},
    {kS, "DD_*", kString, "-", kOn, "The callbacks datadog and datadog_metrics: API_KEY, APP_KEY, SITE, BASE_URL, ENV, SERVICE, VERSION, SOURCE, BATCH_SIZE; LITELLM_DD_AGENT_HOST and _PORT send logs to an agent; HOSTNAME, POD_NAME become tags."},
    {kS, "SLACK_WEBHOOK_URL, ALERTING_WEBHOOK_URL, MS_TEAMS_WEBHOOK_URL", kString, "-", kOn, "Where alerts go. DEFAULT_SLACK_ALERTING_THRESHOLD, SLACK_DAILY_REPORT_FREQUENCY, PROXY_BASE_URL (printed in alerts) likewise."},
    {kS, "HTTP_PROXY, HTTPS_PROXY, NO_PROXY", kString, "-", kLater, "Proxies on the way to upstreams."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> EnvironmentSchemaRows() { return kRows; }

}  // namespace gw::config
