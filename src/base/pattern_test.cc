#include "base/pattern.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace gw {
namespace {

bool IsIn(std::string_view expression, std::string_view text) {
  auto pattern = Pattern::Compile(expression);
  EXPECT_TRUE(pattern.ok()) << expression;
  return pattern.ok() && pattern->IsIn(text);
}

TEST(Pattern, IsSearchedForNotAnchored) {
  EXPECT_TRUE(IsIn("curl/[78]", "User-Agent: curl/8.1"));
  EXPECT_TRUE(IsIn("^User-Agent: claude-code/", "User-Agent: claude-code/1.2"));
  EXPECT_FALSE(IsIn("^curl", "User-Agent: curl/8.1"));
  EXPECT_TRUE(IsIn("(?i)CURL", "curl"));
  EXPECT_TRUE(IsIn("", ""));
}

TEST(Pattern, InvalidExpressionSaysWhere) {
  auto pattern = Pattern::Compile("a(b");
  ASSERT_FALSE(pattern.ok());
  EXPECT_NE(pattern.error().message.find("at character 3"), std::string::npos);
  EXPECT_FALSE(Pattern::Compile(std::string(5000, 'a')).ok());
}

TEST(Pattern, CatastrophicExpressionsEnd) {
  const std::string text = std::string(3000, 'a') + "!";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(IsIn("^(a+)+$", text));
  EXPECT_FALSE(IsIn("(x+x+)+y", std::string(3000, 'x')));
  EXPECT_FALSE(IsIn("^(?:(?:a|aa)+)+b$", text));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(Pattern, BytesThatAreNoTextDoNotMatter) {
  EXPECT_TRUE(IsIn("bot", std::string_view("\xff\xfe\0bot", 6)));
}

}  // namespace
}  // namespace gw
