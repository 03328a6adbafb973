#include "translate/think_tags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"

namespace gw::translate {
namespace {

// "R:..." and "T:..." with neighbours of the same kind joined.
std::string Split(const std::vector<std::string>& texts) {
  ThinkTagSplitter splitter;
  std::string out;
  char last = 0;
  const auto emit = [&](bool reasoning, std::string_view escaped) {
    const char kind = reasoning ? 'R' : 'T';
    if (kind != last) out += std::string(last == 0 ? "" : "|") + kind + ":";
    last = kind;
    out += escaped;
  };
  for (const std::string& text : texts) {
    std::string value;
    json::AppendQuoted(value, text);
    splitter.Feed(value, emit);
  }
  splitter.Finish(emit);
  return out;
}

TEST(ThinkTagSplitter, TextWithinTagsIsReasoning) {
  EXPECT_EQ(Split({"<think>", "a\nb", "</think>", "c"}), R"(R:a\nb|T:c)");
  EXPECT_EQ(Split({"x<think>y</think>z"}), "T:x|R:y|T:z");
  EXPECT_EQ(Split({"<think>never closed"}), "R:never closed");
}

TEST(ThinkTagSplitter, SameAtEveryCut) {
  const std::string text = "a < b <think>c < d</think>e <thin";
  const std::string want = Split({text});
  EXPECT_EQ(want, "T:a < b |R:c < d|T:e <thin");
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Split({text.substr(0, cut), text.substr(cut)}), want) << cut;
  }
}

TEST(ThinkTagSplitter, SeesTagsWrittenWithEscapes) {
  ThinkTagSplitter splitter;
  std::string out;
  splitter.Feed(R"("\u003cthink\u003eab\u003C/think\u003ecd")",
                [&](bool reasoning, std::string_view text) {
                  out += reasoning ? "R:" : "T:";
                  out += text;
                });
  EXPECT_EQ(out, "R:abT:cd");
}

TEST(ThinkTagSplitter, TextWithoutTagIsNotTouched) {
  ThinkTagSplitter splitter;
  std::string out;
  splitter.Feed(R"("\/ \ud83d\ude80 \u00fc")", [&](bool, std::string_view text) { out += text; });
  EXPECT_EQ(out, R"(\/ \ud83d\ude80 \u00fc)");
}

TEST(SplitLeadingThink, OnlyAtTheBeginning) {
  std::string reasoning, content;
  ASSERT_TRUE(SplitLeadingThink(R"(" \n<think>r\n</think>\nc")", &reasoning, &content));
  EXPECT_EQ(reasoning, R"(r\n)");
  EXPECT_EQ(content, R"(\nc)");
  ASSERT_TRUE(SplitLeadingThink(R"("\u003cthink\u003er\u003c/think\u003ec")", &reasoning, &content));
  EXPECT_FALSE(SplitLeadingThink(R"("the tag <think>r</think>c")", &reasoning, &content));
  EXPECT_FALSE(SplitLeadingThink(R"("<think>open")", &reasoning, &content));
  EXPECT_FALSE(SplitLeadingThink("", &reasoning, &content));
  EXPECT_FALSE(SplitLeadingThink("\"\"", &reasoning, &content));
}

}  // namespace
}  // namespace gw::translate
