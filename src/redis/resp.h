// Redis' wire format, version 2: commands to bytes, bytes to replies.
//
// Pure. A server is another process and may be anybody: depth, length and total size of a reply are
// bounded, and whatever breaks the grammar ends the connection, never the process.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace gw::redis {

struct Reply {
  enum class Kind : uint8_t { kNil, kStatus, kError, kInteger, kText, kList };
  Kind kind = Kind::kNil;
  int64_t integer = 0;
  std::string text;          // kStatus, kError, kText
  std::vector<Reply> items;  // kList

  [[nodiscard]] bool IsError() const { return kind == Kind::kError; }
  // An integer, or text that spells one; `otherwise` for anything else.
  [[nodiscard]] int64_t AsInt(int64_t otherwise) const;
};

// One command: a list of binary-safe strings.
class Command {
 public:
  explicit Command(std::string_view name) { Add(name); }
  Command(std::string_view name, std::initializer_list<std::string_view> arguments) {
    Add(name);
    for (const std::string_view argument : arguments) Add(argument);
  }
  Command& Add(std::string_view argument);
  Command& Add(int64_t number);
  [[nodiscard]] std::string Encode() const;

 private:
  size_t count_ = 0;
  std::string parts_;
};

struct ReplyBounds {
  size_t bytes_max = size_t{128} << 20;  // of one whole reply
  size_t items_max = 1'000'000;         // of one whole reply, at all depths
  size_t depth_max = 8;
};

// Bytes in, whole replies out, however they are cut.
class ReplyDecoder {
 public:
  enum class Outcome : uint8_t { kMore, kReply, kBroken };

  ReplyDecoder() = default;
  explicit ReplyDecoder(const ReplyBounds& bounds) : bounds_(bounds) {}

  void Feed(std::string_view bytes);
  // kBroken is final.
  [[nodiscard]] Outcome Next(Reply& reply);

 private:
  struct Open {
    Reply list;
    size_t left = 0;
  };

  // kReply: `value_` is complete; kMore: the next element has to come first.
  Outcome TakeLine(std::string_view line);
  Outcome OpenBulk(int64_t length);
  Outcome OpenList(int64_t count);
  Outcome TakeBulk();
  [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(at_); }
  void Compact();

  ReplyBounds bounds_;
  std::string buffer_;
  size_t at_ = 0;       // what lies before it has been read
  size_t scanned_ = 0;  // behind at_: bytes known to hold no line end
  size_t used_ = 0;     // bytes of the reply that is under way
  size_t items_ = 0;
  int64_t bulk_left_ = -1;  // >= 0: the length of the string that comes next
  bool broken_ = false;
  Reply value_;
  std::vector<Open> open_;
};

}  // namespace gw::redis
