#include "translate/ndjson.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"

namespace gw::translate {

void NdjsonSplitter::Append(std::string_view bytes) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  const size_t needed = end_ + bytes.size() + json::kPadding;
  if (buffer_.size() < needed) buffer_.resize(std::max(needed, buffer_.size() * 2));
  if (!bytes.empty()) std::memcpy(buffer_.data() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

NdjsonSplitter::Step NdjsonSplitter::Next(std::string_view* line) {
  while (true) {
    const void* found = end_ > scanned_
                            ? std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_)
                            : nullptr;
    if (found == nullptr) {
      scanned_ = end_;
      return end_ - begin_ > line_bytes_max_ ? Step::kTooLong : Step::kNeedMore;
    }
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
    const Step step = Emit(at, at + 1, line);
    if (step != Step::kNeedMore) return step;
  }
}

NdjsonSplitter::Step NdjsonSplitter::TakeRest(std::string_view* line) {
  return Emit(end_, end_, line);
}

NdjsonSplitter::Step NdjsonSplitter::Emit(size_t line_end, size_t next_begin,
                                          std::string_view* line) {
  const std::string_view text = json::TrimSpace(
      std::string_view(buffer_.data() + begin_, line_end - begin_));
  begin_ = scanned_ = next_begin;
  if (text.empty()) return Step::kNeedMore;
  if (text.size() > line_bytes_max_) return Step::kTooLong;
  *line = text;
  return Step::kLine;
}

}  // namespace gw::translate
