// Heads of HTTP/1.1 messages as views into the connection's buffer, and the one place that parses
// them (llhttp, strict). Nothing is copied; a head must lie in one piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw::http {

struct HeaderField {
  std::string_view name, value;  // as sent, value trimmed
};

class Headers {
 public:
  void Clear() {
    fields_.clear();
    sizes_ = 0;
  }
  void Add(std::string_view name, std::string_view value) {
    fields_.push_back({name, value});
    sizes_ |= SizeBit(name);
  }
  // First field called `name` (any case); empty when absent.
  [[nodiscard]] std::string_view Get(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const;
  // All fields called `name`, in their order, with commas between (RFC 9110 5.3). The first that would make
  // more than `bytes_max` ends it.
  [[nodiscard]] std::string Joined(std::string_view name, size_t bytes_max) const;
  [[nodiscard]] const std::vector<HeaderField>& fields() const { return fields_; }

 private:
  // The first field called `name`; nullptr when absent.
  [[nodiscard]] const HeaderField* Find(std::string_view name) const;
  static uint64_t SizeBit(std::string_view name) { return uint64_t{1} << (name.size() % 64); }

  std::vector<HeaderField> fields_;
  uint64_t sizes_ = 0;  // lengths of the names: most of what is looked up is not there
};

struct RequestHead {
  std::string_view method, target;
  Headers headers;
  bool http11 = true;
  bool keep_alive = true;
  bool chunked = false;
  bool expect_continue = false;
  std::optional<uint64_t> content_length;

  [[nodiscard]] std::string_view path() const { return target.substr(0, target.find('?')); }
  [[nodiscard]] std::string_view query() const {
    const size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  }
};

struct ResponseHead {
  int status = 0;
  Headers headers;
  bool keep_alive = true;
  bool chunked = false;
  bool bodyless = false;  // 1xx, 204, 304
  std::optional<uint64_t> content_length;
};

// The end of the head that starts at text[0] (offset behind the empty line), or npos while
// incomplete. `scanned` remembers how far earlier calls looked.
[[nodiscard]] size_t FindHeadEnd(std::string_view text, size_t& scanned);

// `text` is exactly one head. Nullptr when well-formed, else the reason in words. Refuses what
// smuggles: both Content-Length and Transfer-Encoding, repeated or odd lengths, unknown codings,
// folded lines, bare CR or LF, spaces before colons.
[[nodiscard]] const char* ParseRequestHead(std::string_view text, RequestHead& head);
[[nodiscard]] const char* ParseResponseHead(std::string_view text, ResponseHead& head);
// The same without the short way for plain heads (plain_head.h): what that way is compared with.
[[nodiscard]] const char* ParseAnyRequestHead(std::string_view text, RequestHead& head);
[[nodiscard]] const char* ParseAnyResponseHead(std::string_view text, ResponseHead& head);

// Incremental chunked body (both sides), strict: hexadecimal sizes, CRLF everywhere. (llhttp 8 lets
// other bytes pass for the CRLF behind the data of a chunk.)
class ChunkedDecoder {
 public:
  void Reset() { *this = ChunkedDecoder(); }
  // Decodes `bytes`; `spans` receives the body parts (views into `bytes`). Returns how many bytes
  // belong to this body (all of them unless done()); nullopt on a malformed body.
  [[nodiscard]] std::optional<size_t> Feed(std::string_view bytes, std::vector<std::string_view>& spans);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }

 private:
  enum class State : uint8_t {
    kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailerStart, kTrailer, kTrailerLf, kEndLf, kDone
  };
  [[nodiscard]] bool Step(char c);

  State state_ = State::kSize;
  uint64_t left_ = 0;          // of the current chunk
  uint32_t digits_ = 0;        // of the size line
  uint32_t line_bytes_ = 0;    // of extensions and trailers: bounded
};

[[nodiscard]] std::string_view ReasonPhrase(int status);

}  // namespace gw::http
