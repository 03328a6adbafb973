#include "admin/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gw::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr CorsRequest kBrowser{.origin = "https://app.example",
                               .request_method = "POST",
                               .request_headers = "authorization,content-type"};

TEST(Cors, PreflightNeedsOptionsOriginAndRequestedMethod) {
  EXPECT_TRUE(IsPreflight("OPTIONS", kBrowser));
  EXPECT_FALSE(IsPreflight("POST", kBrowser));
  EXPECT_FALSE(IsPreflight(
      "OPTIONS", {.origin = "https://app.example", .request_method = {}, .request_headers = {}}));
  EXPECT_FALSE(
      IsPreflight("OPTIONS", {.origin = {}, .request_method = "POST", .request_headers = {}}));
}

TEST(Cors, PreflightAnswersAsTheReference) {
  const Answer answer = PreflightAnswer("*", kBrowser);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "OK");
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(answer.header_lines,
            "access-control-allow-origin: *\r\n"
            "access-control-allow-methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY\r\n"
            "access-control-max-age: 600\r\n"
            "access-control-allow-headers: authorization,content-type\r\n");
}

TEST(Cors, PreflightWithoutRequestedHeadersNamesNone) {
  CorsRequest request = kBrowser;
  request.request_headers = {};
  EXPECT_THAT(PreflightAnswer("*", request).header_lines, Not(HasSubstr("allow-headers")));
}

TEST(Cors, ListedOriginIsEchoedOthersAreRefused) {
  const std::string_view list = "https://one.example, https://app.example";
  const Answer good = PreflightAnswer(list, kBrowser);
  EXPECT_EQ(good.status, 200);
  EXPECT_THAT(good.header_lines, HasSubstr("access-control-allow-origin: https://app.example\r\n"));
  const Answer bad = PreflightAnswer("https://one.example", kBrowser);
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "Disallowed CORS origin");
  EXPECT_THAT(bad.header_lines, Not(HasSubstr("allow-origin")));
}

TEST(Cors, UnknownMethodIsRefused) {
  CorsRequest request = kBrowser;
  request.request_method = "BREW";
  const Answer answer = PreflightAnswer("*", request);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "Disallowed CORS method");
}

TEST(Cors, OrdinaryAnswersGetLinesOnlyForAnAllowedOrigin) {
  std::string out;
  AppendCorsLines("*", "", out);
  EXPECT_EQ(out, "");
  AppendCorsLines("https://one.example", "https://evil.example", out);
  EXPECT_EQ(out, "");
  AppendCorsLines("*", "https://app.example", out);
  EXPECT_THAT(out, HasSubstr("access-control-allow-origin: *\r\n"));
  EXPECT_THAT(out, HasSubstr("access-control-expose-headers: x-litellm-semantic-filter, "));
  EXPECT_THAT(out, Not(HasSubstr("credentials")));
}

}  // namespace
}  // namespace gw::admin
