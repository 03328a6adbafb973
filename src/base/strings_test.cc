#include "base/strings.h"

#include <gtest/gtest.h>

namespace gw {
namespace {

TEST(PythonFloat, PrintsAsPythonDoes) {
  EXPECT_EQ(PythonFloat(0), "0.0");
  EXPECT_EQ(PythonFloat(2.25e-06), "2.25e-06");
  EXPECT_EQ(PythonFloat(0.013000000000000001), "0.013000000000000001");
  EXPECT_EQ(PythonFloat(6000), "6000.0");
  EXPECT_EQ(PythonFloat(1e16), "1e+16");
  EXPECT_EQ(PythonFloat(123456789012345680.0), "1.2345678901234568e+17");
  EXPECT_EQ(PythonFloat(-0.0001), "-0.0001");
}

TEST(GlobMatch, StarTakesTheLongestRun) {
  std::vector<std::string_view> runs;
  EXPECT_TRUE(GlobMatch("openai/*", "openai/gpt/4", &runs));
  EXPECT_EQ(runs, std::vector<std::string_view>{"gpt/4"});
  EXPECT_TRUE(GlobMatch("a*b*c", "aXbYbZc", &runs));
  EXPECT_EQ(runs, (std::vector<std::string_view>{"XbY", "Z"}));
  EXPECT_FALSE(GlobMatch("a*bc", "abbd", &runs));
  EXPECT_FALSE(GlobMatch("ab*ba", "aba", &runs));
  EXPECT_TRUE(GlobMatch("*", "", &runs));
  EXPECT_TRUE(GlobMatch("plain", "plain", nullptr));
}

TEST(Sha256Hex, MatchesKnownDigest) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(MakeUuid, HasVersionFourShapeAndDiffers) {
  const std::string a = MakeUuid(), b = MakeUuid();
  ASSERT_EQ(a.size(), 36U);
  EXPECT_EQ(a[14], '4');
  EXPECT_EQ(a[8], '-');
  EXPECT_NE(a, b);
}

TEST(PercentDecode, KeepsMalformedEscapes) {
  EXPECT_EQ(PercentDecode("a%2Fb%zz%2", false), "a/b%zz%2");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
}

TEST(ParseNumbers, RefuseTrailingText) {
  EXPECT_EQ(ParseInt("12"), 12);
  EXPECT_FALSE(ParseInt("12a"));
  EXPECT_FALSE(ParseInt(""));
  EXPECT_EQ(ParseDouble("1.5"), 1.5);
  EXPECT_FALSE(ParseDouble("abc"));
}

}  // namespace
}  // namespace gw
