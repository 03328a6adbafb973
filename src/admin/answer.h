// An answer of a management route, complete but not yet sent, and the query helpers behind it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json_tree.h"

namespace gw::admin {

struct Answer {
  int status = 200;
  std::string_view content_type = "application/json";  // static text; empty: no body
  std::string body;
  std::string header_lines;  // further ones, "name: value\r\n" each
};

[[nodiscard]] Answer JsonAnswer(int status, const json::Value& value);
// In OpenAI's schema, with the error's status.
[[nodiscard]] Answer ErrorAnswer(const Error& error);
// {"detail": D}
[[nodiscard]] Answer DetailAnswer(int status, std::string_view detail);
// {"detail": {"error": M}}
[[nodiscard]] Answer DetailErrorAnswer(int status, std::string_view message);

// {"status": "applied"|"unchanged"|"rejected", "message": M, "details": [..]}; 400 when rejected.
[[nodiscard]] Answer ReloadAnswer(bool accepted, bool changed, std::string_view message,
                                  const std::vector<std::string>& details);

// The decoded value of the first `name=` in a query string; nullopt when there is none.
[[nodiscard]] std::optional<std::string> QueryValue(std::string_view query, std::string_view name);
// True for what the reference's framework reads as true: true, 1, yes, on (any case).
[[nodiscard]] bool QueryFlag(std::string_view query, std::string_view name);

}  // namespace gw::admin
