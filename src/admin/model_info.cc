#include "admin/model_info.h"

#include <algorithm>
#include <array>

#include "admin/model_catalog.h"

namespace gw::admin {

namespace {

boost::json::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

struct PriceField {
  std::string_view name;
  std::optional<double> config::Price::*value;
};
constexpr std::array kPriceFields = {
    PriceField{"input_cost_per_token", &config::Price::input_cost_per_token},
    PriceField{"output_cost_per_token", &config::Price::output_cost_per_token},
    PriceField{"input_cost_per_second", &config::Price::input_cost_per_second},
    PriceField{"output_cost_per_second", &config::Price::output_cost_per_second},
    PriceField{"cache_read_input_token_cost", &config::Price::cache_read_input_token_cost},
    PriceField{"cache_creation_input_token_cost", &config::Price::cache_creation_input_token_cost},
    PriceField{"output_cost_per_reasoning_token", &config::Price::output_cost_per_reasoning_token},
    PriceField{"input_cost_per_audio_token", &config::Price::input_cost_per_audio_token},
    PriceField{"output_cost_per_audio_token", &config::Price::output_cost_per_audio_token},
};

// What the reference names for the OpenAI-compatible providers.
constexpr std::array<std::string_view, 32> kOpenAiParams = {"frequency_penalty",
                                                            "logit_bias",
                                                            "logprobs",
                                                            "top_logprobs",
                                                            "max_tokens",
                                                            "max_completion_tokens",
                                                            "modalities",
                                                            "prediction",
                                                            "n",
                                                            "presence_penalty",
                                                            "seed",
                                                            "stop",
                                                            "stream",
                                                            "stream_options",
                                                            "temperature",
                                                            "top_p",
                                                            "tools",
                                                            "tool_choice",
                                                            "function_call",
                                                            "functions",
                                                            "max_retries",
                                                            "extra_headers",
                                                            "parallel_tool_calls",
                                                            "audio",
                                                            "web_search_options",
                                                            "service_tier",
                                                            "safety_identifier",
                                                            "prompt_cache_key",
                                                            "prompt_cache_retention",
                                                            "store",
                                                            "response_format",
                                                            "reasoning_effort"};

constexpr std::array<std::string_view, 8> kCapabilities = {
    "supports_vision",         "supports_function_calling", "supports_parallel_function_calling",
    "supports_web_search",     "supports_url_context",      "supports_reasoning",
    "supports_prompt_caching", "supports_response_schema"};

bool SpeaksOpenAi(const config::Deployment& d) {
  return d.row != nullptr && (d.row->dialect == config::Dialect::kOpenAi ||
                              d.row->dialect == config::Dialect::kOpenAiText);
}

json::Value OpenAiParams() {
  json::Array out;
  for (const std::string_view name : kOpenAiParams) out.emplace_back(Text(name));
  return out;
}

json::Value OrNull(const std::optional<int64_t>& value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}
json::Value OrNull(const std::optional<double>& value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

std::optional<double> PriceOf(const config::Deployment& d, const PriceField& field) {
  if (const auto& own = d.price.*field.value) return own;
  return d.facts != nullptr ? d.facts->price.*field.value : std::nullopt;
}

bool Supports(const config::Deployment& d, std::string_view capability) {
  return json::IsTrue(d.model_info, capability) ||
         (d.facts != nullptr && json::IsTrue(d.facts->raw, capability));
}

// The reference looks a row up in its price map, into which it has entered the rows that the
// configuration describes; of others it tells nothing but the id.
bool IsKnown(const config::Deployment& d, const DeploymentLimits& limits) {
  return d.facts != nullptr || d.has_custom_price || !limits.mode.empty() || limits.max_tokens;
}

void AppendKnown(json::Object& info, const config::Deployment& d, const DeploymentLimits& limits) {
  info["key"] = Text(d.facts != nullptr ? d.facts->name : d.litellm_model);
  info["max_tokens"] = OrNull(limits.max_tokens);
  info["max_input_tokens"] = OrNull(limits.max_input_tokens);
  info["max_output_tokens"] = OrNull(limits.max_output_tokens);
  for (const PriceField& field : kPriceFields) info[Text(field.name)] = OrNull(PriceOf(d, field));
  info["litellm_provider"] = Text(d.provider);
  info["mode"] = limits.mode.empty() ? json::Value(nullptr) : json::Value(Text(limits.mode));
  if (SpeaksOpenAi(d)) info["supported_openai_params"] = OpenAiParams();
}

json::Object DescribeInfo(const config::Deployment& d) {
  json::Object info;
  info["id"] = Text(d.id);
  info["db_model"] = false;
  const DeploymentLimits limits = LimitsOf(d);
  if (d.facts != nullptr) {
    for (const auto& member : d.facts->raw) info[member.key()] = member.value();
  }
  if (IsKnown(d, limits)) AppendKnown(info, d, limits);
  // What the operator wrote beats what the map says.
  for (const auto& member : d.model_info) info[member.key()] = member.value();
  info["id"] = Text(d.id);
  json::Array overrides;
  for (const PriceField& field : kPriceFields) {
    if (d.price.*field.value) overrides.emplace_back(Text(field.name));
  }
  info["pricing_overrides"] = std::move(overrides);
  info["member_auto_router"] = false;  // compat: shown for every row since 1.109
  return info;
}

template <typename T>
void KeepLarger(std::optional<T>& into, std::optional<T> value) {
  if (value && (!into || *into < *value)) into = value;
}

// Limits of a group: what its most capable row can do; rates add up.
struct GroupTotals {
  std::optional<int64_t> max_input_tokens, max_output_tokens, tpm, rpm;
  std::optional<double> input_cost, output_cost;
  std::string_view mode;
  json::Array providers;
  std::array<bool, kCapabilities.size()> supports{};
  bool speaks_openai = false;
};

void AddRate(std::optional<int64_t>& total, const std::optional<int64_t>& part) {
  if (part) total = total.value_or(0) + *part;
}

void AddToTotals(GroupTotals& totals, const config::Deployment& d) {
  const DeploymentLimits limits = LimitsOf(d);
  KeepLarger(totals.max_input_tokens, limits.max_input_tokens);
  KeepLarger(totals.max_output_tokens, limits.max_output_tokens);
  KeepLarger(totals.input_cost, PriceOf(d, kPriceFields[0]));
  KeepLarger(totals.output_cost, PriceOf(d, kPriceFields[1]));
  AddRate(totals.tpm, d.tpm);
  AddRate(totals.rpm, d.rpm);
  if (totals.mode.empty()) totals.mode = limits.mode;
  const json::Value provider(Text(d.provider));
  if (std::find(totals.providers.begin(), totals.providers.end(), provider) ==
      totals.providers.end())
    totals.providers.push_back(provider);
  for (size_t i = 0; i < kCapabilities.size(); ++i)
    totals.supports[i] = totals.supports[i] || Supports(d, kCapabilities[i]);
  totals.speaks_openai = totals.speaks_openai || SpeaksOpenAi(d);
}

}  // namespace

json::Object DescribeDeployment(const config::Deployment& d) {
  json::Object out;
  out["model_name"] = Text(d.model_name);
  out["litellm_params"] = d.shown_params;
  out["model_info"] = DescribeInfo(d);
  return out;
}

json::Object DescribeGroup(const config::Snapshot& snapshot, std::string_view group) {
  GroupTotals totals;
  for (const config::Deployment& d : snapshot.deployments) {
    if (d.model_name == group) AddToTotals(totals, d);
  }
  json::Object out;
  out["model_group"] = Text(group);
  out["providers"] = std::move(totals.providers);
  out["max_input_tokens"] = OrNull(totals.max_input_tokens);
  out["max_output_tokens"] = OrNull(totals.max_output_tokens);
  out["input_cost_per_token"] = OrNull(totals.input_cost);
  out["output_cost_per_token"] = OrNull(totals.output_cost);
  out["mode"] = totals.mode.empty() ? json::Value(nullptr) : json::Value(Text(totals.mode));
  out["tpm"] = OrNull(totals.tpm);
  out["rpm"] = OrNull(totals.rpm);
  for (size_t i = 0; i < kCapabilities.size(); ++i)
    out[Text(kCapabilities[i])] = totals.supports[i];
  out["supported_openai_params"] =
      totals.speaks_openai ? OpenAiParams() : json::Value(json::Array());
  out["configurable_clientside_auth_params"] = nullptr;
  out["is_public_model_group"] = false;
  out["health_status"] = nullptr;
  return out;
}

}  // namespace gw::admin
