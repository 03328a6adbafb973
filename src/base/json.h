// JSON on the hot path: validate once (simdjson), then walk raw spans; nothing is re-serialised.
//
// Validate() accepts exactly what simdjson's DOM accepts (grammar, UTF-8, depth <= kMaxJsonDepth).
// The walkers may only see accepted text: they skip, they do not check.
// A key may be spelled with escapes ("mod\u0065l") and may come twice (the last one counts), so
// compare keys with KeyIs() and honour every occurrence when you cut a member out.
// Thread rule: free functions; the parser behind Validate() is per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw::json {

// Bytes after the text that must be readable (not written): simdjson loads whole vectors.
inline constexpr size_t kPadding = 64;
inline constexpr size_t kMaxJsonDepth = 128;

enum class Kind : uint8_t { kObject, kArray, kString, kNumber, kTrue, kFalse, kNull };

struct Member {
  std::string_view key;    // between the quotes, as spelled
  std::string_view value;  // the value's whole text, quotes and brackets included
  Kind kind = Kind::kNull;
  bool key_escaped = false;
  // Offsets into the object text of `"key": value`, without commas.
  size_t begin = 0;
  size_t end = 0;

  // Inlined always: with a literal, length and bytes are compared without a call.
  [[nodiscard, gnu::always_inline]] bool KeyIs(std::string_view plain) const {
    if (key_escaped) [[unlikely]] return DecodedKeyIs(plain);
    return key.size() == plain.size() && __builtin_memcmp(key.data(), plain.data(), plain.size()) == 0;
  }
  // The key without escapes: `key` itself, or decoded into `buffer`.
  [[nodiscard]] std::string_view PlainKey(std::string& buffer) const;

 private:
  [[nodiscard]] bool DecodedKeyIs(std::string_view plain) const;
};

// nullptr when `text` is valid, else what is wrong, in words with the offset unknown.
// `text` must have kPadding readable bytes behind it.
[[nodiscard]] const char* Validate(std::string_view text);
// The same for text without padding: copies.
[[nodiscard]] const char* ValidateUnpadded(std::string_view text);

[[nodiscard]] inline Kind KindOf(std::string_view value) {
  switch (value.empty() ? 'n' : value.front()) {
    case '{': return Kind::kObject;
    case '[': return Kind::kArray;
    case '"': return Kind::kString;
    case 't': return Kind::kTrue;
    case 'f': return Kind::kFalse;
    case 'n': return Kind::kNull;
    default: return Kind::kNumber;
  }
}
[[nodiscard]] std::string_view TrimSpace(std::string_view text);

// Cursor over the members of an object or the elements of an array.
//   for (MemberCursor c(object_text); c.Next();) use(c.member());
class MemberCursor {
 public:
  explicit MemberCursor(std::string_view object_text);
  [[nodiscard]] bool Next();
  [[nodiscard]] const Member& member() const { return member_; }

 private:
  std::string_view text_;
  size_t at_;
  Member member_;
};

class ElementCursor {
 public:
  explicit ElementCursor(std::string_view array_text);
  [[nodiscard]] bool Next();
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  std::string_view text_;
  size_t at_;
  std::string_view value_;
};

// Steps for walks that enter a value instead of skipping over it first, so that every byte is read
// once however deep it lies. Offsets into `text`.
[[nodiscard]] size_t SkipSpaceAt(std::string_view text, size_t at);
[[nodiscard]] size_t SkipValueAt(std::string_view text, size_t at);
// `at` is behind the opening brace or behind a member. Fills key and begin of `member` and returns
// where its value begins; npos at the end of the object (`at` is then on the closing brace).
// value, kind and end are the caller's to fill (FinishMember).
[[nodiscard]] size_t BeginMemberAt(std::string_view text, size_t* at, Member* member);
// [value_begin, value_end) is the value; offsets of the member become relative to `base`.
void FinishMember(std::string_view text, size_t base, size_t value_begin, size_t value_end, Member* member);

// All members in order; `members` is cleared first and keeps its memory.
void CollectMembers(std::string_view object_text, std::vector<Member>& members);

// The value of the last member called `key`; empty optional when there is none.
[[nodiscard]] std::optional<std::string_view> Find(std::string_view object_text,
                                                   std::string_view key);

// Content of a string value (quotes included in `value`), escapes decoded.
[[nodiscard]] std::string Unquote(std::string_view value);
// True, and `out` = the content without copying, when the string has no escapes.
[[nodiscard]] bool PlainString(std::string_view value, std::string_view* out);
[[nodiscard]] std::optional<int64_t> ToInt(std::string_view value);
[[nodiscard]] std::optional<double> ToDouble(std::string_view value);

// May `content` stand between the quotes of a JSON string? Exact for everything but \u escapes,
// which it refuses: for a fast path that has a slow one behind it.
[[nodiscard]] bool IsSimpleStringContent(std::string_view content);

// Appends `text` as a JSON string, quotes included. `text` must be UTF-8.
void AppendQuoted(std::string& out, std::string_view text);
// A copy that is UTF-8: when `text` is not, each byte beyond ASCII becomes '?'.
[[nodiscard]] std::string CopyAsUtf8(std::string_view text);

}  // namespace gw::json
