#include "translate/think_tags.h"

#include "base/json.h"

namespace gw::translate {

namespace {

constexpr std::string_view kOpen = "<think>";
constexpr std::string_view kClose = "</think>";

// Length of the longest end of `text` that is a proper beginning of `tag`.
size_t HeldBack(std::string_view text, std::string_view tag) {
  size_t length = std::min(text.size(), tag.size() - 1);
  for (; length > 0; --length) {
    if (text.ends_with(tag.substr(0, length))) return length;
  }
  return 0;
}

std::string Escape(std::string_view text) {
  std::string quoted;
  json::AppendQuoted(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

bool ThinkTagSplitter::MayHoldTag(std::string_view value) {
  if (value.find('<') != std::string_view::npos) return true;
  // Ollama's encoder writes '<' as an escape.
  return value.find('\\') != std::string_view::npos &&
         (value.find("\\u003c") != std::string_view::npos ||
          value.find("\\u003C") != std::string_view::npos);
}

void ThinkTagSplitter::AppendDecoded(std::string_view value) { pending_ += json::Unquote(value); }

bool ThinkTagSplitter::NextRun() {
  while (!pending_.empty()) {
    const std::string_view tag = in_reasoning_ ? kClose : kOpen;
    const size_t at = pending_.find(tag);
    const bool found = at != std::string::npos;
    const size_t run_end = found ? at : pending_.size() - HeldBack(pending_, tag);
    run_is_reasoning_ = in_reasoning_;
    run_.assign(pending_, 0, run_end);
    pending_.erase(0, found ? at + tag.size() : run_end);
    if (found) in_reasoning_ = !in_reasoning_;
    if (!run_.empty()) return true;
    if (!found) return false;
  }
  return false;
}

std::string_view ThinkTagSplitter::Escaped() {
  escaped_.clear();
  json::AppendQuoted(escaped_, run_);
  return std::string_view(escaped_).substr(1, escaped_.size() - 2);
}

bool SplitLeadingThink(std::string_view value, std::string* reasoning, std::string* content) {
  // Cheap refusal first: nearly every answer starts with something else.
  const size_t first = value.find_first_not_of("\" \\nrt");
  if (first == std::string_view::npos || (value[first] != '<' && value[first] != 'u')) return false;
  const std::string text = json::Unquote(value);
  const size_t open = text.find_first_not_of(" \t\r\n");
  if (open == std::string::npos || !std::string_view(text).substr(open).starts_with(kOpen)) {
    return false;
  }
  const size_t begin = open + kOpen.size();
  const size_t close = text.find(kClose, begin);
  if (close == std::string::npos) return false;
  *reasoning = Escape(std::string_view(text).substr(begin, close - begin));
  *content = Escape(std::string_view(text).substr(close + kClose.size()));
  return true;
}

}  // namespace gw::translate
