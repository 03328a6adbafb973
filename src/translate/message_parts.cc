#include "translate/message_parts.h"

namespace gw::translate {

namespace {

Role ParseRole(std::string_view value) {
  if (value == "\"system\"" || value == "\"developer\"") return Role::kSystem;
  if (value == "\"assistant\"") return Role::kAssistant;
  if (value == "\"tool\"" || value == "\"function\"") return Role::kTool;
  return Role::kUser;
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kSystem: return "system";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
    case Role::kTool: return "tool";
  }
  return "user";
}

Message ReadMessage(std::string_view message) {
  Message out;
  std::string_view name;
  for (json::MemberCursor c(message); c.Next();) {
    const json::Member& m = c.member();
    if (m.kind == json::Kind::kNull) continue;
    if (m.KeyIs("role")) out.role = ParseRole(m.value);
    else if (m.KeyIs("content")) out.content = m.value;
    else if (m.KeyIs("reasoning_content")) out.reasoning = m.value;
    else if (m.KeyIs("thinking_blocks")) out.thinking_blocks = m.value;
    else if (m.KeyIs("tool_calls")) out.tool_calls = m.value;
    else if (m.KeyIs("function_call")) out.function_call = m.value;
    else if (m.KeyIs("tool_call_id")) out.tool_call_id = m.value;
    else if (m.KeyIs("cache_control")) out.cache_control = m.value;
    else if (m.KeyIs("name")) name = m.value;
  }
  // The results of the older function calls carry no id: the function's name stands in.
  if (out.role == Role::kTool && out.tool_call_id.empty()) out.tool_call_id = name;
  return out;
}

ToolCallParts ReadToolCall(std::string_view call) {
  ToolCallParts out;
  if (json::KindOf(call) != json::Kind::kObject) return out;
  const auto text_of = [](std::string_view object, std::string_view key) {
    const auto value = json::Find(object, key);
    return value && json::KindOf(*value) == json::Kind::kString ? *value : std::string_view();
  };
  out.id = text_of(call, "id");
  const auto function = json::Find(call, "function");
  if (!function || json::KindOf(*function) != json::Kind::kObject) return out;
  out.name = text_of(*function, "name");
  out.arguments = json::Find(*function, "arguments").value_or("");
  return out;
}

std::string ToolCallParts::ArgumentsObject() const {
  if (arguments.empty() || arguments == "null") return "{}";
  if (json::KindOf(arguments) == json::Kind::kObject) return std::string(arguments);
  if (json::KindOf(arguments) != json::Kind::kString) return {};
  const std::string text = json::Unquote(arguments);
  const std::string_view trimmed = json::TrimSpace(text);
  if (trimmed.empty()) return "{}";
  if (trimmed.front() != '{' || json::ValidateUnpadded(trimmed) != nullptr) return {};
  return std::string(trimmed);
}

bool IsMessageList(std::string_view messages) {
  if (messages.empty() || json::KindOf(messages) != json::Kind::kArray) return false;
  for (json::ElementCursor c(messages); c.Next();) {
    if (json::KindOf(c.value()) != json::Kind::kObject) return false;
  }
  return true;
}

std::string_view ImageUrlOf(std::string_view part) {
  const auto image = json::Find(part, "image_url");
  if (!image) return {};
  if (json::KindOf(*image) == json::Kind::kString) return *image;
  if (json::KindOf(*image) != json::Kind::kObject) return {};
  const auto url = json::Find(*image, "url");
  return url && json::KindOf(*url) == json::Kind::kString ? *url : std::string_view();
}

}  // namespace gw::translate
