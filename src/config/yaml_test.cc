// Does our YAML mean what PyYAML says? tests/python/yaml_differential.py asks it at length.
#include <gtest/gtest.h>

#include "config/yaml_parser.h"
#include "config/yaml_resolver.h"

namespace gw::config::yaml {
namespace {

struct Case {
  std::string_view text;
  std::string_view json;
};

void ExpectAll(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(DumpYamlAsJson(c.text), c.json) << c.text;
}

TEST(Yaml, BooleansAreThoseOfVersion11) {
  ExpectAll({{"[yes, No, ON, off, true, FALSE]", "[true,false,true,false,true,false]"},
             {"[y, n, yEs, tRue, 'yes', \"on\"]", R"(["y","n","yEs","tRue","yes","on"])"}});
}

TEST(Yaml, NullHasFourSpellings) {
  ExpectAll({{"[~, null, Null, NULL, nULL, '']", R"([null,null,null,null,"nULL",""])"},
             {"a:\nb: ~\n", R"({"a":null,"b":null})"}});
}

TEST(Yaml, IntegersHaveOctalBinaryHexAndSexagesimalForms) {
  ExpectAll({{"[0, -1, +1, 1_000, 010, 0b101, 0x1F, -0x10, 190:20:30, 0_0]",
              "[0,-1,1,1000,8,5,31,-16,685230,0]"},
             {"[08, 0o17, 1:99, _1, 0b2, 1,000]", R"(["08","0o17","1:99","_1","0b2",1,0])"}});
}

TEST(Yaml, IntegersBeyondSixtyFourBitsKeepTheirDigits) {
  ExpectAll({{"[9223372036854775807, 9223372036854775808, 0xFFFFFFFFFFFFFFFFFFFF]",
              "[9223372036854775807,9223372036854775808,1208925819614629174706175]"}});
}

TEST(Yaml, FloatsNeedAPointAndASignedExponent) {
  ExpectAll(
      {{"[1.5, 1., .5, 1.5e+3, 1.5e-07, 1_0.5, 1:30.5]", "[1.5,1.0,0.5,1500.0,1.5e-07,10.5,90.5]"},
       {"[1e5, 1e-05, 1.5e3, -.5]", R"(["1e5","1e-05","1.5e3","-.5"])"},
       {"[.inf, -.INF, .nan]", "[Infinity,-Infinity,NaN]"}});
}

TEST(Yaml, TimestampsStayStrings) {
  ExpectAll({{"[2024-01-01, 2001-12-14t21:59:43.10-05:00]",
              R"(["2024-01-01","2001-12-14t21:59:43.10-05:00"])"}});
}

TEST(Yaml, MergedKeysComeFirstAndOwnKeysWin) {
  ExpectAll(
      {{"b: &b {x: 1, y: 2}\nm:\n  y: 3\n  <<: *b\n", R"({"b":{"x":1,"y":2},"m":{"x":1,"y":3}})"},
       {"m: {<<: [{x: 1}, {x: 2, z: 3}], w: 0}", R"({"m":{"x":1,"z":3,"w":0}})"},
       {"m: {'<<': {a: 1}}", R"({"m":{"<<":{"a":1}}})"}});
  EXPECT_EQ(DumpYamlAsJson("m: {<<: 1}").substr(0, 6), "error:");
  EXPECT_EQ(DumpYamlAsJson("- <<").substr(0, 6), "error:");
}

TEST(Yaml, LastOfEqualKeysWinsInThePlaceOfTheFirst) {
  const Parsed parsed = Parse("a: 1\nb: 2\na: 3\n");
  ASSERT_FALSE(parsed.error);
  std::string json;
  AppendJson(json, parsed.root);
  EXPECT_EQ(json, R"({"a":3,"b":2})");
  ASSERT_EQ(parsed.warnings.size(), 1U);
  EXPECT_EQ(parsed.warnings[0].place.line, 3);
  EXPECT_NE(parsed.warnings[0].message.find("\"a\""), std::string::npos);
}

TEST(Yaml, AnOverriddenMergedKeyIsNoDuplicate) {
  EXPECT_TRUE(Parse("b: &b {x: 1}\nm:\n  <<: *b\n  x: 2\n").warnings.empty());
}

TEST(Yaml, OneAndTrueAreTheSameKeyAsInPython) {
  ExpectAll({{"1: a\ntrue: b\n'1': c\n", R"({"1":"b","1":"c"})"}});
}

TEST(Yaml, AliasesAreCopies) {
  ExpectAll({{"a: &x [1, &y 2]\nb: *x\nc: *y\n", R"({"a":[1,2],"b":[1,2],"c":2})"},
             {"&k key: v\nother: *k\n", R"({"key":"v","other":"key"})"}});
}

TEST(Yaml, MalformedAnchorsAreRefusedWithTheirPlace) {
  EXPECT_EQ(DumpYamlAsJson("a: 1\nb: *no\n"), "error: 2:4: undefined alias *no");
  EXPECT_EQ(DumpYamlAsJson("a: &x [*x]\n"), "error: 1:8: alias *x is inside its own anchor");
  EXPECT_EQ(DumpYamlAsJson("a: &x 1\nb: &x 2\n"), "error: 2:4: duplicate anchor &x");
}

TEST(Yaml, AliasBombIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string from = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + from;
    for (int j = 0; j < 9; ++j) text += ", " + from;
    text += "]\n";
  }
  const Parsed parsed = Parse(text);
  ASSERT_TRUE(parsed.error);
  EXPECT_EQ(parsed.error->message, "aliases multiply to too many values");
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_FALSE(Parse(std::string(90, '[') + std::string(90, ']')).error);
  EXPECT_TRUE(Parse(std::string(20'000, '[')).error);
}

TEST(Yaml, ExplicitTagsOfPlainTypesAreHonoured) {
  ExpectAll({{"[!!str 1, !!int '3', !!float 3, !!bool 'yes', !!null x, !!float '1e5', ! 7]",
              R"(["1",3,3.0,true,null,100000.0,7])"}});
  for (const char* text : {"!!int abc", "!!bool maybe", "!foo 1", "!!python/object:os.system x",
                           "!!binary aGk=", "!!set {a}"}) {
    EXPECT_EQ(DumpYamlAsJson(text).substr(0, 6), "error:") << text;
  }
}

TEST(Yaml, OneDocumentOnly) {
  EXPECT_EQ(DumpYamlAsJson("--- 1\n--- 2\n").substr(0, 6), "error:");
  ExpectAll({{"", "null"}, {"# only a comment\n", "null"}, {"---\n...\n", "null"}});
}

TEST(Yaml, KeysAreScalars) {
  EXPECT_EQ(DumpYamlAsJson("? [a]\n: b\n"), "error: 1:3: a key cannot be a list or mapping");
  ExpectAll({{"yes: 1\n~: 2\n1.5: 3\n=: 4\n", R"({"true":1,"null":2,"1.5":3,"=":4})"}});
}

TEST(Yaml, NodesRememberTheirPlace) {
  const Parsed parsed = Parse("a:\n  - b: x\n    c: [1,\n        2]\n", 7);
  ASSERT_FALSE(parsed.error);
  const Node* c = parsed.root.Find("a")->items[0].Find("c");
  EXPECT_EQ(c->place.line, 3);
  EXPECT_EQ(c->place.column, 8);
  EXPECT_EQ(c->items[1].place.line, 4);
  EXPECT_EQ(c->place.file, 7);
}

TEST(Yaml, InvalidTextIsRefused) {
  for (const std::string_view text :
       {"a: [1", "a: 'x", "\xff\xfe\xff", "a: \x07", "a:\n\tb: 1", "{a:}"}) {
    EXPECT_EQ(DumpYamlAsJson(text).substr(0, 6), "error:") << text;
  }
}

}  // namespace
}  // namespace gw::config::yaml
