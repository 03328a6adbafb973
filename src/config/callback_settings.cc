// Which callbacks take single requests, of which outcome, and where do they send them?
#include "config/callback_settings.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/load_context.h"
#include "config/receiver_values.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

// Receivers that LiteLLM knows by name: a generic_api with an address from the environment.
struct NamedReceiver {
  std::string_view name, url_variable, fixed_url, key_variable, key_header;
  GenericApiSettings::Format format = GenericApiSettings::Format::kJsonArray;
  bool success_only = false;
};

constexpr std::array<NamedReceiver, 4> kNamedReceivers = {{
    {"rubrik", "RUBRIK_WEBHOOK_URL", "", "RUBRIK_API_KEY", "Authorization",
     GenericApiSettings::Format::kJsonArray, true},
    {"sumologic", "SUMOLOGIC_WEBHOOK_URL", "", "", "", GenericApiSettings::Format::kNdjson, false},
    {"qualifire_eval", "QUALIFIRE_WEBHOOK_URL", "", "QUALIFIRE_API_KEY", "X-Qualifire-API-Key",
     GenericApiSettings::Format::kJsonArray, true},
    {"ramp", "", "https://api.ramp.com/developer/v1/ai-usage/litellm", "RAMP_API_KEY", "Authorization",
     GenericApiSettings::Format::kJsonArray, true},
}};

const NamedReceiver* FindNamed(std::string_view name) {
  const auto* found = std::find_if(kNamedReceivers.begin(), kNamedReceivers.end(),
                                   [name](const NamedReceiver& row) { return row.name == name; });
  return found == kNamedReceivers.end() ? nullptr : found;
}

class Reader {
 public:
  Reader(LoadContext& context, const yaml::Node& root)
      : context_(context),
        litellm_(SectionOf(root, "litellm_settings")),
        general_(SectionOf(root, "general_settings")),
        named_(SectionOf(root, "callback_settings")) {}

  CallbackSettings Read() {
    ReadCommon();
    for (const std::string& name : Names()) Add(name, EventsOf(name));
    out_.alerts = ReadAlertSettings(context_, general_);
    if (out_.alerts) out_.alerts->flush_interval_s = out_.flush_interval_s;
    out_.any = out_.AnyPayload() || out_.alerts.has_value();
    out_.wants_content = out_.AnyPayload();
    out_.wants_starts = out_.alerts && out_.alerts->Has("llm_requests_hanging");
    return std::move(out_);
  }

 private:
  // Blanks around a credential come from files; inside it nothing may end a line.
  std::string Env(std::string_view names) const {
    std::string value(Trim(context_.env.FirstOf(names).value_or("")));
    if (!HasControlCharacter(value)) return value;
    context_.Error(litellm_.place, "litellm_settings.callbacks", std::string(names) + " holds a control character");
    return "";
  }

  void Refuse(std::string_view name, std::string_view variable) const {
    context_.Error(litellm_.place, Join("litellm_settings.callbacks", name),
                   std::string(variable) + " is not set: the callback '" + std::string(name) + "' is left out");
  }

  bool Lists(std::string_view key, std::string_view name) const {
    const auto names = ReadStrings(litellm_, key);
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  CallbackEvents EventsOf(std::string_view name) const {
    const bool both = Lists("callbacks", name);
    return {both || Lists("success_callback", name), both || Lists("failure_callback", name)};
  }

  // Of all lists, each once, in the order of appearance.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const std::string_view key : {"callbacks", "success_callback", "failure_callback"}) {
      for (std::string& name : ReadStrings(litellm_, key)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
      }
    }
    return names;
  }

  void ReadCommon() {
    const auto batch = EnvInt(context_, "DEFAULT_BATCH_SIZE");
    if (batch && *batch > 0) out_.batch_size = static_cast<int>(std::min<int64_t>(*batch, 100'000));
    const auto interval = EnvNumber(context_, "DEFAULT_FLUSH_INTERVAL_SECONDS");
    if (interval && *interval > 0) out_.flush_interval_s = std::min(*interval, 3600.0);
    out_.proxy_base_url = Env("PROXY_BASE_URL");
    SetIf(ReadBool(litellm_, "turn_off_message_logging"), out_.turn_off_message_logging);
    SetIf(ReadBool(litellm_, "redact_user_api_key_info"), out_.redact_user_api_key_info);
    SetIf(ReadBool(litellm_, "global_disable_no_log_param"), out_.ignore_no_log);
    out_.user_agent_tags = !ReadBool(litellm_, "disable_add_user_agent_to_request_tags").value_or(false);
    DatadogSource& source = out_.datadog_source;
    const auto set = [this](std::string_view variable, std::string& target) {
      if (const auto value = context_.env.Get(variable)) target = *value;
    };
    set("DD_ENV", source.env);
    set("DD_SERVICE", source.service);
    set("DD_VERSION", source.version);
    set("HOSTNAME", source.hostname);
    set("POD_NAME", source.pod_name);
  }

  void Add(const std::string& name, CallbackEvents events) {
    if (IsGenericCallback(named_, name)) {
      AddConfigured(name, events);
    } else if (const NamedReceiver* receiver = FindNamed(name)) {
      AddNamed(*receiver, events);
    } else if (name == "generic_api") {
      AddGeneric(name, Env("GENERIC_LOGGER_ENDPOINT"), "GENERIC_LOGGER_ENDPOINT", {}, events);
    } else if (name == "s3_v2" || name == "s3") {
      out_.s3 = ReadS3Settings(context_, litellm_);
      out_.s3_events = {out_.s3_events.success || events.success, out_.s3_events.failure || events.failure};
    } else if (name == "langfuse") {
      AddLangfuse(events);
    } else if (name == "datadog") {
      AddDatadog(events);
    } else if (name == "datadog_metrics") {
      AddDatadogMetrics(events);
    }
  }

  // GENERIC_LOGGER_HEADERS ("a=b,c=d") count for every receiver; what it sets itself wins.
  HeaderList WithCommonHeaders(HeaderList own) const {
    const std::string text = Env("GENERIC_LOGGER_HEADERS");
    for (const std::string_view item : Split(text, ',')) {
      const size_t equals = item.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view name = Trim(item.substr(0, equals));
      const bool is_set = std::any_of(own.begin(), own.end(),
                                      [name](const auto& header) { return EqualsIgnoreCase(header.first, name); });
      if (!is_set && !name.empty()) own.emplace_back(std::string(name), std::string(Trim(item.substr(equals + 1))));
    }
    return own;
  }

  // What cannot stand in a request's head is left out and named.
  HeaderList Usable(HeaderList headers, std::string_view where) const {
    for (auto& [name, value] : headers) value = std::string(Trim(value));
    std::erase_if(headers, [&](const auto& header) {
      if (IsConfigurableHeader(header.first) && !HasControlCharacter(header.second)) return false;
      const bool can_be_named = !HasControlCharacter(header.first) && header.first.size() <= 100;
      context_.Error(litellm_.place, std::string(where),
                     "the header '" + (can_be_named ? header.first : std::string("?")) +
                         "' cannot be set (a name that is ours or none, or a control character) and is left out");
      return true;
    });
    return headers;
  }

  GenericApiSettings* AddGeneric(const std::string& name, const std::string& url, std::string_view where,
                                 HeaderList headers, CallbackEvents events) {
    if (!IsUsableAddress(url)) {
      Refuse(name, url.empty() ? std::string(where) : "a usable http address (" + std::string(where) + ")");
      return nullptr;
    }
    GenericApiSettings api;
    api.name = name;
    api.url = Trim(url);
    api.events = events;
    const bool is_named = where.starts_with("callback_settings.");
    api.headers = Usable(std::move(headers), is_named ? Join(Join("callback_settings", name), "headers") : where);
    api.headers = Usable(WithCommonHeaders(std::move(api.headers)), "GENERIC_LOGGER_HEADERS");
    out_.generic.push_back(std::move(api));
    return &out_.generic.back();
  }

  void AddNamed(const NamedReceiver& receiver, CallbackEvents events) {
    const std::string url = receiver.fixed_url.empty() ? Env(receiver.url_variable) : std::string(receiver.fixed_url);
    HeaderList headers;
    if (!receiver.key_variable.empty()) {
      const std::string key = Env(receiver.key_variable);
      if (key.empty()) return Refuse(receiver.name, receiver.key_variable);
      headers.emplace_back(receiver.key_header, receiver.key_header == "Authorization" ? "Bearer " + key : key);
    }
    auto* api = AddGeneric(std::string(receiver.name), url, receiver.url_variable, std::move(headers), events);
    if (api == nullptr) return;
    api->format = receiver.format;
    if (receiver.success_only) api->events.failure = false;
  }

  // callback_settings.<name> with callback_type: generic_api.
  void AddConfigured(const std::string& name, CallbackEvents events) {
    const yaml::Node& node = *named_.Find(name);
    const std::string path = Join("callback_settings", name);
    HeaderList headers;
    for (const yaml::Member& member : SectionOf(node, "headers").members) {
      headers.emplace_back(yaml::KeyText(member.key), member.value.IsNull() ? "" : yaml::KeyText(member.value));
    }
    if (const yaml::Node* types = node.Find("event_types"); types != nullptr && types->IsSequence()) {
      const auto wanted = ReadStrings(node, "event_types");
      const auto has = [&wanted](std::string_view type) {
        return std::find(wanted.begin(), wanted.end(), type) != wanted.end();
      };
      events = {events.success && has("llm_api_success"), events.failure && has("llm_api_failure")};
    }
    const std::string where = Join(path, "endpoint");
    const std::string endpoint(Trim(ReadString(node, "endpoint").value_or("")));
    auto* api = AddGeneric(name, endpoint, where, std::move(headers), events);
    if (api == nullptr) return;
    const std::string format = ReadString(node, "log_format").value_or("json_array");
    if (format == "ndjson") api->format = GenericApiSettings::Format::kNdjson;
    if (format == "single") api->format = GenericApiSettings::Format::kSingle;
    if (format != "ndjson" && format != "single" && format != "json_array") {
      context_.Error(node.place, Join(path, "log_format"), "not one of json_array, ndjson, single; json_array is used");
    }
    if (const auto retries = Narrow(ReadInt(node, "max_retries"))) api->retries_max = std::clamp(*retries, 0, 100);
    if (const auto delay = ReadNumber(node, "retry_delay"); delay && *delay > 0) api->retry_delay_s = std::min(*delay, 60.0);
    if (const auto timeout = ReadNumber(node, "timeout"); timeout && *timeout > 0) api->timeout_s = std::min(*timeout, 600.0);
  }

  void AddLangfuse(CallbackEvents events) {
    LangfuseSettings langfuse;
    langfuse.events = events;
    langfuse.public_key = Env("LANGFUSE_PUBLIC_KEY");
    langfuse.secret_key = Env("LANGFUSE_SECRET_KEY");
    if (langfuse.public_key.empty()) return Refuse("langfuse", "LANGFUSE_PUBLIC_KEY");
    if (langfuse.secret_key.empty()) return Refuse("langfuse", "LANGFUSE_SECRET_KEY");
    langfuse.host = Env("LANGFUSE_HOST,LANGFUSE_BASE_URL");
    if (langfuse.host.empty()) langfuse.host = "https://cloud.langfuse.com";
    if (langfuse.host.find("://") == std::string::npos) langfuse.host.insert(0, "http://");
    while (langfuse.host.ends_with('/')) langfuse.host.pop_back();
    if (!IsUsableAddress(langfuse.host)) return Refuse("langfuse", "a usable http address (LANGFUSE_HOST)");
    langfuse.environment = Env("LANGFUSE_TRACING_ENVIRONMENT");
    langfuse.release = Env("LANGFUSE_RELEASE");
    const auto interval = EnvNumber(context_, "LANGFUSE_FLUSH_INTERVAL");
    if (interval && *interval > 0) langfuse.flush_interval_s = std::min(*interval, 3600.0);
    langfuse.default_tags = ReadStrings(litellm_, "langfuse_default_tags");
    out_.langfuse = std::move(langfuse);
  }

  // DD_BASE_URL stands for the whole address in front of /api/v2.
  void AddDatadog(CallbackEvents events) {
    DatadogSettings datadog;
    datadog.events = events;
    datadog.api_key = Env("DD_API_KEY");
    const std::string agent = Env("LITELLM_DD_AGENT_HOST"), site = Env("DD_SITE"), base = Env("DD_BASE_URL");
    if (!agent.empty()) {
      const std::string port = context_.env.FirstOf("LITELLM_DD_AGENT_PORT").value_or("10518");
      datadog.url = "http://" + agent + ":" + port + "/api/v2/logs";
    } else {
      if (datadog.api_key.empty()) return Refuse("datadog", "DD_API_KEY");
      if (site.empty()) return Refuse("datadog", "DD_SITE");
      datadog.url = "https://http-intake.logs." + site + "/api/v2/logs";
    }
    if (!base.empty()) datadog.url = base + "/api/v2/logs";
    if (!IsUsableAddress(datadog.url)) return Refuse("datadog", "a usable http address (DD_BASE_URL, DD_SITE)");
    if (const auto source = context_.env.Get("DD_SOURCE")) datadog.ddsource = *source;
    if (const auto size = EnvInt(context_, "DD_BATCH_SIZE")) {
      datadog.batch_size = static_cast<int>(std::clamp<int64_t>(*size, 1, 1000));
    }
    out_.datadog = std::move(datadog);
  }

  void AddDatadogMetrics(CallbackEvents events) {
    DatadogMetricsSettings metrics;
    metrics.events = events;
    metrics.api_key = Env("DD_API_KEY");
    if (metrics.api_key.empty()) return Refuse("datadog_metrics", "DD_API_KEY");
    metrics.app_key = Env("DD_APP_KEY");
    const std::string site = Env("DD_SITE"), base = Env("DD_BASE_URL");
    metrics.url = (base.empty() ? "https://api." + (site.empty() ? "datadoghq.com" : site) : base) + "/api/v2/series";
    if (!IsUsableAddress(metrics.url)) {
      return Refuse("datadog_metrics", "a usable http address (DD_BASE_URL, DD_SITE)");
    }
    out_.datadog_metrics = std::move(metrics);
  }

  LoadContext& context_;
  const yaml::Node &litellm_, &general_, &named_;
  CallbackSettings out_;
};

}  // namespace

bool IsPayloadCallback(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"generic_api", "s3",      "s3_v2",
                                                      "langfuse",    "datadog", "datadog_metrics"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || FindNamed(name) != nullptr;
}

bool IsGenericCallback(const yaml::Node& callback_settings, std::string_view name) {
  const yaml::Node* node = callback_settings.IsMapping() ? callback_settings.Find(name) : nullptr;
  return node != nullptr && node->IsMapping() && ReadString(*node, "callback_type") == "generic_api";
}

CallbackSettings ReadCallbackSettings(LoadContext& context, const yaml::Node& root, const std::vector<std::string>&) {
  return Reader(context, root).Read();
}

}  // namespace gw::config
