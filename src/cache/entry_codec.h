// A kept answer as bytes, for a store outside this process.
//
//   "IWC1" | FNV-1a of the rest | flags | numbers | lengths and texts
//
// Whoever can write there can write anything: what is cut, altered or of another version is no
// entry. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/entry.h"

namespace gw::cache {

[[nodiscard]] std::string EncodeEntry(const Entry& entry);
// nullopt: not an entry of ours.
[[nodiscard]] std::optional<Entry> DecodeEntry(std::string_view bytes);

}  // namespace gw::cache
