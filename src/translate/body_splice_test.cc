#include "translate/body_splice.h"

#include <gtest/gtest.h>

#include <string>

namespace gw::translate {
namespace {

// Removes the members whose keys are in `drop`, replaces the value of "r" by 0, adds `additions`.
std::string EditTop(const std::string& object, std::string_view drop, std::string_view additions) {
  EditList edits(object);
  ObjectEditor editor(object, &edits);
  for (json::MemberCursor c(object); c.Next();) {
    if (c.member().KeyIs("r")) editor.ReplaceValue(c.member(), "0");
    else if (drop.find(c.member().key) != std::string_view::npos) editor.Remove(c.member());
    else editor.Keep(c.member());
  }
  std::string scratch, out;
  editor.Finish(additions, &scratch);
  edits.AppendTo(out);

  BodyPieces pieces;
  edits.AppendTo(pieces);
  EXPECT_EQ(pieces.Flatten(), out);
  EXPECT_EQ(pieces.size(), out.size());
  return out;
}

struct EditCase {
  const char* object;
  const char* drop;
  const char* additions;
  const char* expected;
};

TEST(ObjectEditor, KeepsTheCommasRight) {
  const EditCase cases[] = {
      {R"({"a":1,"b":2,"c":3})", "", "", R"({"a":1,"b":2,"c":3})"},
      {R"({"a":1,"b":2,"c":3})", "a", "", R"({"b":2,"c":3})"},
      {R"({"a":1,"b":2,"c":3})", "b", "", R"({"a":1,"c":3})"},
      {R"({"a":1,"b":2,"c":3})", "c", "", R"({"a":1,"b":2})"},
      {R"({"a":1,"b":2,"c":3})", "ab", "", R"({"c":3})"},
      {R"({"a":1,"b":2,"c":3})", "ac", "", R"({"b":2})"},
      {R"({"a":1,"b":2,"c":3})", "bc", "", R"({"a":1})"},
      {R"({"a":1,"b":2,"c":3})", "abc", "", R"({})"},
      {R"({"a":1,"b":2,"c":3})", "abc", R"("n":4)", R"({"n":4})"},
      {R"({"a":1,"b":2,"c":3})", "c", R"("n":4)", R"({"a":1,"b":2,"n":4})"},
      {R"({"a":1,"b":2,"c":3})", "", R"("n":4)", R"({"a":1,"b":2,"c":3,"n":4})"},
      {R"({})", "", R"("n":4)", R"({"n":4})"},
      {R"({ })", "", R"("n":4)", R"({"n":4 })"},
      {R"( { "a" : 1 , "r" : [1, 2] , "b" : { } } )", "a", "", R"( { "r" : 0 , "b" : { } } )"},
      {R"({"r":1,"a":1,"r":2})", "a", "", R"({"r":0,"r":0})"},
      {R"({"a":"}","b":"\"","c":[{}]})", "b", "", R"({"a":"}","c":[{}]})"},
  };
  for (const EditCase& c : cases) {
    const std::string out = EditTop(c.object, c.drop, c.additions);
    EXPECT_EQ(out, c.expected) << c.object << " without " << c.drop;
    EXPECT_EQ(json::ValidateUnpadded(out), nullptr) << out;
  }
}

TEST(ObjectEditor, InsertsFirstMember) {
  for (const auto& [object, expected] : std::vector<std::pair<std::string, std::string>>{
           {"{}", R"({"x":1})"}, {"{ }", R"({"x":1 })"}, {R"({"a":2})", R"({"x":1,"a":2})"}}) {
    EditList edits(object);
    ObjectEditor editor(object, &edits);
    editor.InsertFirst(R"("x":1)");
    for (json::MemberCursor c(object); c.Next();) editor.Keep(c.member());
    editor.Finish({}, nullptr);
    std::string out;
    edits.AppendTo(out);
    EXPECT_EQ(out, expected);
  }
}

TEST(ObjectEditor, ReplacesKeyHoweverItIsSpelled) {
  const std::string object = R"({"a\u0062":1,"z":2})";
  EditList edits(object);
  ObjectEditor editor(object, &edits);
  for (json::MemberCursor c(object); c.Next();) {
    if (c.member().KeyIs("ab")) editor.ReplaceKey(c.member(), R"("new")");
    else editor.Keep(c.member());
  }
  editor.Finish({}, nullptr);
  std::string out;
  edits.AppendTo(out);
  EXPECT_EQ(out, R"({"new":1,"z":2})");
}

TEST(RemovePath, FollowsDotsAndBrackets) {
  const std::string body =
      R"({"a":{"b":{"c":1,"d":2},"b":{"c":3}},"t":[{"f":{"s":true,"n":"x"}},{"f":{"s":false}},7]})";
  const std::pair<const char*, const char*> cases[] = {
      {"a.b.c", R"({"a":{"b":{"d":2},"b":{}},"t":[{"f":{"s":true,"n":"x"}},{"f":{"s":false}},7]})"},
      {"a.b", R"({"a":{},"t":[{"f":{"s":true,"n":"x"}},{"f":{"s":false}},7]})"},
      {"t[*].f.s", R"({"a":{"b":{"c":1,"d":2},"b":{"c":3}},"t":[{"f":{"n":"x"}},{"f":{}},7]})"},
      {"t[1].f", R"({"a":{"b":{"c":1,"d":2},"b":{"c":3}},"t":[{"f":{"s":true,"n":"x"}},{},7]})"},
      {"t", R"({"a":{"b":{"c":1,"d":2},"b":{"c":3}}})"},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(RemovePath(body, path), expected) << path;
}

TEST(RemovePath, NamesNothing) {
  const std::string body = R"({"a":{"b":1},"t":[{"x":1}]})";
  for (const char* path : {"", ".", "a..b", "x.y", "a.b.c", "t.x", "t[9].x", "t[x].x", "t[-1].x",
                           "t[*", "t]", "t[*]", "[0]", "a[0]", "t[0]x"}) {
    EXPECT_EQ(RemovePath(body, path), body) << path;
  }
}

TEST(RemovePath, DecodesKeysOfTheBody) {
  EXPECT_EQ(RemovePath(R"({"\u0061":{"b":1,"\u0062":2,"c":3}})", "a.b"), R"({"\u0061":{"c":3}})");
}

}  // namespace
}  // namespace gw::translate
