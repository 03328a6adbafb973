// An address of a receiver taken apart: where to connect, and what to ask for.
#include "base/strings.h"
#include "config/origin.h"
#include "telemetry/delivery.h"

namespace gw::telemetry {

Result<Url> ParseUrl(std::string_view text) {
  std::string why;
  const std::string_view without_fragment = Trim(text.substr(0, text.find('#')));
  const auto origin = config::ParseOrigin(without_fragment, why);
  if (!origin) {
    Error error;
    error.message = why;
    return error;
  }
  Url url;
  url.tls = origin->tls;
  url.host = origin->host;
  url.port = origin->port;
  url.host_header = origin->host_header;
  const size_t authority = without_fragment.find("://") + 3;
  const size_t path = without_fragment.find_first_of("/?", authority);
  if (path != std::string_view::npos) url.target = without_fragment.substr(path);
  for (const char c : url.target) {
    if (static_cast<unsigned char>(c) > 0x20 && c != 0x7F) continue;
    Error error;
    error.message = "blanks and control characters cannot stand in an address";
    return error;
  }
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, 1, '/');
  return url;
}

}  // namespace gw::telemetry
