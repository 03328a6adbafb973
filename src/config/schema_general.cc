// Keys of general_settings.
#include "config/schema.h"

namespace gw::config {
namespace {

constexpr auto kOn = KeyStatus::kEffective;
constexpr auto kOff = KeyStatus::kIgnored;
constexpr auto kLater = KeyStatus::kNotSupportedYet;
using enum ValueType;

constexpr auto kS = Section::kGeneralSettings;

// One row per line, whatever its length.
// clang-format off
constexpr KeySpec kRows[] = {
    {kS, "master_key", kString, "LITELLM_MASTER_KEY", kOn, "The administrator's key. Unset, empty or sk-1234: the gateway does not start."},
    {kS, "dangerously_permit_weak_or_unset_master_key", kBool, "false", kOn, "Start all the same. Without a key everybody is administrator."},
    {kS, "litellm_key_header_name", kString, "-", kOn, "One more header that carries the client's key."},
    {kS, "completion_model", kString, "-", kOn, "Model of every chat and text completion, whatever the client asks for."},
    {kS, "embedding_model", kString, "-", kOn, "Model of every embedding."},
    {kS, "max_request_size_mb", kNumber, "100", kOn, "Largest request body."},
    {kS, "max_response_size_mb", kNumber, "256", kOn, "Largest answer that is held for translation."},
    {kS, "always_include_stream_usage", kBool, "false", kOn, "Usage in the last chunk of every stream."},
    {kS, "forward_client_headers_to_llm_api", kBool, "false", kOn, "Hand the client's x- headers on."},
    {kS, "forward_openai_org_id", kBool, "false", kOn, "Hand the client's OpenAI-Organization on."},
    {kS, "background_health_checks", kBool, "false", kOn, "Probe all deployments again and again."},
    {kS, "health_check_interval", kNumber, "300", kOn, "Seconds between two rounds of probes."},
    {kS, "health_check_details", kBool, "true", kOn, "Details in /health."},
    {kS, "health_check_concurrency", kInt, "-", kOn, "Probes at the same time."},
    {kS, "dangerously_allow_mock_testing_request_params", kBool, "false", kOn, "Clients may send mock_testing_fallbacks and its like."},
    {kS, "allow_public_health_readiness_details", kBool, "false", kOn, "Details in /health/readiness without a key."},
    {kS, "public_routes", kStringList, "[]", kOn, "Routes without a key."},
    {kS, "user_header_name", kString, "-", kOn, "Header that names the end user."},
    {kS, "use_x_forwarded_for", kBool, "false", kOn, "Take the client's address from X-Forwarded-For."},
    {kS, "custom_auth", kAny, "-", kLater, "Authentication written in Python: the gateway does not start with it."},
    {kS, "custom_sso", kAny, "-", kLater, "Login written in Python: the gateway does not start with it."},
    {kS, "custom_ui_sso_sign_in_handler", kAny, "-", kLater, "Login written in Python: the gateway does not start with it."},
    {kS, "custom_key_generate", kAny, "-", kLater, "Key rules written in Python: the gateway does not start with them."},
    {kS, "custom_key_update", kAny, "-", kLater, "Key rules written in Python: the gateway does not start with them."},
    {kS, "disable_spend_logs", kAny, "false", kOff, "There are no spend logs without a database."},
    {kS, "disable_error_logs", kAny, "false", kOff, "There are no error logs without a database."},
    {kS, "proxy_batch_write_at", kAny, "10", kOff, "There is no database."},
    {kS, "database_connection_pool_limit", kAny, "10", kOff, "There is no database."},
    {kS, "database_connection_timeout", kAny, "60", kOff, "There is no database."},
    {kS, "disable_adding_master_key_hash_to_db", kAny, "false", kOff, "There is no database."},
    {kS, "disable_master_key_return", kAny, "-", kOff, "The master key is never returned."},
    {kS, "litellm_license", kAny, "-", kOff, "No licence is needed."},
    {kS, "cancel_on_disconnect", kAny, "-", kOff, "Upstream calls always end with the client's connection."},
    {kS, "database_url", kAny, "DATABASE_URL", kLater, "Database of keys and spend."},
    {kS, "database_type", kAny, "-", kLater, "Kind of the database."},
    {kS, "allow_requests_on_db_unavailable", kBool, "false", kLater, "Serve without the database."},
    {kS, "store_model_in_db", kBool, "false", kLater, "Models from the database."},
    {kS, "supported_db_objects", kAny, "-", kLater, "What is read from the database."},
    {kS, "alerting", kAny, "-", kLater, "Alerts."},
    {kS, "alerting_threshold", kNumber, "300", kLater, "Alerts."},
    {kS, "alerting_args", kMap, "-", kLater, "Alerts."},
    {kS, "alert_types", kAny, "-", kLater, "Alerts."},
    {kS, "alert_to_webhook_url", kAny, "-", kLater, "Alerts."},
    {kS, "spend_report_frequency", kAny, "-", kLater, "Reports."},
    {kS, "max_parallel_requests", kInt, "-", kLater, "Calls at the same time per key."},
    {kS, "global_max_parallel_requests", kInt, "-", kLater, "Calls at the same time of the whole gateway."},
    {kS, "image_generation_model", kString, "-", kLater, "Model of every image."},
    {kS, "moderation_model", kString, "-", kLater, "Model of every moderation."},
    {kS, "infer_model_from_keys", kBool, "false", kLater, "Models from the provider keys in the environment."},
    {kS, "forward_llm_provider_auth_headers", kBool, "false", kLater, "Clients bring their own provider keys."},
    {kS, "user_header_mappings", kAny, "-", kLater, "Headers that name users."},
    {kS, "allowed_ips", kStringList, "-", kLater, "Addresses that may connect. NOT enforced."},
    {kS, "allowed_routes", kStringList, "-", kLater, "Routes that may be used. NOT enforced."},
    {kS, "admin_only_routes", kStringList, "-", kLater, "Routes for the administrator only. NOT enforced."},
    {kS, "enforce_user_param", kBool, "false", kLater, "Refuse requests without user. NOT enforced."},
    {kS, "enforced_params", kAny, "-", kLater, "Refuse requests without these parameters. NOT enforced."},
    {kS, "reject_clientside_metadata_tags", kBool, "false", kLater, "Refuse tags of clients. NOT enforced."},
    {kS, "allow_client_side_credentials", kBool, "false", kLater, "Clients may send api_key and api_base."},
    {kS, "disable_spend_updates", kBool, "false", kLater, "No spend in the database."},
    {kS, "disable_reset_budget", kBool, "false", kLater, "Budgets never begin anew."},
    {kS, "proxy_budget_rescheduler_*", kAny, "-", kLater, "How often budgets are looked at."},
    {kS, "user_api_key_cache_*", kAny, "-", kLater, "Cache of keys."},
    {kS, "store_prompts_in_spend_logs", kBool, "false", kLater, "Prompts in the database."},
    {kS, "maximum_spend_logs_retention_*", kAny, "-", kLater, "Age of spend logs."},
    {kS, "default_team_disabled", kBool, "false", kLater, "No keys outside teams."},
    {kS, "disable_retry_on_max_parallel_request_limit_error", kBool, "false", kLater, "No retry after a full slot."},
    {kS, "enable_health_check_routing", kBool, "false", kLater, "Skip deployments that fail their probes."},
    {kS, "health_check_staleness_threshold", kNumber, "600", kLater, "Age at which a probe is forgotten."},
    {kS, "health_check_ignore_transient_errors", kBool, "false", kLater, "Probes that do not count."},
    {kS, "use_shared_health_check", kBool, "false", kLater, "Share probes through Redis."},
    {kS, "background_health_check_model_groups", kAny, "-", kLater, "Which groups are probed."},
    {kS, "health_check_skip_disabled_background_models", kBool, "false", kLater, "Which deployments are probed."},
    {kS, "model_list_healthy_only", kBool, "false", kLater, "Only healthy models in /v1/models."},
    {kS, "enforce_fallback_model_access", kBool, "false", kLater, "Keys must be allowed to use fallback targets."},
    {kS, "include_call_id_in_error_body", kBool, "false", kLater, "Call id in error bodies."},
    {kS, "pass_through_endpoints", kList, "-", kLater, "Routes handed on as they are."},
    {kS, "pass_through_request_timeout", kNumber, "-", kLater, "Timeout of such routes."},
    {kS, "use_redis_transaction_buffer", kBool, "false", kLater, "Spend through Redis."},
    {kS, "coordination_redis", kAny, "-", kLater, "Redis for locks."},
    {kS, "proxy_config_reload_interval_seconds", kNumber, "-", kLater, "How often the database's settings are read."},
    {kS, "max_in_flight_requests_per_worker", kInt, "-", kLater, "Admission control."},
    {kS, "max_queued_requests_per_worker", kInt, "-", kLater, "Admission control."},
    {kS, "admission_queue_timeout_seconds", kNumber, "1", kLater, "Admission control."},
    {kS, "enable_jwt_auth", kBool, "false", kLater, "JWT as keys: such tokens are refused."},
    {kS, "litellm_jwtauth", kMap, "-", kLater, "JWT as keys."},
    {kS, "token_rate_limit_type", kString, "output", kLater, "Which tokens count for limits."},
    {kS, "key_management_system", kAny, "-", kLater, "Secret manager."},
    {kS, "key_management_settings", kAny, "-", kLater, "Secret manager."},
    {kS, "use_google_kms", kAny, "-", kLater, "Secret manager."},
    {kS, "use_azure_key_vault", kAny, "-", kLater, "Secret manager."},
    {kS, "role_permissions", kAny, "-", kLater, "Permissions by role."},
    {kS, "enforce_rbac", kAny, "-", kLater, "Permissions by role."},
    {kS, "oauth2_*", kAny, "-", kLater, "OAuth2."},
    {kS, "enable_oauth2_*", kAny, "-", kLater, "OAuth2: such tokens are refused."},
    {kS, "ui_access_mode", kAny, "-", kLater, "Web console."},
    {kS, "service_account_settings", kAny, "-", kLater, "Keys of services."},
    {kS, "mcp_*", kAny, "-", kLater, "MCP servers."},
    {kS, "accounting_*", kAny, "-", kLater, "Accounting exports."},
    {kS, "vector_store_*", kAny, "-", kLater, "Vector stores."},
    {kS, "control_plane_url", kAny, "-", kLater, "Control plane."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> GeneralSettingsSchemaRows() { return kRows; }

}  // namespace gw::config
