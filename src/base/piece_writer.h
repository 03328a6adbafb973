// Many short pieces behind one string: put together on the stack and appended at once.
//
//   PieceWriter out(text); out.Put("host: "); out.Put(name); out.Flush();   // from here on `text` has it all
#pragma once

#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

namespace gw {

class PieceWriter {
 public:
  explicit PieceWriter(std::string& out) : out_(out) {}
  // It does not flush: appending may throw, and that must reach whoever waits for the text.
  ~PieceWriter() { assert(at_ == buffer_ || std::uncaught_exceptions() > 0); }
  PieceWriter(const PieceWriter&) = delete;
  PieceWriter& operator=(const PieceWriter&) = delete;

  // Inlined always: a literal is copied without a call.
  [[gnu::always_inline]] void Put(std::string_view piece) {
    if (piece.size() > static_cast<size_t>(buffer_ + sizeof(buffer_) - at_)) [[unlikely]] return PutSlow(piece);
    std::memcpy(at_, piece.data(), piece.size());
    at_ += piece.size();
  }

  template <typename Integer>
  void PutNumber(Integer value) {
    constexpr size_t kDigitsMax = 24;
    char* const digits = Reserve(kDigitsMax);
    Advance(std::to_chars(digits, digits + kDigitsMax, value).ptr);
  }

  void Flush() {
    out_.append(buffer_, static_cast<size_t>(at_ - buffer_));
    at_ = buffer_;
  }
  // Digits are written in place; `room` bytes are free behind the pointer.
  char* Reserve(size_t room) {
    if (static_cast<size_t>(buffer_ + sizeof(buffer_) - at_) < room) Flush();
    return at_;
  }
  void Advance(char* end) { at_ = end; }
  std::string& Through() {
    Flush();
    return out_;
  }

 private:
  void PutSlow(std::string_view piece) {
    Flush();
    out_ += piece;
  }

  std::string& out_;
  char* at_ = buffer_;
  char buffer_[2048];
};

}  // namespace gw
