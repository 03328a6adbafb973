#include "config/receiver_values.h"

#include <algorithm>

#include "base/strings.h"
#include "config/origin.h"

namespace gw::config {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool IsToken(char c) {
  const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_plain || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

bool HasControlCharacter(std::string_view text) { return std::any_of(text.begin(), text.end(), IsControl); }

bool IsUsableAddress(std::string_view url) {
  if (HasControlCharacter(url) || url.find(' ') != std::string_view::npos) return false;
  std::string why;  // may quote the address, which may be a secret
  return ParseOrigin(url, why).has_value();
}

bool IsConfigurableHeader(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsToken)) return false;
  for (const std::string_view ours : {"host", "content-length", "transfer-encoding"}) {
    if (EqualsIgnoreCase(name, ours)) return false;
  }
  return true;
}

}  // namespace gw::config
