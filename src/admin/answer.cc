#include "admin/answer.h"

#include "api/error_response.h"
#include "base/strings.h"

namespace gw::admin {

Answer JsonAnswer(int status, const json::Value& value) {
  Answer answer;
  answer.status = status;
  answer.body = json::Serialize(value);
  return answer;
}

Answer ErrorAnswer(const Error& error) {
  Answer answer;
  answer.status = error.status;
  answer.body = api::RenderOpenAiError(error);
  return answer;
}

Answer DetailAnswer(int status, std::string_view detail) {
  Answer answer;
  answer.status = status;
  answer.body = api::RenderDetail(detail);
  return answer;
}

Answer DetailErrorAnswer(int status, std::string_view message) {
  Answer answer;
  answer.status = status;
  answer.body = api::RenderDetailError(message);
  return answer;
}

Answer ReloadAnswer(bool accepted, bool changed, std::string_view message,
                    const std::vector<std::string>& details) {
  json::Object body;
  body["status"] = !accepted ? "rejected" : changed ? "applied" : "unchanged";
  body["message"] = std::string(message);
  json::Array list;
  for (const std::string& detail : details) list.emplace_back(detail);
  body["details"] = std::move(list);
  return JsonAnswer(accepted ? 200 : 400, body);
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  for (const std::string_view part : Split(query, '&')) {
    const size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    if (key != name && PercentDecode(key, true) != name) continue;
    if (equals == std::string_view::npos) return std::string();
    return PercentDecode(part.substr(equals + 1), true);
  }
  return std::nullopt;
}

bool QueryFlag(std::string_view query, std::string_view name) {
  const auto value = QueryValue(query, name);
  if (!value) return false;
  for (const std::string_view yes : {"true", "1", "yes", "on", "t", "y"}) {
    if (EqualsIgnoreCase(*value, yes)) return true;
  }
  return false;
}

}  // namespace gw::admin
