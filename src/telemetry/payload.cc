// Which members has LiteLLM's standard logging payload, and what do they mean here?
#include "telemetry/payload.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "accounting/cost.h"
#include "telemetry/payload_content.h"
#include "telemetry/stream_answer.h"

namespace gw::telemetry {
namespace {

json::Value OrNull(std::string_view text) { return text.empty() ? json::Value(nullptr) : json::Value(text); }

double UnixSeconds(const RequestRecord& record, TimePoint point) {
  return static_cast<double>(record.UnixNs(point)) / 1e9;
}

// Who an event is about: the deployment of its attempt, else the one that the request ended at.
struct Subject {
  const config::Deployment* deployment = nullptr;
  std::string_view group, upstream_model;
};

Subject SubjectOf(const RequestRecord& record, const LoggedEvent& event) {
  if (event.attempt != nullptr && event.attempt->deployment != nullptr) {
    return {event.attempt->deployment, event.attempt->model_group, event.attempt->upstream_model};
  }
  return {record.deployment, record.model_group, record.upstream_model};
}

const config::ModelFacts* FactsOf(const RequestRecord& record, const Subject& subject) {
  if (subject.deployment == nullptr) return nullptr;
  if (subject.deployment->facts != nullptr) return subject.deployment->facts;
  const auto& all = record.snapshot->model_facts;
  const auto found = all.find(std::string(subject.upstream_model));
  return found == all.end() ? nullptr : found->second.get();
}

// "openai/gpt-4o-mini"; of a wildcard row what went upstream.
std::string ModelOf(const RequestRecord& record, const Subject& subject) {
  if (subject.deployment == nullptr) return record.requested_model;
  const std::string& configured = subject.deployment->litellm_model;
  if (configured.find('*') == std::string::npos || subject.upstream_model.empty()) return configured;
  return subject.deployment->provider + "/" + std::string(subject.upstream_model);
}

accounting::Cost CostOf(const RequestRecord& record, const LoggedEvent& event, const Subject& subject) {
  if (subject.deployment == nullptr) return {};
  return accounting::ComputeCost(*record.snapshot, *subject.deployment, subject.upstream_model, record.usage,
                                 Seconds(event.end - event.begin));
}

json::Value CostBreakdown(const accounting::Cost& cost) {
  return json::Object{{"input_cost", cost.total - cost.output}, {"cache_read_cost", cost.cache_read},
                      {"cache_creation_cost", cost.cache_creation}, {"output_cost", cost.output},
                      {"total_cost", cost.total}, {"original_cost", cost.total}, {"tool_usage_cost", 0.0},
                      {"discount_percent", 0.0}, {"discount_amount", 0.0}, {"margin_percent", 0.0},
                      {"margin_fixed_amount", 0.0}, {"margin_total_amount", 0.0}};
}

void AddKeyInfo(const LoggedRequest& request, json::Object& metadata) {
  const RequestRecord& r = request.record;
  metadata["user_api_key_hash"] = OrNull(r.key_hash);
  metadata["user_api_key_alias"] = OrNull(r.key_alias);
  metadata["user_api_key_team_id"] = OrNull(r.team);
  metadata["user_api_key_team_alias"] = OrNull(r.team_alias);
  metadata["user_api_key_user_id"] = OrNull(r.user);
  metadata["user_api_key_end_user_id"] = OrNull(request.EndUser());
  metadata["user_api_key_request_route"] = r.path;
  for (const std::string_view key :
       {"user_api_key_spend", "user_api_key_max_budget", "user_api_key_budget_reset_at", "user_api_key_user_spend",
        "user_api_key_user_max_budget", "user_api_key_team_spend", "user_api_key_team_max_budget",
        "user_api_key_org_id", "user_api_key_org_alias", "user_api_key_project_id", "user_api_key_project_alias",
        "user_api_key_user_email"}) {
    metadata[key] = nullptr;
  }
  metadata["user_api_key_auth_metadata"] = json::Object{};
}

json::Object HeadersOf(const RequestRecord& record, bool custom_only) {
  json::Object out;
  for (const auto& [name, value] : record.headers) {
    if (custom_only && (!name.starts_with("x-") || name.starts_with("x-litellm"))) continue;
    out[name] = value;
  }
  return out;
}

json::Object MetadataOf(const LoggedRequest& request, const LoggedEvent& event) {
  const RequestRecord& r = request.record;
  json::Object out;
  if (!request.settings.redact_user_api_key_info) AddKeyInfo(request, out);
  const json::Value* spend_logs = json::Get(request.metadata, "spend_logs_metadata");
  out["spend_logs_metadata"] = spend_logs == nullptr ? json::Value(nullptr) : *spend_logs;
  out["requester_ip_address"] = OrNull(r.client_ip);
  out["user_agent"] = OrNull(r.user_agent);
  json::Object requester = request.metadata;
  requester["headers"] = HeadersOf(r, false);
  out["requester_metadata"] = std::move(requester);
  out["requester_custom_headers"] = HeadersOf(r, true);
  out["usage_object"] = event.success ? json::Value(UsageObject(r.usage)) : json::Value(json::Object{});
  out["team_alias"] = nullptr;
  out["team_id"] = nullptr;
  for (const std::string_view key :
       {"prompt_management_metadata", "mcp_tool_call_metadata", "vector_store_request_metadata", "routing_decision",
        "cold_storage_object_key", "kubernetes_pod_routing"}) {
    out[key] = nullptr;
  }
  out["applied_guardrails"] = json::Array{};
  return out;
}

json::Object HiddenParams(const RequestRecord& r, const LoggedEvent& event, const Subject& subject) {
  json::Object headers;
  if (event.success) {
    headers["x-litellm-model-group"] = subject.group;
    headers["x-litellm-attempted-retries"] = r.retries;
    headers["x-litellm-attempted-fallbacks"] = r.fallbacks;
  }
  const bool known = event.success && subject.deployment != nullptr;
  json::Value overhead = nullptr;
  if (event.success) {
    const bool streamed = r.stream && r.first_chunk != TimePoint{};
    const Duration whole = (streamed ? r.first_chunk : r.finished) - r.arrived;
    overhead = std::max(0.0, Seconds(whole - std::min(whole, r.upstream) - r.backoff) * 1000);
  }
  return {{"model_id", known ? json::Value(subject.deployment->id) : json::Value(nullptr)},
          {"cache_key", OrNull(r.cache_key)},
          {"api_base", known ? json::Value(subject.deployment->api_base) : json::Value(nullptr)},
          {"response_cost", event.success ? r.cost_usd : 0.0},
          {"additional_headers", std::move(headers)},
          {"litellm_overhead_time_ms", overhead},
          {"batch_models", nullptr},
          {"batch_successful_requests", nullptr},
          {"batch_failed_requests", nullptr},
          {"litellm_model_name", known ? json::Value(subject.deployment->litellm_model) : json::Value(nullptr)},
          {"usage_object", nullptr}};
}

json::Object ErrorInformation(const LoggedRequest& request, const LoggedEvent& event, const Subject& subject) {
  json::Object out;
  const std::string_view provider = subject.deployment == nullptr ? "" : std::string_view(subject.deployment->provider);
  out["error_code"] = event.success ? std::string() : std::to_string(event.status);
  out["error_class"] = event.success ? std::string_view() : event.error_class;
  out["llm_provider"] = event.success ? std::string_view() : provider;
  out["traceback"] = "";
  out["error_message"] = event.success ? std::string() : request.ErrorText(event);
  for (const std::string_view key :
       {"error_provider_request_id", "error_rate_limit_category", "error_rate_limit_type", "error_budget_entity_type",
        "error_budget_entity_id", "error_budget_limit", "error_budget_spend", "error_cooldown_deployments",
        "normalized_error"}) {
    out[key] = nullptr;
  }
  return out;
}

json::Object ModelMap(const std::string& model, const config::ModelFacts* facts) {
  json::Value value = nullptr;
  if (facts != nullptr) {
    json::Object known = facts->raw;
    known["key"] = facts->name;
    value = std::move(known);
  }
  return {{"model_map_key", model}, {"model_map_value", std::move(value)}};
}

void AddTimes(const RequestRecord& r, const LoggedEvent& event, json::Object& out) {
  const bool streamed = event.success && r.stream;
  out["startTime"] = UnixSeconds(r, event.begin);
  out["endTime"] = UnixSeconds(r, event.end);
  out["completionStartTime"] = UnixSeconds(r, event.first_content);
  out["response_time"] = Seconds((streamed ? event.first_content : event.end) - event.begin);
}

void AddMoney(const RequestRecord& r, const LoggedEvent& event, const Subject& subject, json::Object& out) {
  const accounting::Cost cost = event.success ? CostOf(r, event, subject) : accounting::Cost{};
  out["saved_cache_cost"] = r.from_cache && event.success ? cost.total : 0.0;
  out["cost_finalized"] = event.success;
  out["response_cost"] = event.success ? r.cost_usd : 0.0;
  out["cost_breakdown"] = event.success && !r.from_cache ? CostBreakdown(cost) : json::Value(nullptr);
  out["total_tokens"] = event.success ? r.usage.total_tokens : 0;
  out["prompt_tokens"] = event.success ? r.usage.prompt_tokens : 0;
  out["completion_tokens"] = event.success ? r.usage.completion_tokens : 0;
}

void AddSubject(const LoggedRequest& request, const LoggedEvent& event, const Subject& subject, json::Object& out) {
  const RequestRecord& r = request.record;
  const std::string model = ModelOf(r, subject);
  const bool known = subject.deployment != nullptr;
  out["custom_llm_provider"] = known ? json::Value(subject.deployment->provider) : json::Value(nullptr);
  out["model"] = model;
  out["api_base"] = known ? subject.deployment->api_base : std::string();
  out["model_group"] = subject.group;
  out["model_id"] = known ? subject.deployment->id : std::string();
  out["model_map_information"] = ModelMap(known ? model : std::string(), FactsOf(r, subject));
  out["hidden_params"] = HiddenParams(r, event, subject);
  out["error_str"] = event.success ? json::Value(nullptr) : json::Value(request.ErrorText(event));
  out["error_information"] = ErrorInformation(request, event, subject);
}

// The answer's own id; a hit must not repeat it.
std::string IdOf(const LoggedRequest& request, const LoggedEvent& event) {
  std::string id;
  if (event.success && request.answer.is_object()) id = json::GetString(request.answer.get_object(), "id");
  if (id.empty()) id = request.record.call_id;
  if (event.success && request.record.from_cache) {
    id += fmt::format("_cache_hit{:.6f}", UnixSeconds(request.record, request.record.finished));
  }
  return id;
}

}  // namespace

json::Object BuildPayload(const LoggedRequest& request, const LoggedEvent& event) {
  const RequestRecord& r = request.record;
  const Subject subject = SubjectOf(r, event);
  const std::string_view status = event.success ? "success" : "failure";
  json::Object out;
  out["id"] = IdOf(request, event);
  out["litellm_call_id"] = r.call_id;
  out["trace_id"] = request.trace_id;
  out["session_id"] = "";
  out["call_type"] = CallType(r.endpoint);
  out["cache_hit"] = event.success && r.from_cache;
  out["stream"] = event.success && r.stream ? json::Value(true) : json::Value(nullptr);
  out["status"] = status;
  out["status_fields"] = json::Object{{"llm_api_status", status}, {"guardrail_status", "not_run"}};
  AddTimes(r, event, out);
  AddMoney(r, event, subject, out);
  AddSubject(request, event, subject, out);
  out["metadata"] = MetadataOf(request, event);
  out["cache_key"] = OrNull(r.cache_key);
  json::Array tags;
  for (const std::string& tag : request.tags) tags.emplace_back(tag);
  out["request_tags"] = std::move(tags);
  out["request_model_access_groups"] = json::Array{};
  out["end_user"] = request.settings.redact_user_api_key_info ? json::Value(nullptr) : OrNull(request.EndUser());
  out["requester_ip_address"] = OrNull(r.client_ip);
  out["user_agent"] = OrNull(r.user_agent);
  out["messages"] = LoggedMessages(request);
  out["response"] = event.success ? LoggedAnswer(request) : json::Value(json::Object{});
  out["model_parameters"] = ModelParameters(request);
  for (const std::string_view key :
       {"response_cost_failure_debug_info", "zero_cost_diagnostic", "guardrail_information",
        "standard_built_in_tools_params", "autorouter_savings", "autorouter_savings_estimate"}) {
    out[key] = nullptr;
  }
  return out;
}

std::string_view CallType(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kChat:
      return "acompletion";
    case api::Endpoint::kCompletions:
      return "atext_completion";
    case api::Endpoint::kEmbeddings:
      return "aembedding";
    case api::Endpoint::kMessages:
      return "anthropic_messages";
    case api::Endpoint::kTranscriptions:
      return "atranscription";
    case api::Endpoint::kSpeech:
      return "aspeech";
  }
  return "";
}

std::string UtcMicros(int64_t unix_ns, std::string_view pattern) {
  const std::tm utc = fmt::gmtime(static_cast<std::time_t>(unix_ns / 1'000'000'000));
  return fmt::format(fmt::runtime(pattern), utc) + fmt::format("{:06d}", unix_ns % 1'000'000'000 / 1000);
}

}  // namespace gw::telemetry
