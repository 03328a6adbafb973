#include "admin/routes_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/route_table.h"

namespace gw::admin {
namespace {

using testing::HasSubstr;

TEST(RoutesEndpoint, ListsEveryRowOfTheTable) {
  const Answer answer = RoutesAnswer();
  EXPECT_EQ(answer.status, 200);
  const auto tree = json::ParseTree(answer.body);
  ASSERT_TRUE(tree.has_value());
  const json::Array& routes = tree->at("routes").as_array();
  ASSERT_EQ(routes.size(), api::AllRoutes().size());
  const json::Object& first = routes.at(0).as_object();
  EXPECT_EQ(json::GetString(first, "path"), "/v1/chat/completions");
  EXPECT_EQ(json::Serialize(first.at("methods")), R"(["POST"])");
  for (const json::Value& route : routes) {
    EXPECT_FALSE(json::GetString(route.as_object(), "name").empty());
    EXPECT_GE(route.at("methods").as_array().size(), 1U);
  }
}

TEST(RoutesEndpoint, RootIsAPageUnlessDocsAreOff) {
  const Answer page = RootAnswer(false);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("Intertie"));
  const Answer off = RootAnswer(true);
  EXPECT_EQ(off.status, 404);
  EXPECT_EQ(off.body, R"({"detail":"Not Found"})");
}

TEST(RoutesEndpoint, TestNamesItself) { EXPECT_EQ(TestAnswer().body, R"({"route":"/test"})"); }

TEST(RoutesEndpoint, OptionsIsEmptyWithTheMethods) {
  const Answer answer = OptionsAnswer("GET, HEAD, OPTIONS");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.content_type, "");
  EXPECT_EQ(answer.header_lines,
            "allow: GET, HEAD, OPTIONS\r\naccess-control-allow-methods: GET, HEAD, OPTIONS\r\n"
            "access-control-allow-headers: *\r\n");
}

TEST(RoutesEndpoint, WrongMethodCarriesAllow) {
  const Answer answer = MethodNotAllowedAnswer("POST");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.body, R"({"detail":"Method Not Allowed"})");
  EXPECT_EQ(answer.header_lines, "allow: POST\r\n");
}

TEST(RoutesEndpoint, RedirectIsRelativeAndKeepsTheQuery) {
  EXPECT_EQ(RedirectAnswer("", "/v1/models", "").header_lines, "location: /v1/models\r\n");
  EXPECT_EQ(RedirectAnswer("/llm/", "/test", "").header_lines, "location: /llm/test\r\n");
  const Answer answer = RedirectAnswer("/llm", "/v1/models", "a=b&c=%20");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.header_lines, "location: /llm/v1/models?a=b&c=%20\r\n");
}

TEST(Query, FindsDecodesAndDistinguishesEmptyFromAbsent) {
  EXPECT_EQ(QueryValue("model=qwen2.5%3A3b&x=1", "model"), "qwen2.5:3b");
  EXPECT_EQ(QueryValue("a=1&model=two+words", "model"), "two words");
  EXPECT_EQ(QueryValue("mod%65l=x", "model"), "x");
  EXPECT_EQ(QueryValue("model=", "model"), "");
  EXPECT_EQ(QueryValue("model", "model"), "");
  EXPECT_EQ(QueryValue("models=x", "model"), std::nullopt);
  EXPECT_EQ(QueryValue("", "model"), std::nullopt);
  EXPECT_EQ(QueryValue("model=a&model=b", "model"), "a");
}

TEST(Query, FlagsReadAsTheReferencesFramework) {
  for (const char* yes : {"f=true", "f=True", "f=1", "f=yes", "f=on"})
    EXPECT_TRUE(QueryFlag(yes, "f"));
  for (const char* no : {"", "f=", "f=false", "f=0", "g=true"}) EXPECT_FALSE(QueryFlag(no, "f"));
}

}  // namespace
}  // namespace gw::admin
