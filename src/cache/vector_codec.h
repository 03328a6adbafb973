// One embedding as the bytes that a vector index takes: 32-bit floats, little-endian. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gw::cache {

// What Redis' indexes take at most.
inline constexpr size_t kVectorDimensionsMax = 32'768;

// `value`: the JSON array of an answer's "embedding". nullopt: no list of numbers, too long, or without
// a direction (all zero, not finite), which has no cosine.
[[nodiscard]] std::optional<std::string> EncodeVector(std::string_view value);

[[nodiscard]] inline size_t DimensionOf(std::string_view encoded) { return encoded.size() / sizeof(float); }

}  // namespace gw::cache
