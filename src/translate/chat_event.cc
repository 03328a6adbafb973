#include "translate/chat_event.h"

#include "base/json.h"

namespace gw::translate {

std::string_view EscapedContent(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return {};
  return value.substr(1, value.size() - 2);
}

std::string_view MemberOf(std::string_view object, std::string_view key) {
  if (json::KindOf(object) != json::Kind::kObject) return {};
  const auto value = json::Find(object, key);
  return value && *value != "null" ? *value : std::string_view();
}

void AppendEscaped(std::string& out, std::string_view text) {
  const size_t begin = out.size();
  json::AppendQuoted(out, text);
  out.erase(begin, 1);
  out.pop_back();
}

}  // namespace gw::translate
