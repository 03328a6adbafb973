#include "translate/ollama_request.h"

#include <array>

#include "base/json.h"
#include "base/strings.h"
#include "translate/chat_event.h"
#include "translate/dialect_params.h"
#include "translate/error_map.h"
#include "translate/message_parts.h"
#include "translate/ollama_generate.h"

namespace gw::translate {

namespace {

constexpr auto kSupported = std::to_array<std::string_view>(
    {"messages", "prompt", "model", "stream", "max_tokens", "max_completion_tokens", "temperature",
     "top_p", "seed", "stop", "frequency_penalty", "response_format", "tools", "tool_choice",
     "functions", "function_call", "reasoning_effort", "thinking",
     // Of the completions schema; without a meaning for Ollama, and without harm.
     "echo", "best_of", "suffix"});

// Members of the Ollama body that are written apart from options.
constexpr auto kNotOptions = std::to_array<std::string_view>(
    {"messages", "prompt", "model", "stream", "response_format", "tools", "tool_choice",
     "functions",
     "function_call", "reasoning_effort", "thinking", "think", "format", "echo", "best_of",
     "suffix"});

bool IsNotOption(std::string_view key) {
  for (const std::string_view name : kNotOptions) {
    if (name == key) return true;
  }
  return false;
}

std::string_view OptionName(std::string_view key, bool chat_dialect) {
  if (key == "max_tokens" || key == "max_completion_tokens") return "num_predict";
  // compat: ollama_chat/ renames it although the scales differ; ollama/ leaves the name alone.
  if (key == "frequency_penalty" && chat_dialect) return "repeat_penalty";
  return key;
}

void AppendOptions(const RequestParams& params, bool chat_dialect, std::string& out) {
  const bool has_newer_limit = !params.Find("max_completion_tokens").empty();
  out += "\"options\":{";
  bool first = true;
  for (const RequestParam& param : params.all()) {
    if (IsNotOption(param.key)) continue;
    if (param.key == "keep_alive" && chat_dialect) continue;
    if (param.key == "max_tokens" && has_newer_limit) continue;
    if (!first) out += ',';
    first = false;
    json::AppendQuoted(out, OptionName(param.key, chat_dialect));
    out += ':';
    // Ollama refuses a stop that is not a list.
    const bool wrap = param.key == "stop" && json::KindOf(param.value) == json::Kind::kString;
    if (wrap) out += '[';
    out += param.value;
    if (wrap) out += ']';
  }
  out += '}';
}

// The value of "format", or "" when the answer's form is free.
std::string_view FormatOf(const RequestParams& params) {
  const std::string_view own = params.Find("format");
  if (!own.empty()) return own;
  const std::string_view wanted = params.Find("response_format");
  if (json::KindOf(wanted) != json::Kind::kObject) return {};
  const std::string type = json::Unquote(json::Find(wanted, "type").value_or("\"\""));
  if (type == "json_object") return "\"json\"";
  if (type != "json_schema") return {};
  const auto schema = json::Find(wanted, "json_schema");
  if (!schema || json::KindOf(*schema) != json::Kind::kObject) return "\"json\"";
  return json::Find(*schema, "schema").value_or("\"json\"");
}

// The value of "think", or "" to leave it to the model.
std::string_view ThinkOf(const RequestParams& params, std::string_view model) {
  const std::string_view own = params.Find("think");
  if (!own.empty()) return own;
  const std::string_view effort = params.Find("reasoning_effort");
  if (json::KindOf(effort) == json::Kind::kString) {
    if (effort == "\"none\"") return "false";
    // compat: gpt-oss takes the level itself.
    return model.starts_with("gpt-oss") ? effort : "true";
  }
  const std::string_view thinking = params.Find("thinking");
  if (json::KindOf(thinking) != json::Kind::kObject) return {};
  return json::Find(thinking, "type").value_or("") == "\"enabled\"" ? "true" : "false";
}

void AppendTools(const RequestParams& params, std::string& out) {
  const std::string_view tools = params.Find("tools");
  const std::string_view functions = params.Find("functions");
  if (json::KindOf(tools) == json::Kind::kArray) {
    out += ",\"tools\":";
    out += tools;
    return;
  }
  if (functions.empty() || json::KindOf(functions) != json::Kind::kArray) return;
  out += ",\"tools\":[";
  bool first = true;
  for (json::ElementCursor c(functions); c.Next();) {
    out += first ? "{\"type\":\"function\",\"function\":" : ",{\"type\":\"function\",\"function\":";
    out += c.value();
    out += '}';
    first = false;
  }
  out += ']';
}

void AppendTail(const RequestParams& params, const AttemptTarget& target, bool stream,
                bool chat_dialect, std::string& out) {
  out += stream ? ",\"stream\":true" : ",\"stream\":false";
  if (const auto format = FormatOf(params); !format.empty()) {
    out += ",\"format\":";
    out += format;
  }
  if (const auto think = ThinkOf(params, target.upstream_model); !think.empty()) {
    out += ",\"think\":";
    out += think;
  }
  if (const auto keep = params.Find("keep_alive"); chat_dialect && !keep.empty()) {
    out += ",\"keep_alive\":";
    out += keep;
  }
  for (const auto& member : target.deployment->extra_body) {
    out += ',';
    json::AppendQuoted(out, {member.key().data(), member.key().size()});
    out += ':';
    out += json::Serialize(member.value());
  }
  out += '}';
}

// [{"id","function":{"name","arguments":{...}}}]
Result<void> AppendToolCalls(const Message& message, const AttemptTarget& target,
                             std::string& out) {
  out += ",\"tool_calls\":[";
  bool first = true;
  for (json::ElementCursor c(message.tool_calls); c.Next();) {
    const ToolCallParts call = ReadToolCall(c.value());
    const std::string arguments = call.ArgumentsObject();
    if (arguments.empty()) {
      return MapUnsupported(*target.deployment,
                            "the arguments of a tool call in 'messages' are not a JSON object");
    }
    if (!first) out += ',';
    first = false;
    out += '{';
    if (!call.id.empty()) {
      out += "\"id\":";
      out += call.id;
      out += ',';
    }
    out += "\"function\":{\"name\":";
    out += call.name.empty() ? "\"\"" : call.name;
    out += ",\"arguments\":";
    out += arguments;
    out += "}}";
  }
  out += ']';
  return {};
}

// The escaped base64 of an image part; "" when it is not inline.
std::string_view InlineImage(std::string_view url) {
  const std::string_view text = EscapedContent(url);
  if (text.starts_with("data:")) {
    const size_t comma = text.find(',');
    return comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return text.starts_with("http") ? std::string_view() : text;
}

Result<void> AppendMessage(const Message& message, const AttemptTarget& target, std::string& out) {
  out += "{\"role\":\"";
  out += message.role == Role::kTool ? "tool" : RoleName(message.role);
  out += "\",\"content\":\"";
  ForEachText(message.content, [&out](std::string_view escaped) { out += escaped; });
  out += "\",\"images\":[";
  bool first = true;
  bool refused = false;
  ForEachImageUrl(message.content, [&](std::string_view url) {
    const std::string_view data = InlineImage(url);
    refused = refused || data.empty();
    out += first ? "\"" : ",\"";
    out += data;
    out += '"';
    first = false;
  });
  if (refused) {
    return MapUnsupported(*target.deployment,
                          "images must be inline data URLs for Ollama; links are not fetched");
  }
  out += ']';
  if (json::KindOf(message.reasoning) == json::Kind::kString && message.reasoning.size() > 2) {
    out += ",\"thinking\":";
    out += message.reasoning;
  }
  if (message.HasToolCalls()) {
    if (auto done = AppendToolCalls(message, target, out); !done) return done;
  }
  if (message.role == Role::kTool && json::KindOf(message.tool_call_id) == json::Kind::kString) {
    out += ",\"tool_call_id\":";
    out += message.tool_call_id;
  }
  out += '}';
  return {};
}

Result<void> AppendMessages(std::string_view messages, const AttemptTarget& target,
                            std::string& out) {
  out += ",\"messages\":[";
  bool first = true;
  for (json::ElementCursor c(messages); c.Next();) {
    if (!first) out += ',';
    first = false;
    if (auto done = AppendMessage(ReadMessage(c.value()), target, out); !done) return done;
  }
  out += "],";
  return {};
}

bool NeedsChatRoute(const RequestParams& params, std::string_view messages) {
  if (!params.Find("tools").empty() || !params.Find("functions").empty()) return true;
  for (json::ElementCursor c(messages); c.Next();) {
    const Message message = ReadMessage(c.value());
    if (message.role == Role::kTool || message.HasToolCalls()) return true;
    bool has_image = false;
    ForEachImageUrl(message.content, [&has_image](std::string_view) { has_image = true; });
    if (has_image) return true;
  }
  return false;
}

}  // namespace

UpstreamRequest StartOllamaRequest(const AttemptTarget& target, std::string_view suffix) {
  UpstreamRequest request;
  const config::Deployment& deployment = *target.deployment;
  if (!std::string_view(deployment.origin.base_path).ends_with(suffix)) request.path = suffix;
  if (!deployment.api_key.empty()) {
    request.headers.emplace_back("authorization", "Bearer " + deployment.api_key);
  }
  for (const auto& header : deployment.extra_headers) request.headers.push_back(header);
  return request;
}

Result<UpstreamRequest> BuildOllamaRequest(const ClientRequest& request,
                                           const AttemptTarget& target, OllamaRoute* route) {
  RequestParams params(request, target);
  if (auto kept = params.KeepSupported(kSupported, target); !kept) return kept.error();
  const bool chat_dialect = target.deployment->row == nullptr ||
                            target.deployment->row->dialect == config::Dialect::kOllamaChat;
  const std::string_view messages = params.Find("messages");
  const std::string_view prompt = params.Find("prompt");
  const bool raw_prompt = messages.empty() && json::KindOf(prompt) == json::Kind::kString;
  if (!raw_prompt && !IsMessageList(messages)) {
    return MapUnsupported(*target.deployment, "'messages' must be a list of objects");
  }
  *route = chat_dialect || (!raw_prompt && NeedsChatRoute(params, messages))
               ? OllamaRoute::kChat
               : OllamaRoute::kGenerate;
  std::string body;
  body.reserve(request.body.size() + 256);
  body += "{\"model\":";
  json::AppendQuoted(body, target.upstream_model);
  if (*route == OllamaRoute::kChat) {
    if (auto done = AppendMessages(messages, target, body); !done) return done.error();
  } else if (raw_prompt) {
    body += ",\"prompt\":";
    body += prompt;
    body += ",\"images\":[],";
  } else {
    body += ",\"prompt\":\"";
    AppendGeneratePrompt(messages, body);
    body += "\",\"images\":[],";
  }
  AppendOptions(params, chat_dialect, body);
  if (*route == OllamaRoute::kChat) AppendTools(params, body);
  AppendTail(params, target, request.stream, chat_dialect, body);
  UpstreamRequest out = StartOllamaRequest(
      target, *route == OllamaRoute::kChat ? "/api/chat" : "/api/generate");
  out.body.AppendOwned(std::move(body));
  return out;
}

}  // namespace gw::translate
