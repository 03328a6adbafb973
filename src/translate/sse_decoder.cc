#include "translate/sse_decoder.h"

#include <cstring>

namespace gw::translate {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Offset of the first LF or CR, npos when there is none.
size_t FindLineEnd(std::string_view text) {
  const auto find = [text](char c, size_t size) {
    const void* found = size == 0 ? nullptr : std::memchr(text.data(), c, size);
    return found == nullptr ? std::string_view::npos
                            : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  };
  const size_t lf = find('\n', text.size());
  const size_t cr = find('\r', lf == std::string_view::npos ? text.size() : lf);
  return cr == std::string_view::npos ? lf : cr;
}

}  // namespace

bool SseDecoder::Fits(size_t more) const {
  const size_t kept = data_lines_ == 0 ? 0 : data_.size();
  return more <= event_bytes_max_ && line_.size() + kept <= event_bytes_max_ - more;
}

// Takes one whole line from the input, without its end. `carried`: the line is in line_, not in
// the input. False: the input holds no line end any more; its rest is kept in line_.
bool SseDecoder::TakeLine(std::string_view* line, bool* carried) {
  if (skip_lf_ && !input_.empty()) {
    if (input_.front() == '\n') input_.remove_prefix(1);
    skip_lf_ = false;
  }
  const size_t end = FindLineEnd(input_);
  const size_t size = end == std::string_view::npos ? input_.size() : end;
  if (!Fits(size)) {
    too_long_ = true;
    return false;
  }
  if (end == std::string_view::npos) {
    line_.append(input_);
    input_ = {};
    return false;
  }
  *carried = !line_.empty();
  if (*carried) {
    line_.append(input_.substr(0, end));
    *line = line_;
  } else {
    *line = input_.substr(0, end);
  }
  skip_lf_ = input_[end] == '\r';
  input_.remove_prefix(end + 1);
  return true;
}

void SseDecoder::OnData(std::string_view value, bool carried) {
  if (data_lines_ == 0 && !carried) {
    data_ = value;
  } else if (data_lines_ == 0) {
    data_kept_.assign(value);
    data_ = data_kept_;
  } else {
    if (data_.data() != data_kept_.data()) data_kept_.assign(data_);
    data_kept_ += '\n';
    data_kept_ += value;
    data_ = data_kept_;
  }
  ++data_lines_;
}

void SseDecoder::OnField(std::string_view line, bool carried) {
  if (at_stream_begin_) {
    if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    at_stream_begin_ = false;
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    OnData(value, carried);
  } else if (field == "event") {
    name_.assign(value);
  }
}

void SseDecoder::ForgetEvent() {
  data_ = {};
  data_lines_ = 0;
  name_.clear();
  emitted_ = false;
}

void SseDecoder::Emit(SseEvent* event) {
  event->name = name_;
  event->data = data_;
  event->multi_line = data_lines_ > 1;
  emitted_ = true;
}

SseDecoder::Status SseDecoder::Next(SseEvent* event) {
  if (emitted_) ForgetEvent();
  std::string_view line;
  bool carried = false;
  while (!too_long_ && TakeLine(&line, &carried)) {
    if (!line.empty()) {
      OnField(line, carried);
    } else {
      at_stream_begin_ = false;
      if (data_lines_ > 0) {
        Emit(event);
      } else {
        name_.clear();
      }
    }
    if (carried) line_.clear();
    if (emitted_) return Status::kEvent;
  }
  if (too_long_) return Status::kTooLong;
  // The caller's input goes away now.
  if (data_lines_ > 0 && data_.data() != data_kept_.data()) {
    data_kept_.assign(data_);
    data_ = data_kept_;
  }
  return Status::kNeedMore;
}

bool SseDecoder::Flush(SseEvent* event) {
  if (emitted_) ForgetEvent();
  if (too_long_) return false;
  if (!line_.empty()) {
    const std::string line = std::move(line_);
    line_.clear();
    OnField(line, true);
  }
  if (data_lines_ == 0) return false;
  Emit(event);
  return true;
}

}  // namespace gw::translate
