// Is it UTF-8? Clients and upstreams send other bytes too, and many formats refuse a whole document for one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gw {

inline constexpr std::string_view kUtf8Replacement = "\xEF\xBF\xBD";  // U+FFFD

[[nodiscard]] constexpr bool IsUtf8Continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Length of the sequence that `lead` announces; 0 when it cannot start one.
[[nodiscard]] constexpr size_t Utf8AnnouncedLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Length of the valid sequence at the front of `text` (not empty), 0 when there is none.
[[nodiscard]] constexpr size_t Utf8SequenceAt(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = Utf8AnnouncedLength(lead);
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsUtf8Continuation(text[i])) return 0;
  }
  if (length >= 3) {
    // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
    const auto second = static_cast<unsigned char>(text[1]);
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    if (lead == 0xF0 && second < 0x90) return 0;
    if (lead == 0xF4 && second > 0x8F) return 0;
  }
  return length;
}

// At most `bytes_max` of `text`, not ending inside a sequence.
[[nodiscard]] constexpr std::string_view CutUtf8(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  // Step back over a sequence that the cut would split; at most its three trailing bytes.
  for (size_t back = 0; back < 3 && end > 0 && IsUtf8Continuation(text[end]); ++back) --end;
  return text.substr(0, end);
}

// The text with U+FFFD for each byte that belongs to no sequence.
[[nodiscard]] inline std::string CleanUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8SequenceAt(text);
    out += length == 0 ? kUtf8Replacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace gw
