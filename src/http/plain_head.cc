#include "http/plain_head.h"

#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gw::http {

namespace {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet LettersAnd(std::string_view marks) {
  ByteSet set{};
  for (int c = 'a'; c <= 'z'; ++c) set[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) set[static_cast<size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) set[static_cast<size_t>(c)] = true;
  for (const char c : marks) set[static_cast<unsigned char>(c)] = true;
  return set;
}
constexpr ByteSet kNameBytes = LettersAnd("-_");
constexpr ByteSet kTargetBytes = LettersAnd("/-._~?=&%:");

bool IsPrintable(char c) {
  const auto byte = static_cast<unsigned char>(c);  // a plain char has no sign on some processors
  return byte >= 0x20 && byte < 0x7F;
}

size_t SkipBytes(std::string_view text, size_t at, const ByteSet& set) {
  while (at < text.size() && set[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

// The first byte from `at` on that is not printable ASCII.
size_t SkipPrintable(std::string_view text, size_t at) {
#if defined(__SSE2__)
  while (at + 16 <= text.size()) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // Signed: what is beyond ASCII is below a space, too.
    const __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(odd));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
    at += 16;
  }
#endif
  while (at < text.size() && IsPrintable(text[at])) ++at;
  return at;
}

bool EndsLine(std::string_view text, size_t at) {
  return at + 2 <= text.size() && text[at] == '\r' && text[at + 1] == '\n';
}

// What the fields say about framing.
struct Framing {
  std::optional<uint64_t> length;
  bool chunked = false;
  bool has_connection = false;
  bool close = false;
};

// Notes a field that has a meaning for the connection; false: more than this reader knows.
bool NoteField(std::string_view name, std::string_view value, Framing& framing) {
  switch (name.size()) {
    case 6: return !EqualsIgnoreCase(name, "expect");
    case 7: return !EqualsIgnoreCase(name, "upgrade");
    case 10:
      if (!EqualsIgnoreCase(name, "connection")) return true;
      if (std::exchange(framing.has_connection, true)) return false;
      framing.close = EqualsIgnoreCase(value, "close");
      return framing.close || EqualsIgnoreCase(value, "keep-alive");
    case 14: {
      if (!EqualsIgnoreCase(name, "content-length")) return true;
      constexpr size_t kDigitsMax = 18;  // fits an int64_t
      if (framing.length || value.empty() || value.size() > kDigitsMax) return false;
      uint64_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      framing.length = length;
      return error == std::errc() && end == value.data() + value.size();
    }
    case 16: return !EqualsIgnoreCase(name, "proxy-connection");
    case 17:
      if (!EqualsIgnoreCase(name, "transfer-encoding")) return true;
      if (std::exchange(framing.chunked, true)) return false;
      return EqualsIgnoreCase(value, "chunked");
    default: return true;
  }
}

// The lines from `at` on, to the empty one, which must end the text.
bool ReadFields(std::string_view text, size_t at, Headers& headers, Framing& framing) {
  headers.Clear();
  for (size_t count = 0; !EndsLine(text, at); ++count) {
    const size_t colon = SkipBytes(text, at, kNameBytes);
    if (colon == at || colon >= text.size() || text[colon] != ':' || count >= limits::kHeaderCountMax) return false;
    size_t begin = colon + 1;
    const size_t line_end = SkipPrintable(text, begin);
    if (!EndsLine(text, line_end)) return false;
    size_t end = line_end;
    while (begin < end && text[begin] == ' ') ++begin;
    while (begin < end && text[end - 1] == ' ') --end;
    const std::string_view name = text.substr(at, colon - at), value = text.substr(begin, end - begin);
    if (!NoteField(name, value, framing)) return false;
    headers.Add(name, value);
    at = line_end + 2;
  }
  return at + 2 == text.size() && !(framing.chunked && framing.length);
}

}  // namespace

bool ReadPlainRequestHead(std::string_view text, RequestHead& head) {
  constexpr std::string_view kVersion = " HTTP/1.1\r\n";
  const size_t method = text.starts_with("POST /") ? 4 : text.starts_with("GET /") ? 3 : 0;
  if (method == 0) return false;
  const size_t target_end = SkipBytes(text, method + 1, kTargetBytes);
  if (!text.substr(target_end).starts_with(kVersion)) return false;
  Framing framing;
  if (!ReadFields(text, target_end + kVersion.size(), head.headers, framing)) return false;
  // Bodies without a length, and lengths of nothing, are the strict parser's.
  if (framing.chunked || framing.length == uint64_t{0}) return false;
  head.method = text.substr(0, method);
  head.target = text.substr(method + 1, target_end - method - 1);
  head.http11 = true;
  head.keep_alive = !framing.close;
  head.chunked = false;
  head.expect_continue = false;
  head.content_length = framing.length;
  return true;
}

bool ReadPlainResponseHead(std::string_view text, ResponseHead& head) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  constexpr size_t kReason = kVersion.size() + 3;
  if (!text.starts_with(kVersion) || text.size() < kReason + 2 || text[kReason] != ' ') return false;
  int status = 0;
  const auto [end, error] = std::from_chars(text.data() + kVersion.size(), text.data() + kReason, status);
  if (error != std::errc() || end != text.data() + kReason || status < 200 || status > 599) return false;
  const size_t line_end = SkipPrintable(text, kReason);
  Framing framing;
  if (!EndsLine(text, line_end) || !ReadFields(text, line_end + 2, head.headers, framing)) return false;
  head.status = status;
  head.chunked = framing.chunked;
  head.bodyless = status == 204 || status == 304;
  head.content_length = framing.length;
  head.keep_alive = !framing.close && (framing.chunked || framing.length || head.bodyless);
  return true;
}

}  // namespace gw::http
