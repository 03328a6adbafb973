// Where does one line of a newline-delimited JSON stream end, however the bytes were cut?
//
// Lines are handed out as views into one buffer that is kept for the life of the stream, with
// json::kPadding readable bytes behind each, so that a line can be validated where it lies.
// The buffer never holds more than one incomplete line plus what the last Append brought.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace gw::translate {

class NdjsonSplitter {
 public:
  enum class Step : uint8_t {
    kLine,     // *line is the next line
    kNeedMore, // everything complete has been handed out
    kTooLong,  // a line is over the limit; the stream cannot be read any further
  };

  explicit NdjsonSplitter(size_t line_bytes_max = limits::kStreamEventBytesMax)
      : line_bytes_max_(line_bytes_max) {}

  // Invalidates the views handed out before.
  void Append(std::string_view bytes);
  // Lines come without their line end; blank lines are skipped.
  [[nodiscard]] Step Next(std::string_view* line);
  // After the end of the stream: the last line, when it had no line end. kNeedMore: there is none.
  [[nodiscard]] Step TakeRest(std::string_view* line);

 private:
  [[nodiscard]] Step Emit(size_t line_end, size_t next_begin, std::string_view* line);

  size_t line_bytes_max_;
  std::string buffer_;   // its size is capacity; the bytes in use are [begin_, end_)
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t scanned_ = 0;   // no line end in [begin_, scanned_): a long line is searched only once
};

}  // namespace gw::translate
