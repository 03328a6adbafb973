#include "telemetry/shorten.h"

#include <string>

#include "base/utf8.h"

namespace gw::telemetry {

void ShortenValue(json::Value& value, size_t bytes_max) {
  const std::string text = value.is_string() ? std::string(value.get_string()) : json::Serialize(value);
  if (text.size() > bytes_max) value = std::string(CutUtf8(text, bytes_max)) + "...truncated";
}

}  // namespace gw::telemetry
