// Which callback names are known, and what is said about each?
#include "config/callbacks.h"

#include <algorithm>
#include <array>

#include "config/callback_settings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

// Names that LiteLLM understands without a Python module of the operator.
constexpr std::string_view kKnown[] = {"agentops",
                                       "anthropic_cache_control_hook",
                                       "aporia_prompt_injection",
                                       "argilla",
                                       "arize",
                                       "arize_phoenix",
                                       "athina",
                                       "aws_sqs",
                                       "azure_sentinel",
                                       "azure_storage",
                                       "banned_keywords",
                                       "batch_redis_requests",
                                       "bitbucket",
                                       "blocked_user_check",
                                       "braintrust",
                                       "cache",
                                       "cloudzero",
                                       "custom_callback_api",
                                       "datadog",
                                       "datadog_cost_management",
                                       "datadog_llm_observability",
                                       "datadog_metrics",
                                       "deepeval",
                                       "detect_prompt_injection",
                                       "dotprompt",
                                       "dynamic_rate_limiter",
                                       "dynamic_rate_limiter_v3",
                                       "dynamodb",
                                       "email",
                                       "focus",
                                       "galileo",
                                       "gcs_bucket",
                                       "gcs_pubsub",
                                       "generic",
                                       "generic_api",
                                       "gitlab",
                                       "google_text_moderation",
                                       "greenscale",
                                       "helicone",
                                       "hide_secrets",
                                       "humanloop",
                                       "lago",
                                       "lakera_prompt_injection",
                                       "langfuse",
                                       "langfuse_otel",
                                       "langsmith",
                                       "langtrace",
                                       "levo",
                                       "literalai",
                                       "llamaguard_moderations",
                                       "llmguard_moderations",
                                       "logfire",
                                       "lunary",
                                       "max_budget_limiter",
                                       "max_iterations_limiter",
                                       "mlflow",
                                       "newrelic",
                                       "openai_moderations",
                                       "openmeter",
                                       "opik",
                                       "otel",
                                       "pagerduty",
                                       "parallel_request_limiter",
                                       "posthog",
                                       "presidio",
                                       "promptlayer",
                                       "resend_email",
                                       "s3",
                                       "s3_v2",
                                       "sendgrid_email",
                                       "sentry",
                                       "slack",
                                       "smtp_email",
                                       "sqs",
                                       "supabase",
                                       "traceloop",
                                       "vantage",
                                       "vector_store_pre_call_hook",
                                       "wandb",
                                       "weave",
                                       "weave_otel",
                                       "webhook",
                                       "websearch_interception"};

bool IsKnown(std::string_view name) {
  return std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
}

void Judge(LoadContext& context, std::string_view key, const yaml::Node& place_of, const std::string& name,
           const yaml::Node& callback_settings) {
  const std::string path = Join("litellm_settings", key);
  if (name == "prometheus") {
    if (key == "failure_callback") return;
    context.Add(Severity::kInfo, KeyStatus::kEffective, place_of.place, path,
                "prometheus: /metrics is on");
    return;
  }
  if (name == "otel") {
    if (key != "failure_callback") {
      context.Add(Severity::kInfo, KeyStatus::kEffective, place_of.place, path, "otel: traces are sent, failures included");
    }
    return;
  }
  if (IsPayloadCallback(name) || IsGenericCallback(callback_settings, name)) {
    constexpr std::string_view kWhat[] = {"successes and failures", "successes", "failures"};
    const size_t which = key == "callbacks" ? 0 : key == "success_callback" ? 1 : 2;
    context.Add(Severity::kInfo, KeyStatus::kEffective, place_of.place, path,
                name + ": " + std::string(kWhat[which]) + " go there");
    return;
  }
  if (name.find('.') != std::string::npos) {
    context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, place_of.place, path,
                "the Python callback '" + name + "' cannot run here and is left out");
    return;
  }
  if (IsKnown(name) || key != "callbacks") {
    context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, place_of.place, path,
                "the callback '" + name + "' is not implemented and is left out");
    return;
  }
  context.Fatal(kExitRefused, place_of.place, path, "unknown callback '" + name + "'");
}

}  // namespace

std::vector<std::string> ReadCallbacks(LoadContext& context, const yaml::Node& litellm_settings,
                                       const yaml::Node& callback_settings) {
  std::vector<std::string> names;
  for (const std::string_view key : {"callbacks", "success_callback", "failure_callback"}) {
    const yaml::Node* node = litellm_settings.Find(key);
    if (node == nullptr) continue;
    for (const std::string& name : ReadStrings(litellm_settings, key)) {
      Judge(context, key, *node, name, callback_settings);
      const bool is_new = std::find(names.begin(), names.end(), name) == names.end();
      if (key != "failure_callback" && is_new) names.push_back(name);
    }
  }
  return names;
}

}  // namespace gw::config
