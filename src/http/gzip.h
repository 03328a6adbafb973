// gzip of whole bodies (exposition, long lists); never of streams.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gw::http {

// Would this Accept-Encoding take gzip? ("gzip;q=0" would not.)
[[nodiscard]] bool AcceptsGzip(std::string_view accept_encoding);
[[nodiscard]] std::string Gzip(std::string_view text);

}  // namespace gw::http
