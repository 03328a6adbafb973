#include "translate/ndjson.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gw::translate {
namespace {

std::vector<std::string> Lines(const std::vector<std::string_view>& pieces) {
  NdjsonSplitter splitter;
  std::vector<std::string> lines;
  std::string_view line;
  for (const std::string_view piece : pieces) {
    splitter.Append(piece);
    while (splitter.Next(&line) == NdjsonSplitter::Step::kLine) lines.emplace_back(line);
  }
  if (splitter.TakeRest(&line) == NdjsonSplitter::Step::kLine) lines.emplace_back(line);
  return lines;
}

TEST(NdjsonSplitter, LinesAreTheSameAtEveryCut) {
  const std::string text = "{\"a\":1}\n\r\n  {\"b\":\"\xC3\xBC\"}\r\n\n{\"c\":3}";
  const std::vector<std::string> want = {"{\"a\":1}", "{\"b\":\"\xC3\xBC\"}", "{\"c\":3}"};
  const std::string_view all = text;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Lines({all.substr(0, cut), all.substr(cut)}), want) << cut;
  }
}

TEST(NdjsonSplitter, NothingComesFromNothing) {
  EXPECT_TRUE(Lines({}).empty());
  EXPECT_TRUE(Lines({"\n\r\n", "", " \n"}).empty());
}

TEST(NdjsonSplitter, LimitHoldsForWholeAndForUnfinishedLines) {
  std::string_view line;
  NdjsonSplitter whole(8);
  whole.Append("12345678\n123456789\n");
  EXPECT_EQ(whole.Next(&line), NdjsonSplitter::Step::kLine);
  EXPECT_EQ(whole.Next(&line), NdjsonSplitter::Step::kTooLong);

  NdjsonSplitter unfinished(8);
  unfinished.Append("12345");
  EXPECT_EQ(unfinished.Next(&line), NdjsonSplitter::Step::kNeedMore);
  unfinished.Append("6789");
  EXPECT_EQ(unfinished.Next(&line), NdjsonSplitter::Step::kTooLong);
}

}  // namespace
}  // namespace gw::translate
