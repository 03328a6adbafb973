#include "config/otel_values.h"

#include <algorithm>

#include "base/strings.h"

namespace gw::config {

std::vector<std::pair<std::string, std::string>> ParsePairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view piece : Split(text, ',')) {
    const std::string_view entry = Trim(piece);
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) {
      pairs.emplace_back();
      continue;
    }
    pairs.emplace_back(PercentDecode(Trim(entry.substr(0, equals)), false),
                       PercentDecode(Trim(entry.substr(equals + 1)), false));
  }
  return pairs;
}

bool IsHeader(std::string_view name, std::string_view value) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const auto is_token = [kMarks](char c) {
    const char lower = AsciiLower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
  };
  const auto is_text = [](char c) { return (c >= 0x20 && c != 0x7F) || c == '\t' || (c & 0x80) != 0; };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token) &&
         std::all_of(value.begin(), value.end(), is_text);
}

std::string OtlpUrl(std::string_view endpoint, std::string_view signal) {
  endpoint = Trim(endpoint);
  const std::string_view query = endpoint.substr(std::min(endpoint.find('?'), endpoint.size()));
  endpoint.remove_suffix(query.size());
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  // An address with a path of its own for traces.
  if (signal == "traces" && endpoint.ends_with("/v2/trace/otlp")) return std::string(endpoint).append(query);
  for (const std::string_view path : {"/v1/traces", "/v1/metrics", "/v1/logs"}) {
    if (endpoint.ends_with(path)) endpoint.remove_suffix(path.size());
  }
  return std::string(endpoint).append("/v1/").append(signal).append(query);
}

}  // namespace gw::config
