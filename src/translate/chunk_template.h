// Is this chunk the last one again, with another piece of text?
//
// Nearly all chunks of a stream differ in one string only. The first such chunk is understood and
// rewritten member by member; what stood before and behind its text, in the input and in the
// output, is kept. A later chunk with the same surroundings and a well-formed text needs no parsing:
//
//   in:   {"id":"x",...,"delta":{"content":"|Hello|"},"finish_reason":null}]}
//          '---------- same bytes ---------'      '------ same bytes ------'
//   out:  the remembered output around the new text
//
// Everything else (another member, an escape the fast check does not know) takes the long way.
// Pure, no allocation once the buffers have grown. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace gw::translate {

class ChunkTemplate {
 public:
  // `content`: the inside of the string value within `json`; `written`: what was made of the chunk,
  // with the same content at `content_offset`.
  void Learn(std::string_view json, std::string_view content, std::string_view written,
             size_t content_offset);

  // True: the output was appended and `content` is the text of this chunk.
  [[nodiscard]] bool Apply(std::string_view json, std::string& out, std::string_view* content) const;

 private:
  std::string in_before_, in_behind_, out_before_, out_behind_;
};

}  // namespace gw::translate
