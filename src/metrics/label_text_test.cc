#include "metrics/label_text.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace gw::metrics {
namespace {

std::string Cleaned(std::string_view value) {
  std::string out;
  AppendLabelValue(out, value);
  return out;
}

std::string RenderedText(std::vector<std::string> names, std::vector<std::string_view> values) {
  LabelText labels;
  LabelOrder(names).Render(values, labels);
  return labels.text;
}

TEST(LabelText, NewlinesBecomeSpacesAndOtherBreaksVanish) {
  EXPECT_EQ(Cleaned("a\nb\rc\xE2\x80\xA8" "d\xE2\x80\xA9" "e"), "a bcde");
}

TEST(LabelText, QuotesAndBackslashesAreEscapedOnce) {
  EXPECT_EQ(Cleaned(R"(a"b\c)"), R"(a\"b\\c)");
}

TEST(LabelText, Utf8PassesUnchanged) {
  EXPECT_EQ(Cleaned("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
}

TEST(LabelText, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(Cleaned("a\xFF" "b"), "a\xEF\xBF\xBD" "b");
  EXPECT_EQ(Cleaned("\xC3"), "\xEF\xBF\xBD");                                    // cut short
  EXPECT_EQ(Cleaned("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                    // overlong
  EXPECT_EQ(Cleaned("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");    // surrogate
  EXPECT_EQ(Cleaned("\xF4\x90\x80\x80").size(), 12U);                            // > U+10FFFF
}

TEST(LabelText, LongValuesAreCut) {
  EXPECT_EQ(CutLabelValue(std::string(5000, 'x')).size(), limits::kLabelValueBytesMax);
  const std::string fits(limits::kLabelValueBytesMax, 'x');
  EXPECT_EQ(CutLabelValue(fits), fits);
}

TEST(LabelText, TheCutNeverSplitsACharacter) {
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string value(shift, 'x');
    while (value.size() < 1000) value += "\xF0\x9F\x98\x80";
    const std::string_view cut = CutLabelValue(value);
    EXPECT_EQ((cut.size() - shift) % 4, 0U) << shift;
    EXPECT_GT(cut.size(), limits::kLabelValueBytesMax - 4) << shift;
  }
}

TEST(LabelText, LabelsAreSortedByName) {
  EXPECT_EQ(RenderedText({"team", "api_base", "model"}, {"t", "b", "m"}),
            R"(api_base="b",model="m",team="t")");
}

TEST(LabelText, MissingValuesAreEmpty) {
  EXPECT_EQ(RenderedText({"b", "a"}, {"1"}), R"(a="",b="1")");
}

TEST(LabelText, LeKeepsItsSortedPlace) {
  LabelText labels;
  const std::vector<std::string> around = {"model", "api_base"};
  const std::vector<std::string_view> values = {"m", "b"};
  LabelOrder(around).Render(values, labels);
  EXPECT_EQ(labels.text.substr(labels.le_at), R"(model="m")");
  const std::vector<std::string> before = {"api_base"};
  LabelOrder(before).Render(values, labels);
  EXPECT_EQ(labels.le_at, labels.text.size());
}

TEST(LabelText, HelpIsEscapedPerFormat) {
  std::string text;
  AppendHelp(text, "a\nb\\c\"d", false);
  EXPECT_EQ(text, "a\\nb\\\\c\"d");
  text.clear();
  AppendHelp(text, "a\"b", true);
  EXPECT_EQ(text, "a\\\"b");
}

}  // namespace
}  // namespace gw::metrics
