// Values that are written into requests to receivers: addresses, credentials, headers.
//
// Pure. A finding about one of them names where it stands, never what it is.
#pragma once

#include <string>
#include <string_view>

namespace gw::config {

// Nothing that ends a line of a request's head.
[[nodiscard]] bool HasControlCharacter(std::string_view text);
// http(s)://host[:port][/path], without blanks and control characters.
[[nodiscard]] bool IsUsableAddress(std::string_view url);
// A name that HTTP knows and that is not ours to write: host, content-length, transfer-encoding are.
[[nodiscard]] bool IsConfigurableHeader(std::string_view name);

}  // namespace gw::config
