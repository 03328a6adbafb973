// How does a label set become the text between the braces?
//
// Values come from clients (model names, user agents), so they are cut, cleaned and escaped here
// and nowhere else: newline -> space; CR, U+2028 and U+2029 vanish; bytes that are not UTF-8 become
// U+FFFD, because one bad byte would make a scraper refuse the whole exposition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gw::metrics {

// At most limits::kLabelValueBytesMax bytes of `value`, never ending inside a UTF-8 sequence.
[[nodiscard]] std::string_view CutLabelValue(std::string_view value);

// Cut, cleaned and escaped once.
// compat: LiteLLM escapes before its client library does, so its `"` arrives as `\\\"`.
void AppendLabelValue(std::string& out, std::string_view value);

// HELP text; quotes are escaped in OpenMetrics only.
void AppendHelp(std::string& out, std::string_view help, bool escape_quotes);

// `a="x",b="y"` without braces.
struct LabelText {
  std::string text;
  size_t le_at = 0;  // where a histogram's `le="...",` keeps the order by name
};

// Takes it apart again: each(name, value), the escapes of AppendLabelValue undone.
template <typename Each>
void ForEachLabel(std::string_view text, const Each& each) {
  std::string value;
  size_t at = 0;
  while (at < text.size()) {
    const size_t equals = text.find('=', at);
    const std::string_view name = text.substr(at, equals - at);
    at = equals + 2;
    // Mostly nothing is escaped.
    const std::string_view plain = text.substr(at, text.find('"', at) - at);
    if (plain.find('\\') == std::string_view::npos) {
      each(name, plain);
      at += plain.size() + 2;  // the quote and the comma
      continue;
    }
    value.clear();
    for (; text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;  // \\ and \" alone: newlines were replaced
      value += text[at];
    }
    each(name, std::string_view(value));
    at += 2;
  }
}

// Renders value lists of one family: order by name is worked out once.
class LabelOrder {
 public:
  explicit LabelOrder(std::span<const std::string> names);
  // Values in declared order; missing ones count as "". `out` is overwritten.
  void Render(std::span<const std::string_view> values, LabelText& out) const;

 private:
  struct Entry {
    std::string name;
    size_t declared_at;
  };
  std::vector<Entry> sorted_;
  size_t le_rank_ = 0;  // number of names that sort before "le"
};

}  // namespace gw::metrics
