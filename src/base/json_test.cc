#include "base/json.h"

#include <gtest/gtest.h>

namespace gw::json {
namespace {

std::string Padded(std::string_view text) {
  std::string s;
  s.reserve(text.size() + kPadding);
  s = text;
  return s;
}

TEST(Validate, AcceptsAndRefusesAsAParserMust) {
  EXPECT_EQ(Validate(Padded(R"({"a":[1,2,{"b":null}]})")), nullptr);
  EXPECT_NE(Validate(Padded(R"({"a":1,})")), nullptr);
  EXPECT_NE(Validate(Padded("{\"a\":\"\xff\"}")), nullptr);
  EXPECT_NE(Validate(Padded("")), nullptr);
  EXPECT_NE(Validate(Padded(std::string(200, '[') + std::string(200, ']'))), nullptr);
  EXPECT_EQ(Validate(Padded(std::string(100, '[') + std::string(100, ']'))), nullptr);
  EXPECT_EQ(ValidateUnpadded("{}"), nullptr);
}

TEST(Validate, LargeDocumentsDoNotBreakTheNextSmallOne) {
  EXPECT_EQ(Validate(Padded("{\"a\":\"" + std::string(3 << 20, 'x') + "\"}")), nullptr);
  EXPECT_EQ(Validate(Padded("[1]")), nullptr);
}

TEST(MemberCursor, SeesEveryMemberWithItsSpan) {
  const std::string text = R"( { "a" : "x\"y" , "mod\u0065l":[1,{"q":"}"}], "c":-1.5e3,"d":{} } )";
  MemberCursor c(text);
  ASSERT_TRUE(c.Next());
  EXPECT_TRUE(c.member().KeyIs("a"));
  EXPECT_EQ(c.member().value, R"("x\"y")");
  EXPECT_EQ(text.substr(c.member().begin, c.member().end - c.member().begin), R"("a" : "x\"y")");
  ASSERT_TRUE(c.Next());
  EXPECT_TRUE(c.member().KeyIs("model"));
  EXPECT_EQ(c.member().value, R"([1,{"q":"}"}])");
  ASSERT_TRUE(c.Next());
  EXPECT_EQ(c.member().kind, Kind::kNumber);
  EXPECT_EQ(c.member().value, "-1.5e3");
  ASSERT_TRUE(c.Next());
  EXPECT_EQ(c.member().kind, Kind::kObject);
  EXPECT_FALSE(c.Next());
}

TEST(CollectMembers, KeepsOrderAndDecodesOnlyEscapedKeys) {
  std::vector<Member> members(3);
  CollectMembers(R"({"a":1,"mod\u0065l":"x"})", members);
  ASSERT_EQ(members.size(), 2U);
  std::string buffer;
  EXPECT_EQ(members[0].PlainKey(buffer), "a");
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(members[1].PlainKey(buffer), "model");
}

TEST(MemberCursor, EmptyObjectHasNone) {
  MemberCursor c("{ }");
  EXPECT_FALSE(c.Next());
}

TEST(ElementCursor, WalksMixedArrays) {
  ElementCursor c(R"([ "a,]" , [1,2], {"x":1},true])");
  std::vector<std::string> seen;
  while (c.Next()) seen.emplace_back(c.value());
  EXPECT_EQ(seen, (std::vector<std::string>{R"("a,]")", "[1,2]", R"({"x":1})", "true"}));
}

TEST(Find, TheLastOfDuplicateKeysCounts) {
  EXPECT_EQ(Find(R"({"model":"a","x":1,"model":"b"})", "model"), R"("b")");
  EXPECT_FALSE(Find(R"({"x":1})", "model"));
}

TEST(Unquote, DecodesEscapesAndSurrogates) {
  EXPECT_EQ(Unquote(R"("a\n\"\u00e9\ud83d\ude00\/")"), "a\n\"é😀/");
  EXPECT_EQ(Unquote(R"("\ud83d")"), "\xEF\xBF\xBD");
}

TEST(AppendQuoted, RoundTripsThroughUnquote) {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  std::string quoted;
  AppendQuoted(quoted, all);
  EXPECT_EQ(Unquote(quoted), all);
  EXPECT_EQ(ValidateUnpadded(quoted), nullptr);
}

TEST(IsSimpleStringContent, AgreesWithTheParser) {
  for (const char* content : {"", "plain", " words ", "a\\n\\\"b", "gr\xc3\xbc\xc3\x9f", "\\", "a\"b", "a\nb", "\\x", "\xff",
                              "a\\", "\xf0\x9f\x9a\x80", "\xf0\x9f"}) {
    const std::string quoted = "\"" + std::string(content) + "\"";
    EXPECT_EQ(IsSimpleStringContent(content), ValidateUnpadded(quoted) == nullptr) << content;
  }
  EXPECT_FALSE(IsSimpleStringContent("\\u0041"));
}

TEST(ToInt, TakesWholeNumbersInEverySpelling) {
  EXPECT_EQ(ToInt("12"), 12);
  EXPECT_EQ(ToInt("1e2"), 100);
  EXPECT_FALSE(ToInt("1.5"));
  EXPECT_FALSE(ToInt("\"1\""));
}

}  // namespace
}  // namespace gw::json
