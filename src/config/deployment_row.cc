// How does one model_list row become a Deployment?
#include "config/deployment_row.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/decision_settings.h"
#include "config/origin.h"
#include "config/price_map.h"
#include "config/schema.h"
#include "config/strategy_settings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

// Providers of LiteLLM whose wire format we do not speak yet.
constexpr std::string_view kNotYet[] = {"aleph_alpha",
                                        "auto_router",
                                        "azure",
                                        "azure_ai",
                                        "azure_text",
                                        "bedrock",
                                        "bedrock_converse",
                                        "cloudflare",
                                        "cohere",
                                        "cohere_chat",
                                        "gemini",
                                        "gigachat",
                                        "infinity",
                                        "nlp_cloud",
                                        "oci",
                                        "palm",
                                        "petals",
                                        "predibase",
                                        "replicate",
                                        "sagemaker",
                                        "sagemaker_chat",
                                        "text-completion-codestral",
                                        "triton",
                                        "vertex_ai",
                                        "vertex_ai_beta",
                                        "watsonx",
                                        "watsonx_text"};

Refusal UnknownProvider(std::string_view model, std::string_view name) {
  if (std::find(std::begin(kNotYet), std::end(kNotYet), name) != std::end(kNotYet)) {
    return {"model", "the provider '" + std::string(name) + "' is not supported yet"};
  }
  return {"model", "LLM Provider NOT provided: '" + std::string(model) +
                       "' names no known provider; for an OpenAI-compatible upstream write "
                       "openai/" +
                       std::string(model) + " and api_base"};
}

// Sets provider, row and upstream_model.
std::optional<Refusal> ReadProvider(LoadContext& context, const Row& row, Deployment& out) {
  const std::string& model = out.litellm_model;
  const size_t slash = model.find('/');
  const std::string prefix = slash == std::string::npos ? "" : model.substr(0, slash);
  if (const auto custom = ReadString(row.params, "custom_llm_provider")) {
    out.row = FindProvider(*custom);
    if (out.row == nullptr) return UnknownProvider(model, *custom);
    out.upstream_model = prefix == *custom ? model.substr(slash + 1) : model;
  } else if (!prefix.empty() && FindProvider(prefix) != nullptr) {
    out.row = FindProvider(prefix);
    out.upstream_model = model.substr(slash + 1);
  } else {
    const auto base = ReadString(row.params, "api_base");
    out.row = InferProvider(model);
    if (out.row == nullptr && base) out.row = FindProviderByBase(*base);
    if (out.row == nullptr && model == "*") {
      // compat: LiteLLM finds the provider of "*" per request; we have one provider per row.
      out.row = FindProvider("openai");
      context.Warn(row.place, row.path, "model '*' without a provider is sent to openai");
    }
    if (out.row == nullptr) return UnknownProvider(model, prefix);
    out.upstream_model = model;
  }
  if (out.upstream_model.empty()) return Refusal{"model", "no model after the provider"};
  out.provider = out.row->name;
  return std::nullopt;
}

// Paths that operators write although the call appends them.
std::string_view OwnPathSuffix(Dialect dialect, std::string_view base_path) {
  constexpr std::array<std::string_view, 3> kOllama = {"/api/chat", "/api/generate", "/api/embed"};
  if (dialect == Dialect::kAnthropic) {
    return base_path.ends_with("/v1/messages") ? "/v1/messages" : "";
  }
  if (dialect != Dialect::kOllamaChat && dialect != Dialect::kOllamaGenerate) return "";
  for (const std::string_view suffix : kOllama) {
    if (base_path.ends_with(suffix)) return suffix;
  }
  return "";
}

std::optional<Refusal> ReadBase(LoadContext& context, const Row& row, Deployment& out) {
  auto base = ReadString(row.params, "api_base");
  if (!base || base->empty()) base = ReadString(row.params, "base_url");
  if (!base || base->empty()) base = context.env.FirstOf(out.row->base_env);
  if (!base || base->empty()) base = std::string(out.row->default_base);
  if (base->empty()) {
    const auto names = Split(out.row->base_env, ',');
    return Refusal{"api_base", "the provider '" + out.provider + "' needs api_base or " +
                                   std::string(names[0])};
  }
  out.api_base = CleanBase(*base);
  const yaml::Node* given = row.params.Find("api_base");
  if (given != nullptr && given->IsNull() && !given->env_name.empty()) {
    context.Warn(given->place, Join(row.path, "litellm_params.api_base"),
                 "requests go to " + out.api_base + " instead");
  }
  std::string why;
  auto origin = ParseOrigin(*base, why);
  if (!origin) return Refusal{"api_base", why};
  out.origin = std::move(*origin);
  out.origin.base_path.resize(out.origin.base_path.size() -
                              OwnPathSuffix(out.row->dialect, out.origin.base_path).size());
  return std::nullopt;
}

void ReadKey(LoadContext& context, const Row& row, Deployment& out) {
  const auto key = ReadString(row.params, "api_key");
  if (key && !key->empty()) {
    out.api_key = *key;
  } else if (const auto from_env = context.env.FirstOf(out.row->key_env)) {
    out.api_key = *from_env;
  } else {
    out.api_key = out.row->dummy_key;
  }
  const bool is_public =
      out.api_base.starts_with("https://") && out.api_base == out.row->default_base;
  if (out.api_key.empty() && is_public) {
    context.Warn(
        row.place, row.path,
        "no api_key and no " + std::string(out.row->key_env) + ": calls go out without a key");
  }
  const auto organization = ReadString(row.params, "organization");
  if (organization) {
    out.organization = *organization;
  } else if (out.provider == "openai") {
    out.organization = context.env.FirstOf("OPENAI_ORGANIZATION").value_or("");
  }
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [kMarks](char c) {
    const char l = AsciiLower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7F);
  });
}

std::optional<Refusal> ReadHeaders(const yaml::Node& params, std::string_view key,
                                   Deployment& out) {
  const yaml::Node* map = ReadMap(params, key);
  if (map == nullptr) return std::nullopt;
  for (const yaml::Member& member : map->members) {
    if (member.value.IsNull()) continue;
    const std::string name = yaml::KeyText(member.key);
    std::string value;
    if (!member.value.IsMapping() && !member.value.IsSequence())
      value = yaml::KeyText(member.value);
    if (member.value.IsMapping() || member.value.IsSequence() || !IsHeaderName(name) ||
        !IsHeaderValue(value)) {
      return Refusal{Join(key, name), "no valid header"};
    }
    out.extra_headers.emplace_back(name, std::move(value));
  }
  return std::nullopt;
}

// Seconds; 0 counts as not given (compat), below 0 is refused.
std::optional<Refusal> ReadSeconds(const yaml::Node& params, std::string_view key,
                                   std::optional<double>& out) {
  const auto value = ReadNumber(params, key);
  if (!value || *value == 0) return std::nullopt;
  if (*value < 0) return Refusal{std::string(key), "expected a number that is not negative"};
  out = value;
  return std::nullopt;
}

std::optional<Refusal> ReadCounts(const yaml::Node& params, Deployment& out) {
  struct Target {
    std::string_view key;
    std::optional<int64_t>& value;
  };
  std::optional<int64_t> retries;
  const Target targets[] = {{"rpm", out.rpm},
                            {"tpm", out.tpm},
                            {"max_parallel_requests", out.max_parallel_requests},
                            {"itpm", out.itpm},
                            {"otpm", out.otpm},
                            {"rpd", out.rpd},
                            {"tpd", out.tpd},
                            {"num_retries", retries}};
  for (const Target& target : targets) {
    target.value = ReadInt(params, target.key);
    if (target.value && *target.value < 0) {
      return Refusal{std::string(target.key), "expected an integer that is not negative"};
    }
  }
  out.num_retries = Narrow(retries);
  out.order = ReadInt(params, "order");
  out.weight = ReadNumber(params, "weight");
  if (out.weight && *out.weight < 0)
    return Refusal{"weight", "expected a number that is not negative"};
  return std::nullopt;
}

// When do the daily limits and the budget begin anew?
std::optional<Refusal> ReadPeriods(LoadContext& context, const Row& row, Deployment& out) {
  const yaml::Node& params = row.params;
  if (const auto text = ReadText(params, "daily_reset_time")) {
    const auto seconds = ParseTimeOfDay(*text);
    if (!seconds) return Refusal{"daily_reset_time", "expected HH:MM"};
    out.daily_reset_s = *seconds;
  }
  const auto budget = ReadNumber(params, "max_budget");
  const auto period = ReadText(params, "budget_duration");
  if (budget && *budget < 0) return Refusal{"max_budget", "expected a number that is not negative"};
  if (!period) {
    if (budget) {
      context.Warn(row.place, Join(row.path, "litellm_params.max_budget"),
                   "no effect without budget_duration");
    }
    return std::nullopt;
  }
  const auto seconds = ParsePeriod(*period);
  if (!seconds) return Refusal{"budget_duration", "expected a period such as 12h, 1d or 1mo"};
  out.max_budget = budget;
  out.budget_period_s = *seconds;
  return std::nullopt;
}

// What is left after our own keys becomes a default of the upstream body.
void ReadRequestDefaults(const yaml::Node& params, Deployment& out) {
  for (const yaml::Member& member : params.members) {
    const std::string key = yaml::KeyText(member.key);
    if (member.value.IsNull() || FindKey(Section::kLitellmParams, key) != nullptr) continue;
    out.default_params[key] = yaml::ToJson(member.value);
  }
  if (const auto* body = ReadMap(params, "extra_body")) {
    out.extra_body = yaml::ToJson(*body).get_object();
  }
}

void ReadTls(const yaml::Node& params, const ProxySettings& proxy, Deployment& out) {
  out.tls_verify = proxy.ssl_verify;
  out.ca_file = proxy.ca_file;
  const yaml::Node* verify = params.Find("ssl_verify");
  if (verify == nullptr || verify->IsNull()) return;
  if (const auto flag = AsBool(*verify)) {
    out.tls_verify = *flag;
  } else if (verify->IsString()) {
    out.tls_verify = true;
    out.ca_file = verify->text;
  }
}

std::string MockText(const yaml::Node& params) {
  const yaml::Node* node = params.Find("mock_response");
  if (node == nullptr || node->IsNull()) return "";
  if (node->IsString()) return node->text;
  std::string text;
  yaml::AppendJson(text, *node);
  return text;
}

}  // namespace

std::optional<Refusal> ReadTarget(LoadContext& context, const Row& row, Deployment& out) {
  out.model_name = row.model_name;
  out.litellm_model = ReadString(row.params, "model").value_or("");
  if (out.litellm_model.empty()) return Refusal{"model", "the value is empty or no string"};
  if (auto refusal = ReadProvider(context, row, out)) return refusal;
  if (auto refusal = ReadBase(context, row, out)) return refusal;
  ReadKey(context, row, out);
  if (!IsHeaderValue(out.api_key) || !IsHeaderValue(out.organization)) {
    return Refusal{"api_key", "holds a control character; a line break at its end, perhaps"};
  }
  return std::nullopt;
}

std::optional<Refusal> ReadParameters(LoadContext& context, const Row& row,
                                      const Snapshot& snapshot, Deployment& out) {
  const yaml::Node& params = row.params;
  if (auto refusal = ReadSeconds(params, "timeout", out.timeout_s)) return refusal;
  if (auto refusal = ReadSeconds(params, "stream_timeout", out.stream_timeout_s)) return refusal;
  if (auto refusal = ReadSeconds(params, "request_timeout", out.request_timeout_s)) return refusal;
  if (auto refusal = ReadCounts(params, out)) return refusal;
  if (auto refusal = ReadPeriods(context, row, out)) return refusal;
  out.cooldown_time_s = ReadNumber(params, "cooldown_time");  // 0 means: never
  if (out.cooldown_time_s && *out.cooldown_time_s < 0) {
    return Refusal{"cooldown_time", "expected a number that is not negative"};
  }
  out.tags = ReadStrings(params, "tags");
  if (auto refusal = ReadHeaders(params, "headers", out)) return refusal;
  if (auto refusal = ReadHeaders(params, "extra_headers", out)) return refusal;
  ReadRequestDefaults(params, out);
  out.drop_params = ReadBool(params, "drop_params");
  out.additional_drop_params = ReadStrings(params, "additional_drop_params");
  out.allowed_openai_params = ReadStrings(params, "allowed_openai_params");
  ReadTls(params, snapshot.proxy, out);
  out.mock_response = MockText(params);
  out.base_model = ReadString(params, "base_model").value_or("");
  out.shown_params = ShowParams(params);
  (void)context;
  return std::nullopt;
}

namespace {

void ReadIdentity(const Row& row, Deployment& out) {
  const auto id = ReadText(row.info, "id");
  if (id && !id->empty()) {
    out.id = *id + row.id_suffix;
  } else {
    out.id = Sha256Hex(row.hash_text);
  }
  if (row.info.IsMapping()) out.model_info = yaml::ToJson(row.info).get_object();
  out.model_info["id"] = out.id;
}

void ReadPrices(const Row& row, Deployment& out) {
  for (const PriceField& field : kPriceFields) {
    auto value = ReadNumber(row.params, field.name);
    if (!value) value = ReadNumber(row.info, field.name);
    if (value && *value >= 0) {
      out.price.*field.member = value;
      out.has_custom_price = true;
    }
  }
}

void ReadProbes(LoadContext& context, const Row& row, Deployment& out) {
  out.health_check_model = ReadString(row.info, "health_check_model").value_or("");
  SetIf(EnvNumber(context, "HEALTH_CHECK_TIMEOUT_SECONDS"), out.health_check_timeout_s);
  const auto timeout = ReadNumber(row.info, "health_check_timeout");
  if (timeout && *timeout > 0) out.health_check_timeout_s = *timeout;
  SetIf(ReadBool(row.info, "disable_background_health_check"), out.disable_background_health_check);
}

}  // namespace

void ReadModelInfo(LoadContext& context, const Row& row, const Snapshot& snapshot,
                   Deployment& out) {
  ReadIdentity(row, out);
  if (const auto base = ReadString(row.info, "base_model")) out.base_model = *base;
  if (!out.order) out.order = ReadInt(row.info, "order");
  if (const auto cooldown = ReadNumber(row.info, "cooldown_time"); cooldown && *cooldown >= 0) {
    out.cooldown_time_s = cooldown;
  }
  out.allowed_fails = ReadInt(row.info, "allowed_fails");
  if (const auto rpm = ReadInt(row.info, "rpm"); rpm && *rpm > 0) out.info_rpm = rpm;
  if (const auto tpm = ReadInt(row.info, "tpm"); tpm && *tpm > 0) out.info_tpm = tpm;
  SetIf(ReadBool(row.info, "blocked"), out.blocked);
  ReadProbes(context, row, out);
  ReadPrices(row, out);
  out.facts = out.base_model.empty()
                  ? FindModelFacts(snapshot.model_facts, out.provider, out.upstream_model)
                  : FindBaseModelFacts(snapshot.model_facts, out.provider, out.base_model);
  out.facts_of_base_model = out.facts != nullptr && !out.base_model.empty();
  if (out.facts == nullptr && !out.base_model.empty()) {
    out.facts = FindModelFacts(snapshot.model_facts, out.provider, out.upstream_model);
  }
  ReadDecisionFields(context, row, out);
  out.mode = ReadString(row.info, "mode").value_or(out.facts == nullptr ? "" : out.facts->mode);
}

}  // namespace gw::config
