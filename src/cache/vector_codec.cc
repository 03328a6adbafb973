#include "cache/vector_codec.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/json.h"

namespace gw::cache {

namespace {

void AppendFloat(std::string& out, float number) {
  const auto bits = std::bit_cast<uint32_t>(number);
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>((bits >> shift) & 0xFFU);
}

}  // namespace

std::optional<std::string> EncodeVector(std::string_view value) {
  if (json::KindOf(value) != json::Kind::kArray) return std::nullopt;
  std::string out;
  bool has_direction = false;
  for (json::ElementCursor c(value); c.Next();) {
    if (json::KindOf(c.value()) != json::Kind::kNumber || DimensionOf(out) == kVectorDimensionsMax) return std::nullopt;
    const auto parsed = json::ToDouble(c.value());
    const auto number = static_cast<float>(parsed.value_or(NAN));
    if (!std::isfinite(number)) return std::nullopt;
    has_direction |= number != 0;
    AppendFloat(out, number);
  }
  if (!has_direction) return std::nullopt;
  return out;
}

}  // namespace gw::cache
