// Small text helpers without locale: ASCII case, trimming, numbers, secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

[[nodiscard]] constexpr char AsciiLower(char c) {
  return (c >= 'A' && c <= 'Z') ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] constexpr char AsciiUpper(char c) {
  return (c >= 'a' && c <= 'z') ? static_cast<char>(c - ('a' - 'A')) : c;
}
[[nodiscard]] bool EqualsIgnoreCase(std::string_view a, std::string_view b);
[[nodiscard]] bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
[[nodiscard]] bool ContainsIgnoreCase(std::string_view text, std::string_view part);
[[nodiscard]] std::string ToLower(std::string_view text);
[[nodiscard]] std::string_view Trim(std::string_view text);
[[nodiscard]] std::vector<std::string_view> Split(std::string_view text, char separator);

// Whole-string conversions; nullopt for anything else (also overflow, trailing text).
[[nodiscard]] std::optional<int64_t> ParseInt(std::string_view text);
[[nodiscard]] std::optional<double> ParseDouble(std::string_view text);

// A double as Python prints it: "0.0", "2.25e-06", "1e+16", "9.5". Headers promise this form.
void AppendPythonFloat(std::string& out, double value);
// The same to `to`, which has kPythonFloatBytesMax bytes; returns the end.
inline constexpr size_t kPythonFloatBytesMax = 64;
char* WritePythonFloat(char* to, double value);
[[nodiscard]] std::string PythonFloat(double value);

// Equal without telling by its duration where two secrets differ.
[[nodiscard]] bool ConstantTimeEquals(std::string_view a, std::string_view b);
[[nodiscard]] std::string Sha256Hex(std::string_view text);

// A random UUIDv4; per-thread generator seeded from the system, not for secrets.
[[nodiscard]] std::string MakeUuid();

// `*` in `pattern` matches any run of characters; everything else is literal, whole string.
// On a match `captured` (may be null) receives the text of each `*`.
[[nodiscard]] bool GlobMatch(std::string_view pattern, std::string_view text,
                             std::vector<std::string_view>* captured);

// Percent-decoding of a path or query part; malformed escapes stay as they are.
[[nodiscard]] std::string PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace gw
