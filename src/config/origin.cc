// Where does an api_base lead?
#include "config/origin.h"

#include "base/strings.h"

namespace gw::config {
namespace {

bool IsPlainText(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) == 0x7F) return false;
  }
  return true;
}

// "host", "host:1", "[::1]:1" -> host and port; false when malformed.
bool SplitAuthority(std::string_view authority, Origin& origin) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    origin.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port[0] != ':') return false;
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const size_t colon = authority.find(':');
    origin.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    if (port.find(':') != std::string_view::npos) return false;  // IPv6 without brackets
  }
  if (origin.host.empty()) return false;
  origin.port = origin.tls ? 443 : 80;
  if (port.empty()) return true;
  const auto number = ParseInt(port);
  if (!number || *number < 1 || *number > 65535) return false;
  origin.port = static_cast<uint16_t>(*number);
  return true;
}

}  // namespace

std::string CleanBase(std::string_view url) {
  url = Trim(url);
  url = url.substr(0, url.find_first_of("?#"));
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::optional<Origin> ParseOrigin(std::string_view url, std::string& why) {
  const std::string clean = CleanBase(url);
  std::string_view rest = clean;
  Origin origin;
  if (StartsWithIgnoreCase(rest, "https://")) {
    origin.tls = true;
    rest.remove_prefix(8);
  } else if (StartsWithIgnoreCase(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    why = "api_base must begin with http:// or https://";
    return std::nullopt;
  }
  if (!IsPlainText(rest)) {
    why = "api_base holds a space or a control character";
    return std::nullopt;
  }
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) origin.base_path = rest.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    why = "api_base must not hold user and password; use api_key or extra_headers";
    return std::nullopt;
  }
  if (!SplitAuthority(authority, origin)) {
    why = "api_base has no valid host and port";
    return std::nullopt;
  }
  const bool is_ipv6 = origin.host.find(':') != std::string::npos;
  origin.host_header = is_ipv6 ? "[" + origin.host + "]" : origin.host;
  if (origin.port != (origin.tls ? 443 : 80)) {
    origin.host_header += ":" + std::to_string(origin.port);
  }
  return origin;
}

}  // namespace gw::config
