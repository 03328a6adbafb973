#include "redis/resp.h"

#include <algorithm>

#include "base/strings.h"

namespace gw::redis {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr size_t kLineBytesMax = 64 * 1024;  // statuses and errors are short; strings come by length
constexpr size_t kCompactBytes = 64 * 1024;

}  // namespace

int64_t Reply::AsInt(int64_t otherwise) const {
  if (kind == Kind::kInteger) return integer;
  if (kind != Kind::kText) return otherwise;
  return ParseInt(text).value_or(otherwise);
}

Command& Command::Add(std::string_view argument) {
  ++count_;
  parts_ += '$';
  parts_ += std::to_string(argument.size());
  parts_ += kLineEnd;
  parts_ += argument;
  parts_ += kLineEnd;
  return *this;
}

Command& Command::Add(int64_t number) { return Add(std::to_string(number)); }

std::string Command::Encode() const {
  std::string out = "*" + std::to_string(count_);
  out.reserve(out.size() + kLineEnd.size() + parts_.size());
  out += kLineEnd;
  out += parts_;
  return out;
}

void ReplyDecoder::Feed(std::string_view bytes) {
  if (!broken_) buffer_ += bytes;
}

void ReplyDecoder::Compact() {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ >= kCompactBytes && at_ >= buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
}

ReplyDecoder::Outcome ReplyDecoder::OpenBulk(int64_t length) {
  if (length < -1) return Outcome::kBroken;
  if (length == -1) {
    value_ = Reply();
    return Outcome::kReply;
  }
  if (used_ + static_cast<uint64_t>(length) > bounds_.bytes_max) return Outcome::kBroken;
  bulk_left_ = length;
  return Outcome::kMore;
}

ReplyDecoder::Outcome ReplyDecoder::OpenList(int64_t count) {
  if (count < -1) return Outcome::kBroken;
  value_ = Reply();
  if (count == -1) return Outcome::kReply;
  value_.kind = Reply::Kind::kList;
  if (count == 0) return Outcome::kReply;
  if (open_.size() >= bounds_.depth_max || static_cast<uint64_t>(count) > bounds_.items_max - items_) {
    return Outcome::kBroken;
  }
  // Room is made as elements come: a count alone must not allocate.
  open_.push_back({std::move(value_), static_cast<size_t>(count)});
  return Outcome::kMore;
}

ReplyDecoder::Outcome ReplyDecoder::TakeLine(std::string_view line) {
  if (line.empty()) return Outcome::kBroken;
  const std::string_view text = line.substr(1);
  value_ = Reply();
  switch (line[0]) {
    case '+':
    case '-':
      value_.kind = line[0] == '+' ? Reply::Kind::kStatus : Reply::Kind::kError;
      value_.text = text;
      return Outcome::kReply;
    default: break;
  }
  const auto number = ParseInt(text);
  if (!number) return Outcome::kBroken;
  switch (line[0]) {
    case ':':
      value_.kind = Reply::Kind::kInteger;
      value_.integer = *number;
      return Outcome::kReply;
    case '$': return OpenBulk(*number);
    case '*': return OpenList(*number);
    default: return Outcome::kBroken;
  }
}

ReplyDecoder::Outcome ReplyDecoder::TakeBulk() {
  const auto length = static_cast<size_t>(bulk_left_);
  const std::string_view bytes = rest();
  if (bytes.size() < length + kLineEnd.size()) return Outcome::kMore;
  if (bytes.substr(length, kLineEnd.size()) != kLineEnd) return Outcome::kBroken;
  value_ = Reply();
  value_.kind = Reply::Kind::kText;
  value_.text = bytes.substr(0, length);
  at_ += length + kLineEnd.size();
  used_ += length + kLineEnd.size();
  bulk_left_ = -1;
  return Outcome::kReply;
}

ReplyDecoder::Outcome ReplyDecoder::Next(Reply& reply) {
  while (!broken_) {
    Outcome outcome = Outcome::kMore;
    if (bulk_left_ >= 0) {
      outcome = TakeBulk();
      if (outcome == Outcome::kMore) return outcome;
    } else {
      const size_t end = rest().find(kLineEnd, scanned_);
      if (end == std::string_view::npos) {
        // The last byte may be the first half of a line end.
        scanned_ = rest().empty() ? 0 : rest().size() - 1;
        if (rest().size() <= kLineBytesMax) return Outcome::kMore;
        break;
      }
      if (end > kLineBytesMax) break;
      outcome = TakeLine(rest().substr(0, end));
      at_ += end + kLineEnd.size();
      used_ += end + kLineEnd.size();
      scanned_ = 0;
    }
    if (outcome == Outcome::kBroken || used_ > bounds_.bytes_max) break;
    if (outcome == Outcome::kMore) continue;
    // A value is complete; it may complete the lists around it.
    if (++items_ > bounds_.items_max) break;
    while (!open_.empty()) {
      Open& around = open_.back();
      around.list.items.push_back(std::move(value_));
      if (--around.left > 0) break;
      value_ = std::move(around.list);
      open_.pop_back();
    }
    if (!open_.empty()) continue;
    reply = std::move(value_);
    used_ = items_ = 0;
    Compact();
    return Outcome::kReply;
  }
  broken_ = true;
  return Outcome::kBroken;
}

}  // namespace gw::redis
