// Are replies the same however they are cut, and is what breaks the grammar or the bounds refused?
#include "redis/resp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gw::redis {
namespace {

using Outcome = ReplyDecoder::Outcome;
using Kind = Reply::Kind;

std::string Show(const Reply& reply) {
  switch (reply.kind) {
    case Kind::kNil: return "nil";
    case Kind::kStatus: return "+" + reply.text;
    case Kind::kError: return "-" + reply.text;
    case Kind::kInteger: return std::to_string(reply.integer);
    case Kind::kText: return '"' + reply.text + '"';
    case Kind::kList: break;
  }
  std::string out = "[";
  for (const Reply& item : reply.items) out += (out.size() > 1 ? " " : "") + Show(item);
  return out + "]";
}

// All replies in `bytes`, fed in pieces of `step`; "broken" ends the list.
std::vector<std::string> Read(std::string_view bytes, size_t step, const ReplyBounds& bounds = {}) {
  ReplyDecoder decoder(bounds);
  std::vector<std::string> out;
  for (size_t at = 0; at < bytes.size(); at += step) {
    decoder.Feed(bytes.substr(at, step));
    Reply reply;
    Outcome outcome = Outcome::kMore;
    while ((outcome = decoder.Next(reply)) == Outcome::kReply) out.push_back(Show(reply));
    if (outcome == Outcome::kBroken) {
      out.emplace_back("broken");
      return out;
    }
  }
  return out;
}

constexpr std::string_view kMany =
    "+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
    "*3\r\n$1\r\nx\r\n*2\r\n:1\r\n*1\r\n+in\r\n$-1\r\n+PONG\r\n";

TEST(ReplyDecoder, ReadsTheSameWhereverTheBytesAreCut) {
  const auto expected = testing::ElementsAre("+OK", "-ERR no", "-12", "\"a\r\nbc\"", "nil", "\"\"", "nil", "[]",
                                             "[\"x\" [1 [+in]] nil]", "+PONG");
  for (size_t step = 1; step <= kMany.size(); ++step) EXPECT_THAT(Read(kMany, step), expected) << step;
}

TEST(ReplyDecoder, ASplitAtEveryByteMakesNoDifference) {
  const std::vector<std::string> whole = Read(kMany, kMany.size());
  for (size_t cut = 0; cut < kMany.size(); ++cut) {
    ReplyDecoder decoder;
    std::vector<std::string> out;
    for (const std::string_view part : {kMany.substr(0, cut), kMany.substr(cut)}) {
      decoder.Feed(part);
      Reply reply;
      while (decoder.Next(reply) == Outcome::kReply) out.push_back(Show(reply));
    }
    EXPECT_EQ(out, whole) << cut;
  }
}

TEST(ReplyDecoder, RefusesWhatIsNoReply) {
  for (const std::string_view bytes :
       {"hello\r\n", "\r\n", ":x\r\n", "$-2\r\n", "*-2\r\n", "$1\r\nabc\r\n", "$x\r\n"}) {
    EXPECT_EQ(Read(bytes, 1).back(), "broken") << bytes;
  }
}

TEST(ReplyDecoder, RefusesWhatIsTooDeepTooLongOrTooMany) {
  ReplyBounds bounds;
  bounds.bytes_max = 100;
  bounds.items_max = 10;
  bounds.depth_max = 2;
  EXPECT_THAT(Read("$101\r\n", 99, bounds), testing::ElementsAre("broken"));
  EXPECT_THAT(Read("*11\r\n", 99, bounds), testing::ElementsAre("broken"));
  EXPECT_THAT(Read("*1\r\n*1\r\n*1\r\n", 99, bounds), testing::ElementsAre("broken"));
  EXPECT_THAT(Read("*1\r\n*1\r\n:1\r\n", 99, bounds), testing::ElementsAre("[[1]]"));
  const std::string forty = "$40\r\n" + std::string(40, 'x') + "\r\n";
  EXPECT_EQ(Read("*9\r\n" + forty + "$60\r\n", 99, bounds).back(), "broken");
  EXPECT_THAT(Read("+" + std::string(70'000, 'x'), 70'001), testing::ElementsAre("broken"));
}

TEST(ReplyDecoder, AHugeCountAllocatesNothing) {
  ReplyDecoder decoder;
  decoder.Feed("*999999\r\n");
  Reply reply;
  EXPECT_EQ(decoder.Next(reply), Outcome::kMore);
  decoder.Feed("*9223372036854775807\r\n");
  EXPECT_EQ(decoder.Next(reply), Outcome::kBroken);
  EXPECT_EQ(decoder.Next(reply), Outcome::kBroken) << "broken is final";
}

TEST(Command, IsAListOfBinaryStrings) {
  EXPECT_EQ(Command("SET", {"k\r\n", ""}).Add(-5).Encode(), "*4\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$0\r\n\r\n$2\r\n-5\r\n");
}

TEST(Reply, NumbersMayComeAsText) {
  Reply reply;
  EXPECT_EQ(reply.AsInt(7), 7);
  reply.kind = Kind::kText;
  reply.text = "42";
  EXPECT_EQ(reply.AsInt(7), 42);
  reply.text = "4x";
  EXPECT_EQ(reply.AsInt(7), 7);
}

}  // namespace
}  // namespace gw::redis
