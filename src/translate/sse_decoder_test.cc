#include "translate/sse_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gw::translate {
namespace {

using Status = SseDecoder::Status;

std::string Show(const SseEvent& event) {
  std::string shown(event.name);
  shown += '|';
  shown += event.data;
  if (event.multi_line) shown += "|multi";
  return shown;
}

// Decodes `pieces`, each in memory of its own that is gone before the next one comes.
std::vector<std::string> Decode(const std::vector<std::string>& pieces, size_t bytes_max = 1 << 20) {
  SseDecoder decoder(bytes_max);
  std::vector<std::string> events;
  SseEvent event;
  for (const std::string& piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    decoder.Push({copy.data(), copy.size()});
    Status status = decoder.Next(&event);
    for (; status == Status::kEvent; status = decoder.Next(&event)) events.push_back(Show(event));
    if (status == Status::kTooLong) {
      events.emplace_back("too long");
      return events;
    }
  }
  if (decoder.Flush(&event)) events.push_back("flushed:" + Show(event));
  return events;
}

struct Case {
  const char* name;
  std::string input;
  std::vector<std::string> events;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"LineFeeds", "data: a\n\ndata: b\n\n", {"|a", "|b"}},
      {"CarriageReturnLineFeeds", "data: a\r\n\r\ndata: b\r\n\r\n", {"|a", "|b"}},
      {"CarriageReturns", "data: a\r\rdata: b\r\r", {"|a", "|b"}},
      {"MixedLineEnds", "data: a\r\n\ndata: b\n\rdata: c\n\r\n", {"|a", "|b", "|c"}},
      {"Comments", ": hello\n\ndata: a\n: in between\n\n:\n\n", {"|a"}},
      {"NoSpaceBehindColon", "data:[DONE]\n\n", {"|[DONE]"}},
      {"OnlyOneSpaceIsTaken", "data:  a\n\n", {"| a"}},
      {"Names", "event: ping\ndata: {}\n\ndata: x\n\n", {"ping|{}", "|x"}},
      {"NameWithoutDataIsNoEvent", "event: lost\n\ndata: x\n\n", {"|x"}},
      {"DataLinesAreJoined", "data: a\ndata: b\ndata:\n\n", {"|a\nb\n|multi"}},
      {"EmptyData", "data\n\ndata:\n\n", {"|", "|"}},
      {"UnknownFields", "id: 7\nretry: 10\ndata: a\nfoo\n\n", {"|a"}},
      {"ByteOrderMark", "\xEF\xBB\xBF" "data: a\n\n", {"|a"}},
      {"LastEventWithoutBlankLine", "data: a\n\ndata: b", {"|a", "flushed:|b"}},
      {"LastEventWithoutSecondLineFeed", "data: b\n", {"flushed:|b"}},
      {"BlankLinesOnly", "\n\r\n\r\r\n", {}},
      {"Nothing", "", {}},
      {"ColonsInData", "data: {\"a\": \"b: c\"}\n\n", {"|{\"a\": \"b: c\"}"}},
  };
  return cases;
}

TEST(SseDecoder, SplitsEvents) {
  for (const Case& c : Cases()) EXPECT_EQ(Decode({c.input}), c.events) << c.name;
}

TEST(SseDecoder, SameEventsWhereverTheInputIsCut) {
  for (const Case& c : Cases()) {
    for (size_t cut = 0; cut <= c.input.size(); ++cut) {
      EXPECT_EQ(Decode({c.input.substr(0, cut), c.input.substr(cut)}), c.events)
          << c.name << " cut at " << cut;
    }
    std::vector<std::string> bytes;
    for (const char byte : c.input) bytes.emplace_back(1, byte);
    EXPECT_EQ(Decode(bytes), c.events) << c.name << " byte by byte";
  }
}

TEST(SseDecoder, EventInOneInputIsNotCopied) {
  const std::string input = "data: abc\n\ndata: def\n\n";
  SseDecoder decoder;
  decoder.Push(input);
  SseEvent event;
  ASSERT_EQ(decoder.Next(&event), Status::kEvent);
  EXPECT_EQ(event.data.data(), input.data() + 6);
  ASSERT_EQ(decoder.Next(&event), Status::kEvent);
  EXPECT_EQ(event.data.data(), input.data() + 17);
}

TEST(SseDecoder, TooLongEventIsRefusedHoweverItComes) {
  const std::string line = "data: " + std::string(40, 'x') + "\n\n";
  EXPECT_EQ(Decode({line}, 46), (std::vector<std::string>{"|" + std::string(40, 'x')}));
  EXPECT_EQ(Decode({line}, 45), std::vector<std::string>{"too long"});
  std::vector<std::string> bytes;
  for (const char byte : line) bytes.emplace_back(1, byte);
  EXPECT_EQ(Decode(bytes, 45), std::vector<std::string>{"too long"});
}

TEST(SseDecoder, ManyShortLinesOfOneEventAreBoundedTogether) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "data: 12345678\n";
  EXPECT_EQ(Decode({lines}, 200), std::vector<std::string>{"too long"});
}

TEST(SseDecoder, StaysTooLong) {
  SseDecoder decoder(4);
  decoder.Push("data: abcdef\n\n");
  SseEvent event;
  ASSERT_EQ(decoder.Next(&event), Status::kTooLong);
  decoder.Push("data\n\n");
  EXPECT_EQ(decoder.Next(&event), Status::kTooLong);
  EXPECT_FALSE(decoder.Flush(&event));
}

}  // namespace
}  // namespace gw::translate
