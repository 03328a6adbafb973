#include "translate/messages_request.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "translate/chat_event.h"

namespace gw::translate {

namespace {

// Members that have no counterpart, or one that is written by name.
constexpr auto kWrittenApart = std::to_array<std::string_view>(
    {"messages", "system", "tools", "tool_choice", "stop_sequences", "thinking", "metadata",
     "output_format", "output_config", "service_tier", "container", "mcp_servers",
     "context_management", "cache_control", "anthropic_version", "anthropic_beta", "betas",
     "inference_geo", "speed"});

struct EffortFloor {
  int64_t budget_tokens;
  std::string_view effort;
};
constexpr auto kEfforts = std::to_array<EffortFloor>(
    {{4'096, "high"}, {2'048, "medium"}, {1'024, "low"}, {0, "minimal"}});

std::string_view TypeOf(std::string_view block) { return EscapedContent(MemberOf(block, "type")); }

// Comma between the elements of a list that is being written.
void Separate(std::string& out) {
  if (!out.empty() && out.back() != '[') out += ',';
}

void AppendTextPart(std::string_view text_value, std::string& out) {
  Separate(out);
  out += "{\"type\":\"text\",\"text\":";
  out += text_value;
  out += '}';
}

// A data URL or link of an Anthropic source, escaped, without quotes.
void AppendSourceUrl(std::string_view source, std::string& out) {
  if (TypeOf(source) == "base64") {
    out += "data:";
    out += EscapedContent(MemberOf(source, "media_type"));
    out += ";base64,";
    out += EscapedContent(MemberOf(source, "data"));
  } else {
    out += EscapedContent(MemberOf(source, "url"));
  }
}

void AppendPart(std::string_view block, std::string& parts) {
  const std::string_view type = TypeOf(block);
  const std::string_view source = MemberOf(block, "source");
  if (type == "text") {
    const std::string_view text = MemberOf(block, "text");
    if (json::KindOf(text) == json::Kind::kString) AppendTextPart(text, parts);
  } else if (type == "image") {
    Separate(parts);
    parts += "{\"type\":\"image_url\",\"image_url\":{\"url\":\"";
    AppendSourceUrl(source, parts);
    parts += "\"}}";
  } else if (type == "document" && TypeOf(source) == "text") {
    const std::string_view text = MemberOf(source, "data");
    if (json::KindOf(text) == json::Kind::kString) AppendTextPart(text, parts);
  } else if (type == "document") {
    Separate(parts);
    parts += "{\"type\":\"file\",\"file\":{\"file_data\":\"";
    AppendSourceUrl(source, parts);
    parts += "\"}}";
  }
}

// The content of a tool_result as one escaped text; its images go to `parts`.
void AppendResultText(std::string_view content, std::string& out, std::string& parts) {
  if (json::KindOf(content) == json::Kind::kString) out += EscapedContent(content);
  if (json::KindOf(content) != json::Kind::kArray) return;
  for (json::ElementCursor c(content); c.Next();) {
    if (TypeOf(c.value()) == "text") out += EscapedContent(MemberOf(c.value(), "text"));
    else AppendPart(c.value(), parts);
  }
}

void AppendUser(std::string_view content, std::string& out) {
  if (json::KindOf(content) != json::Kind::kArray) {
    Separate(out);
    out += "{\"role\":\"user\",\"content\":";
    out += content.empty() ? "\"\"" : content;
    out += '}';
    return;
  }
  std::string parts;
  for (json::ElementCursor c(content); c.Next();) {
    if (TypeOf(c.value()) != "tool_result") {
      AppendPart(c.value(), parts);
      continue;
    }
    Separate(out);
    out += "{\"role\":\"tool\",\"tool_call_id\":\"";
    out += EscapedContent(MemberOf(c.value(), "tool_use_id"));
    out += "\",\"content\":\"";
    AppendResultText(MemberOf(c.value(), "content"), out, parts);
    out += "\"}";
  }
  if (parts.empty()) return;
  Separate(out);
  out += "{\"role\":\"user\",\"content\":[" + parts + "]}";
}

void AppendToolCall(std::string_view block, std::string& calls) {
  Separate(calls);
  calls += "{\"id\":\"";
  calls += EscapedContent(MemberOf(block, "id"));
  calls += "\",\"type\":\"function\",\"function\":{\"name\":\"";
  calls += EscapedContent(MemberOf(block, "name"));
  calls += "\",\"arguments\":";
  const std::string_view input = MemberOf(block, "input");
  json::AppendQuoted(calls, input.empty() ? "{}" : input);
  calls += "}}";
}

void AppendAssistant(std::string_view content, std::string& out) {
  std::string text;
  std::string calls;
  if (json::KindOf(content) == json::Kind::kString) text = EscapedContent(content);
  if (json::KindOf(content) == json::Kind::kArray) {
    for (json::ElementCursor c(content); c.Next();) {
      const std::string_view type = TypeOf(c.value());
      if (type == "text") text += EscapedContent(MemberOf(c.value(), "text"));
      if (type == "tool_use") AppendToolCall(c.value(), calls);
      // Thinking stays behind: other providers refuse messages with members they do not know.
    }
  }
  Separate(out);
  out += "{\"role\":\"assistant\",\"content\":";
  if (text.empty() && !calls.empty()) out += "null";
  else out += '"' + text + '"';
  if (!calls.empty()) out += ",\"tool_calls\":[" + calls + ']';
  out += '}';
}

void AppendMessages(std::string_view body, std::string& out) {
  out += "\"messages\":[";
  const std::string_view system = MemberOf(body, "system");
  if (json::KindOf(system) == json::Kind::kString && system.size() > 2) {
    out += "{\"role\":\"system\",\"content\":";
    out += system;
    out += '}';
  } else if (json::KindOf(system) == json::Kind::kArray) {
    std::string parts;
    for (json::ElementCursor c(system); c.Next();) AppendPart(c.value(), parts);
    if (!parts.empty()) out += "{\"role\":\"system\",\"content\":[" + parts + "]}";
  }
  const std::string_view messages = MemberOf(body, "messages");
  if (json::KindOf(messages) == json::Kind::kArray) {
    for (json::ElementCursor c(messages); c.Next();) {
      const std::string_view role = EscapedContent(MemberOf(c.value(), "role"));
      const std::string_view content = MemberOf(c.value(), "content");
      if (role == "assistant") AppendAssistant(content, out);
      else AppendUser(content, out);
    }
  }
  out += ']';
}

void AppendTools(std::string_view tools, std::string& out) {
  if (json::KindOf(tools) != json::Kind::kArray) return;
  std::string list;
  for (json::ElementCursor c(tools); c.Next();) {
    // Anthropic's own tools (web_search, bash, ...) have no schema and no counterpart.
    const std::string_view schema = MemberOf(c.value(), "input_schema");
    const std::string_view name = MemberOf(c.value(), "name");
    if (json::KindOf(schema) != json::Kind::kObject || name.empty()) continue;
    Separate(list);
    list += "{\"type\":\"function\",\"function\":{\"name\":";
    list += name;
    if (const auto text = MemberOf(c.value(), "description"); !text.empty()) {
      list += ",\"description\":";
      list += text;
    }
    list += ",\"parameters\":";
    list += schema;
    list += "}}";
  }
  if (!list.empty()) out += ",\"tools\":[" + list + ']';
}

void AppendToolChoice(std::string_view choice, std::string& out) {
  const std::string_view type = TypeOf(choice);
  if (type == "auto" || type == "none") {
    out += ",\"tool_choice\":\"";
    out += type;
    out += '"';
  } else if (type == "any") {
    out += ",\"tool_choice\":\"required\"";
  } else if (type == "tool") {
    out += ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"";
    out += EscapedContent(MemberOf(choice, "name"));
    out += "\"}}";
  }
  if (MemberOf(choice, "disable_parallel_tool_use") == "true") {
    out += ",\"parallel_tool_calls\":false";
  }
}

void AppendEffort(std::string_view body, std::string& out) {
  const std::string_view thinking = MemberOf(body, "thinking");
  const std::string_view type = TypeOf(thinking);
  std::string_view effort;
  if (type == "enabled") {
    const int64_t budget = json::ToInt(MemberOf(thinking, "budget_tokens")).value_or(0);
    for (const EffortFloor& row : kEfforts) {
      if (budget < row.budget_tokens) continue;
      effort = row.effort;
      break;
    }
  } else if (type == "adaptive") {
    effort = EscapedContent(MemberOf(MemberOf(body, "output_config"), "effort"));
  }
  if (effort.empty()) return;
  out += ",\"reasoning_effort\":\"";
  out += effort;
  out += '"';
}

void AppendFormat(std::string_view body, std::string& out) {
  std::string_view format = MemberOf(body, "output_format");
  if (format.empty()) format = MemberOf(MemberOf(body, "output_config"), "format");
  const std::string_view schema = MemberOf(format, "schema");
  if (TypeOf(format) != "json_schema" || json::KindOf(schema) != json::Kind::kObject) return;
  out += ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\","
         "\"schema\":";
  out += schema;
  out += "}}";
}

}  // namespace

std::string MessagesToChatBody(std::string_view body) {
  std::string out;
  out.reserve(body.size() + 512);
  out += '{';
  AppendMessages(body, out);
  for (json::MemberCursor c(body); c.Next();) {
    const json::Member& m = c.member();
    const bool apart = std::any_of(kWrittenApart.begin(), kWrittenApart.end(),
                                   [&m](std::string_view key) { return m.KeyIs(key); });
    if (apart) continue;
    out += ",\"";
    out += m.key;
    out += "\":";
    out += m.value;
  }
  AppendTools(MemberOf(body, "tools"), out);
  AppendToolChoice(MemberOf(body, "tool_choice"), out);
  if (const auto stop = MemberOf(body, "stop_sequences"); !stop.empty()) {
    out += ",\"stop\":";
    out += stop;
  }
  AppendEffort(body, out);
  AppendFormat(body, out);
  if (const auto user = MemberOf(MemberOf(body, "metadata"), "user_id"); !user.empty()) {
    out += ",\"user\":";
    out += user;
  }
  out += '}';
  return out;
}

}  // namespace gw::translate
