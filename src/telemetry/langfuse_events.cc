// Which trace does a request belong to, and how is it told to Langfuse?
#include "telemetry/langfuse_events.h"

#include <algorithm>

#include "base/strings.h"
#include "telemetry/payload.h"

namespace gw::telemetry {
namespace {

std::string Iso(const RequestRecord& record, TimePoint point) {
  return UtcMicros(record.UnixNs(point), "{:%Y-%m-%dT%H:%M:%S.}") + "Z";
}

json::Value Member(const json::Object& object, std::string_view key) {
  const json::Value* value = json::Get(object, key);
  return value == nullptr ? json::Value(nullptr) : *value;
}

// "true", "1", true; other texts count as true, as Python has it.
bool IsSet(const json::Value& value) {
  if (value.is_bool()) return value.get_bool();
  if (!value.is_string()) return false;
  const std::string text = ToLower(std::string_view(value.get_string().data(), value.get_string().size()));
  return !text.empty() && text != "false" && text != "0" && text != "no" && text != "off";
}

// The client's metadata, with its langfuse_* headers over it.
json::Object Steering(const LoggedRequest& request) {
  json::Object out = request.metadata;
  for (const auto& [name, value] : request.record.headers) {
    if (name.starts_with("langfuse_")) out[name.substr(9)] = value;
  }
  return out;
}

json::Array Tags(const LoggedRequest& request, const json::Object& steering, std::string_view proxy_base_url) {
  json::Array tags;
  for (const std::string& tag : request.tags) tags.emplace_back(tag);
  const auto add = [&tags](const std::string& key, const json::Value& value) {
    const std::string text = value.is_string() ? std::string(value.get_string()) : json::Serialize(value);
    tags.emplace_back(key + ":" + text);
  };
  for (const std::string& key : request.settings.langfuse->default_tags) {
    if (key == "cache_hit") {
      tags.emplace_back(request.record.from_cache ? "cache_hit:True" : "cache_hit:False");
    } else if (key == "cache_key") {
      tags.emplace_back("cache_key:" + (request.record.cache_key.empty() ? "None" : request.record.cache_key));
    } else if (key == "proxy_base_url") {
      if (!proxy_base_url.empty()) tags.emplace_back("proxy_base_url:" + std::string(proxy_base_url));
    } else if (const json::Value* value = json::Get(steering, key)) {
      add(key, *value);
    }
  }
  return tags;
}

// What the model was asked: messages, tools and functions together.
json::Value Input(const json::Object& payload) {
  json::Object out{{"messages", Member(payload, "messages")}};
  const json::Value parameters = Member(payload, "model_parameters");
  if (!parameters.is_object()) return out;
  for (const std::string_view key : {"functions", "tools"}) {
    if (parameters.get_object().contains(key)) out[key] = parameters.get_object().at(key);
  }
  return out;
}

json::Value Output(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) {
  if (!event.success) return json::Value(request.ErrorText(event));
  if (request.record.endpoint == api::Endpoint::kEmbeddings) return nullptr;
  const json::Value answer = Member(payload, "response");
  const json::Value* choices = answer.is_object() ? json::Get(answer.get_object(), "choices") : nullptr;
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return answer;
  const json::Value& first = choices->get_array()[0];
  if (!first.is_object()) return answer;
  return first.get_object().contains("message") ? Member(first.get_object(), "message")
                                                : Member(first.get_object(), "text");
}

json::Object ModelParametersOf(const json::Object& payload) {
  json::Object out;
  const json::Value all = Member(payload, "model_parameters");
  if (!all.is_object()) return out;
  for (const auto& member : all.get_object()) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key == "functions" || key == "tools") continue;
    const bool is_plain = member.value().is_string() || member.value().is_number() || member.value().is_bool();
    out[key] = is_plain ? member.value() : json::Value(json::Serialize(member.value()));
  }
  return out;
}

void AddUsage(const RequestRecord& r, json::Object& body) {
  const api::Usage& usage = r.usage;
  body["usage"] = json::Object{{"input", usage.prompt_tokens},   {"output", usage.completion_tokens},
                               {"total", usage.total_tokens},    {"unit", "TOKENS"},
                               {"totalCost", r.cost_usd}};
  body["usageDetails"] = json::Object{{"input", usage.prompt_tokens - usage.cached_tokens},
                                      {"output", usage.completion_tokens},
                                      {"total", usage.total_tokens},
                                      {"cache_creation_input_tokens", usage.cache_creation_tokens},
                                      {"cache_read_input_tokens", usage.cached_tokens}};
  body["costDetails"] = json::Object{{"total", r.cost_usd}};
}

json::Object GenerationMetadata(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) {
  json::Object out;
  if (const json::Value metadata = Member(payload, "metadata"); metadata.is_object()) out = metadata.get_object();
  out["litellm_response_cost"] = Member(payload, "response_cost");
  out["hidden_params"] = Member(payload, "hidden_params");
  out["api_base"] = Member(payload, "api_base");
  out["cache_hit"] = event.success && request.record.from_cache;
  out["litellm_call_id"] = request.record.call_id;
  out["response_id"] = Member(payload, "id");
  return out;
}

// Of `steering`: what is set under the first key that is there.
json::Value First(const json::Object& steering, std::string_view a, std::string_view b) {
  return steering.contains(a) ? Member(steering, a) : Member(steering, b);
}

void SetIfThere(json::Object& target, std::string_view name, json::Value value) {
  if (!value.is_null()) target[name] = std::move(value);
}

// An existing trace is only named: its own fields are not overwritten.
json::Object TraceBody(const LoggedRequest& request, const json::Object& steering, const json::Object& generation,
                       const json::Value& trace_id, json::Array tags) {
  json::Object body{{"id", trace_id}};
  if (steering.contains("existing_trace_id")) return body;
  const config::LangfuseSettings& settings = *request.settings.langfuse;
  const json::Value name = Member(steering, "trace_name");
  body["name"] = name.is_null() ? json::Value("litellm-" + std::string(CallType(request.record.endpoint))) : name;
  body["timestamp"] = generation.at("startTime");
  body["input"] = generation.at("input");
  body["output"] = generation.at("output");
  body["tags"] = std::move(tags);
  SetIfThere(body, "sessionId", Member(steering, "session_id"));
  json::Value user = Member(steering, "trace_user_id");
  if (user.is_null() && !request.settings.redact_user_api_key_info && !request.EndUser().empty()) user = request.EndUser();
  SetIfThere(body, "userId", std::move(user));
  SetIfThere(body, "version", First(steering, "trace_version", "version"));
  json::Value release = Member(steering, "trace_release");
  if (release.is_null() && !settings.release.empty()) release = settings.release;
  SetIfThere(body, "release", std::move(release));
  SetIfThere(body, "metadata", Member(steering, "trace_metadata"));
  if (steering.contains("trace_public")) body["public"] = IsSet(Member(steering, "trace_public"));
  if (!settings.environment.empty()) body["environment"] = settings.environment;
  return body;
}

json::Value TraceIdOf(const LoggedRequest& request, const json::Object& steering) {
  for (const std::string_view key : {"existing_trace_id", "trace_id"}) {
    if (const json::Value id = Member(steering, key); id.is_string()) return id;
  }
  // compat: a session alone names no trace, each call gets one.
  const bool from_session = Member(steering, "session_id") == json::Value(request.trace_id);
  return json::Value(from_session ? request.record.call_id : request.trace_id);
}

std::string GenerationName(const LoggedRequest& request, const json::Object& steering) {
  const json::Value name = Member(steering, "generation_name");
  if (name.is_string()) return std::string(name.get_string());
  const std::string& alias = request.record.key_alias;
  if (!alias.empty() && !request.settings.redact_user_api_key_info) return "litellm:" + alias;
  return "litellm-" + std::string(CallType(request.record.endpoint));
}

json::Object Envelope(const std::string& id, std::string_view type, const json::Value& timestamp, json::Object body) {
  return {{"id", id}, {"type", type}, {"timestamp", timestamp}, {"body", std::move(body)}};
}

}  // namespace

LangfuseEvents MakeLangfuseEvents(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload,
                                  const std::string (&event_ids)[2], std::string_view proxy_base_url) {
  const RequestRecord& r = request.record;
  const json::Object steering = Steering(request);
  const json::Value trace_id = TraceIdOf(request, steering);
  json::Object body{{"traceId", trace_id}, {"name", GenerationName(request, steering)}};
  const json::Value id = Member(steering, "generation_id");
  body["id"] = id.is_string() ? id
                              : json::Value("time-" + UtcMicros(r.UnixNs(event.begin), "{:%H-%M-%S-}") + "_" +
                                            std::string(json::GetString(payload, "id")));
  body["startTime"] = Iso(r, event.begin);
  body["endTime"] = Iso(r, event.end);
  if (event.success) body["completionStartTime"] = Iso(r, event.first_content);
  body["model"] = Member(payload, "model");
  body["modelParameters"] = ModelParametersOf(payload);
  // An upstream's text may quote what is masked.
  const bool is_masked = IsSet(Member(steering, "mask_input")) || IsSet(Member(steering, "mask_output"));
  body["input"] = IsSet(Member(steering, "mask_input")) ? json::Value(kRedacted) : Input(payload);
  const bool hides_output = IsSet(Member(steering, "mask_output")) || (is_masked && !event.success);
  body["output"] = hides_output ? json::Value(kRedacted) : Output(request, event, payload);
  body["metadata"] = GenerationMetadata(request, event, payload);
  body["level"] = event.success ? "DEFAULT" : "ERROR";
  if (event.success) AddUsage(r, body);
  if (!event.success) body["statusMessage"] = is_masked ? std::string(event.error_class) : request.ErrorText(event);
  SetIfThere(body, "version", Member(steering, "version"));
  SetIfThere(body, "parentObservationId", Member(steering, "parent_observation_id"));
  const std::string& environment = request.settings.langfuse->environment;
  if (!environment.empty()) body["environment"] = environment;

  const json::Value now(Iso(r, r.finished));
  LangfuseEvents out;
  out.trace = Envelope(event_ids[0], "trace-create", now,
                       TraceBody(request, steering, body, trace_id, Tags(request, steering, proxy_base_url)));
  out.generation = Envelope(event_ids[1], "generation-create", now, std::move(body));
  return out;
}

}  // namespace gw::telemetry
