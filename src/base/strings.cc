#include "base/strings.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace gw {

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && AsciiLower(a[i]) != AsciiLower(b[i])) return false;
  }
  return true;
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

bool ContainsIgnoreCase(std::string_view text, std::string_view part) {
  if (part.size() > text.size()) return false;
  for (size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (EqualsIgnoreCase(text.substr(i, part.size()), part)) return true;
  }
  return false;
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = AsciiLower(c);
  return out;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

char* WritePythonFloat(char* to, double value) {
  const auto put = [&to](std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  };
  if (std::isnan(value)) return put("nan");
  if (std::isinf(value)) return put(value > 0 ? "inf" : "-inf");
  if (value == 0) return put(std::signbit(value) ? "-0.0" : "0.0");  // most cost headers
  // Python's repr: shortest digits that round-trip, exponent form below 1e-4 and from 1e16 on.
  const double magnitude = std::fabs(value);
  const bool scientific = magnitude < 1e-4 || magnitude >= 1e16;
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const auto [end, error] = std::to_chars(to, to + kPythonFloatBytesMax - 2, value, format);
  (void)error;  // the room holds every double in these ranges
  const std::string_view digits(to, static_cast<size_t>(end - to));
  const bool needs_point = !scientific && digits.find('.') == std::string_view::npos;
  to = end;
  return needs_point ? put(".0") : to;
}

void AppendPythonFloat(std::string& out, double value) {
  char text[kPythonFloatBytesMax];
  out.append(text, WritePythonFloat(text, value));
}

std::string PythonFloat(double value) {
  std::string out;
  AppendPythonFloat(out, value);
  return out;
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendHex(std::string& out, const unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    out += kHexDigits[bytes[i] >> 4];
    out += kHexDigits[bytes[i] & 15];
  }
}

// splitmix64, seeded once per thread; call ids need to be distinct, not secret.
uint64_t NextRandom() {
  thread_local uint64_t state = [] {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) seed = reinterpret_cast<uintptr_t>(&seed);
    return seed;
  }();
  state += 0x9E3779B97F4A7C15ULL;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

std::string Sha256Hex(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  out.reserve(2 * sizeof(digest));
  AppendHex(out, digest, sizeof(digest));
  return out;
}

std::string MakeUuid() {
  unsigned char bytes[16];
  for (size_t i = 0; i < 16; i += 8) {
    const uint64_t word = NextRandom();
    std::memcpy(bytes + i, &word, 8);
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  char text[36];
  char* to = text;
  for (size_t i = 0; i < sizeof(bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = kHexDigits[bytes[i] >> 4];
    *to++ = kHexDigits[bytes[i] & 15];
  }
  return {text, sizeof(text)};
}

bool GlobMatch(std::string_view pattern, std::string_view text,
               std::vector<std::string_view>* captured) {
  const size_t first = pattern.find('*');
  if (first == std::string_view::npos) return pattern == text;
  const size_t last = pattern.rfind('*');
  const std::string_view head = pattern.substr(0, first);
  const std::string_view tail = pattern.substr(last + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return false;
  const size_t begin = head.size();
  size_t end = text.size() - tail.size();
  if (captured != nullptr) captured->clear();
  // Greedy like a regular expression's (.*): an inner literal is taken at its last place.
  std::string_view inner = pattern.substr(first, last - first);  // "*lit*lit", without the last star
  while (!inner.empty()) {
    const size_t star = inner.rfind('*');
    const std::string_view literal = inner.substr(star + 1);
    inner = inner.substr(0, star);
    const size_t found = text.substr(0, end).rfind(literal);
    if (found == std::string_view::npos || found < begin) return false;
    if (captured != nullptr) captured->push_back(text.substr(found + literal.size(), end - found - literal.size()));
    end = found;
  }
  if (captured != nullptr) {
    captured->push_back(text.substr(begin, end - begin));
    std::reverse(captured->begin(), captured->end());
  }
  return true;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = AsciiLower(c);
    return (lower >= 'a' && lower <= 'f') ? lower - 'a' + 10 : -1;
  };
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += (plus_is_space && text[i] == '+') ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace gw
