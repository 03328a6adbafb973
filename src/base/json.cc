#include "base/json.h"

#include <simdjson.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <memory>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gw::json {

namespace {

// A parser's tape grows with the largest document it saw; beyond this it is given back.
constexpr size_t kParserKeepBytes = size_t{1} << 20;

struct ThreadParser {
  std::unique_ptr<simdjson::dom::parser> parser;
  simdjson::dom::parser& Get() {
    if (!parser) parser = std::make_unique<simdjson::dom::parser>();
    return *parser;
  }
};
thread_local ThreadParser t_parser;

// Most bytes that are looked at are no space, and above one.
constexpr bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

[[gnu::always_inline]] inline size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// `at` is on the opening quote; returns the offset behind the closing one. `escaped` (may be null)
// tells whether a backslash was met.
[[gnu::always_inline]] inline size_t SkipString(std::string_view text, size_t at, bool* escaped = nullptr) {
  ++at;
  const char* const data = text.data();
  while (at < text.size()) {
#if defined(__SSE2__)
    // Sixteen bytes at a time to the next quote or backslash; most keys end in the first step.
    if (at + 16 <= text.size()) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
      const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
      if (mask == 0) {
        at += 16;
        continue;
      }
      at += static_cast<size_t>(std::countr_zero(mask));
    }
#endif
    if (data[at] == '"') return at + 1;
    if (data[at] == '\\') {
      if (escaped != nullptr) *escaped = true;
      ++at;
    }
    ++at;
  }
  return text.size();
}

#if defined(__SSE2__)
// Offset of the next quote, brace or bracket of the sixteen bytes at `at`; 16 when there is none.
size_t NextStructural(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // '[' and '{', ']' and '}' differ in one bit.
  const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  const __m128i braces = _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')),
                                      _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
  const __m128i hits = _mm_or_si128(braces, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
  return mask == 0 ? 16 : static_cast<size_t>(std::countr_zero(mask));
}
#endif

size_t SkipContainer(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
#if defined(__SSE2__)
    if (at + 16 <= text.size()) {
      const size_t step = NextStructural(text.data() + at);
      at += step;
      if (step == 16) continue;
    }
#endif
    switch (text[at]) {
      case '"': at = SkipString(text, at); continue;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default: break;
    }
    ++at;
  }
  return text.size();
}

size_t SkipValue(std::string_view text, size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '"') return SkipString(text, at);
  if (text[at] == '{' || text[at] == '[') return SkipContainer(text, at);
  while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' && !IsSpace(text[at]))
    ++at;
  return at;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::optional<uint32_t> ReadHex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  if (error != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return code;
}

// Decodes the escape whose letter is at text[at] (behind the backslash); returns the offset behind.
size_t DecodeEscape(std::string_view text, size_t at, std::string& out) {
  switch (text[at]) {
    case 'n': out += '\n'; return at + 1;
    case 't': out += '\t'; return at + 1;
    case 'r': out += '\r'; return at + 1;
    case 'b': out += '\b'; return at + 1;
    case 'f': out += '\f'; return at + 1;
    case 'u': break;
    default: out += text[at]; return at + 1;
  }
  auto code = ReadHex4(text, at + 1);
  if (!code) return at + 1;
  at += 5;
  if (*code >= 0xD800 && *code < 0xDC00 && text.substr(at, 2) == "\\u") {
    const auto low = ReadHex4(text, at + 2);
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
      at += 6;
    }
  }
  // A lone surrogate has no UTF-8 form.
  AppendUtf8(out, (*code >= 0xD800 && *code < 0xE000) ? 0xFFFD : *code);
  return at;
}

std::string Decode(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  size_t at = 0;
  while (at < content.size()) {
    const size_t slash = content.find('\\', at);
    out += content.substr(at, slash == std::string_view::npos ? slash : slash - at);
    if (slash == std::string_view::npos || slash + 1 >= content.size()) break;
    at = DecodeEscape(content, slash + 1, out);
  }
  return out;
}

}  // namespace

const char* Validate(std::string_view text) {
  auto& parser = t_parser.Get();
  if (parser.max_depth() != kMaxJsonDepth || parser.capacity() < text.size()) {
    if (parser.allocate(std::max<size_t>(text.size(), 4096), kMaxJsonDepth) != simdjson::SUCCESS)
      return "the document is too large";
  }
  simdjson::dom::element root;
  const auto error = parser.parse(text.data(), text.size(), false).get(root);
  if (parser.capacity() > kParserKeepBytes) t_parser.parser.reset();
  return error == simdjson::SUCCESS ? nullptr : simdjson::error_message(error);
}

const char* ValidateUnpadded(std::string_view text) {
  std::string copy;
  copy.reserve(text.size() + kPadding);
  copy = text;
  return Validate(copy);
}

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool Member::DecodedKeyIs(std::string_view plain) const { return Decode(key) == plain; }

std::string_view Member::PlainKey(std::string& buffer) const {
  if (!key_escaped) return key;
  buffer = Decode(key);
  return buffer;
}

MemberCursor::MemberCursor(std::string_view object_text)
    : text_(object_text), at_(SkipSpace(object_text, 0)) {
  if (at_ < text_.size() && text_[at_] == '{') ++at_; else at_ = text_.size();
}

bool MemberCursor::Next() {
  const size_t value = BeginMemberAt(text_, &at_, &member_);
  if (value == std::string_view::npos) return false;
  at_ = SkipValue(text_, value);
  FinishMember(text_, 0, value, at_, &member_);
  return true;
}

ElementCursor::ElementCursor(std::string_view array_text)
    : text_(array_text), at_(SkipSpace(array_text, 0)) {
  if (at_ < text_.size() && text_[at_] == '[') ++at_; else at_ = text_.size();
}

bool ElementCursor::Next() {
  at_ = SkipSpace(text_, at_);
  if (at_ < text_.size() && text_[at_] == ',') at_ = SkipSpace(text_, at_ + 1);
  if (at_ >= text_.size() || text_[at_] == ']') return false;
  const size_t end = SkipValue(text_, at_);
  value_ = text_.substr(at_, end - at_);
  at_ = end;
  return true;
}

size_t SkipSpaceAt(std::string_view text, size_t at) { return SkipSpace(text, at); }
size_t SkipValueAt(std::string_view text, size_t at) { return SkipValue(text, at); }

size_t BeginMemberAt(std::string_view text, size_t* at, Member* member) {
  size_t begin = SkipSpace(text, *at);
  if (begin < text.size() && text[begin] == ',') begin = SkipSpace(text, begin + 1);
  *at = begin;
  if (begin >= text.size() || text[begin] != '"') return std::string_view::npos;
  member->begin = begin;
  bool escaped = false;  // not in memory: the loop keeps it in a register
  const size_t key_end = SkipString(text, begin, &escaped);
  member->key_escaped = escaped;
  member->key = {text.data() + begin + 1, key_end - begin - 2};
  return SkipSpace(text, SkipSpace(text, key_end) + 1);  // the colon
}

void FinishMember(std::string_view text, size_t base, size_t value_begin, size_t value_end, Member* member) {
  member->value = {text.data() + value_begin, value_end - value_begin};
  member->kind = KindOf(member->value);
  member->begin -= base;
  member->end = value_end - base;
}

void CollectMembers(std::string_view object_text, std::vector<Member>& members) {
  constexpr size_t kUsualMembers = 16;
  members.clear();
  members.reserve(kUsualMembers);
  for (MemberCursor c(object_text); c.Next();) members.push_back(c.member());
}

std::optional<std::string_view> Find(std::string_view object_text, std::string_view key) {
  std::optional<std::string_view> found;
  for (MemberCursor c(object_text); c.Next();) {
    if (c.member().KeyIs(key)) found = c.member().value;
  }
  return found;
}

std::string Unquote(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::string(value);
  return Decode(value.substr(1, value.size() - 2));
}

bool PlainString(std::string_view value, std::string_view* out) {
  if (value.size() < 2 || value.front() != '"') return false;
  const std::string_view content = value.substr(1, value.size() - 2);
  if (content.find('\\') != std::string_view::npos) return false;
  *out = content;
  return true;
}

std::optional<int64_t> ToInt(std::string_view value) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error == std::errc() && end == value.data() + value.size() && !value.empty()) return out;
  const auto number = ToDouble(value);
  if (!number || std::fabs(*number) > 9e15 || *number != std::floor(*number)) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> ToDouble(std::string_view value) {
  double out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || value.empty()) return std::nullopt;
  return out;
}

bool IsSimpleStringContent(std::string_view content) {
  bool ascii = true;
  for (size_t i = 0; i < content.size(); ++i) {
    const auto c = static_cast<unsigned char>(content[i]);
    if (c < 0x20 || c == '"') return false;
    if (c >= 0x80) ascii = false;
    if (c != '\\') continue;
    if (++i == content.size()) return false;
    if (std::string_view("\"\\/bfnrt").find(content[i]) == std::string_view::npos) return false;
  }
  return ascii || simdjson::validate_utf8(content.data(), content.size());
}

void AppendQuoted(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    switch (c) {
      case '"': out += '"'; break;
      case '\\': out += '\\'; break;
      case '\n': out += 'n'; break;
      case '\r': out += 'r'; break;
      case '\t': out += 't'; break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain);
  out += '"';
}

std::string CopyAsUtf8(std::string_view text) {
  std::string copy(text);
  if (simdjson::validate_utf8(copy)) return copy;
  for (char& c : copy) {
    if (static_cast<unsigned char>(c) > 0x7F) c = '?';
  }
  return copy;
}

}  // namespace gw::json
