// Where do the events of a text/event-stream begin and end, when the bytes come cut anywhere?
//
//   Push(bytes) --> Next() kEvent, Next() kEvent, ..., Next() kNeedMore --> Push(more) ...
//
// Lines end with LF, CRLF or CR; comments and unknown fields are skipped. An event whose single
// data line lies in one input is handed out as a view into that input, nothing is copied; only
// what is cut by the end of an input is kept. Bounded: one event holds at most `event_bytes_max`.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace gw::translate {

struct SseEvent {
  std::string_view name;   // "event:" field; empty when there was none
  std::string_view data;   // "data:" lines joined by LF
  bool multi_line = false; // more than one data line: `data` holds LF
};

class SseDecoder {
 public:
  enum class Status : uint8_t { kEvent, kNeedMore, kTooLong };

  explicit SseDecoder(size_t event_bytes_max = limits::kStreamEventBytesMax)
      : event_bytes_max_(event_bytes_max) {}

  // Only after Next() said kNeedMore. `bytes` must stay until Next() says so again.
  void Push(std::string_view bytes) { input_ = bytes; }

  // On kEvent, `event` is valid until the next call. kTooLong is final.
  [[nodiscard]] Status Next(SseEvent* event);

  // The stream has ended: hands out a last event that lacks its blank line. False: there is none.
  [[nodiscard]] bool Flush(SseEvent* event);

  // Bytes of the input that Next() has not looked at yet: what lies behind the last event.
  [[nodiscard]] std::string_view rest() const { return input_; }

 private:
  bool TakeLine(std::string_view* line, bool* carried);
  void OnField(std::string_view line, bool carried);
  void OnData(std::string_view value, bool carried);
  void Emit(SseEvent* event);
  void ForgetEvent();
  bool Fits(size_t more) const;

  // Constant after construction.
  size_t event_bytes_max_;

  std::string_view input_;
  std::string line_;          // the beginning of a line that an input cut
  std::string_view data_;     // into the input, or into data_kept_
  std::string data_kept_;
  std::string name_;
  size_t data_lines_ = 0;
  bool skip_lf_ = false;      // the last line ended with CR: an LF that follows belongs to it
  bool at_stream_begin_ = true;  // a byte order mark may come
  bool emitted_ = false;      // the event handed out last is to be forgotten
  bool too_long_ = false;
};

}  // namespace gw::translate
