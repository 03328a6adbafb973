#include "api/error_response.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/json_tree.h"

namespace gw::api {
namespace {

Error MakeError(int status, std::string message, std::string type = "", std::string param = "") {
  Error error;
  error.status = status;
  error.message = std::move(message);
  error.type = std::move(type);
  error.param = std::move(param);
  return error;
}

TEST(ErrorResponse, OpenAiBodyHasTheFourMembersInOrder) {
  EXPECT_EQ(RenderOpenAiError(MakeError(400, "no \"model\"", "bad_request_error", "model")),
            R"({"error":{"message":"no \"model\"","type":"bad_request_error",)"
            R"("param":"model","code":"400"}})");
}

TEST(ErrorResponse, MissingParamIsNull) {
  EXPECT_EQ(RenderOpenAiError(MakeError(401, "no", "auth_error")),
            R"({"error":{"message":"no","type":"auth_error","param":null,"code":"401"}})");
}

TEST(ErrorResponse, TypeFollowsTheStatusWhenTheErrorNamesNone) {
  struct Row {
    int status;
    const char* type;
  };
  for (const Row& row : std::initializer_list<Row>{{400, "invalid_request_error"},
                                                   {401, "authentication_error"},
                                                   {403, "permission_error"},
                                                   {404, "invalid_request_error"},
                                                   {408, "invalid_request_error"},
                                                   {413, "invalid_request_error"},
                                                   {429, "rate_limit_error"},
                                                   {499, "invalid_request_error"},
                                                   {500, "internal_server_error"},
                                                   {502, "internal_server_error"},
                                                   {503, "internal_server_error"}}) {
    EXPECT_EQ(DefaultErrorType(row.status), row.type) << row.status;
    const std::string body = RenderOpenAiError(MakeError(row.status, "x"));
    EXPECT_NE(body.find("\"type\":\"" + std::string(row.type) + "\""), std::string::npos) << body;
  }
}

TEST(ErrorResponse, AnthropicBodyTakesItsTypeFromTheStatus) {
  EXPECT_EQ(RenderAnthropicError(MakeError(400, "m", "ignored")),
            R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})");
  struct Row {
    int status;
    const char* type;
  };
  for (const Row& row : std::initializer_list<Row>{{401, "authentication_error"},
                                                   {403, "permission_error"},
                                                   {404, "not_found_error"},
                                                   {408, "invalid_request_error"},
                                                   {413, "request_too_large"},
                                                   {429, "rate_limit_error"},
                                                   {500, "api_error"},
                                                   {503, "api_error"},
                                                   {529, "overloaded_error"}}) {
    EXPECT_EQ(AnthropicErrorType(row.status), row.type) << row.status;
  }
}

TEST(ErrorResponse, EveryMessageYieldsValidJson) {
  for (const std::string& message :
       {std::string("\xff\xfe broken \x80 end"), std::string("cut \xE2\x82"),
        std::string("nul\0in", 6), std::string("line\nbreak\ttab\x01"),
        std::string("\xF0\x9F\x98\x80 fine"), std::string("surrogate \xED\xA0\x80")}) {
    for (const std::string& body :
         {RenderOpenAiError(MakeError(500, message, message, message)),
          RenderAnthropicError(MakeError(500, message)), RenderDetail(message),
          RenderDetailError(message), RenderMetricsUnauthorized(MakeError(401, message))}) {
      EXPECT_EQ(json::ValidateUnpadded(body), nullptr) << body;
    }
  }
}

TEST(ErrorResponse, GoodTextAroundBadBytesSurvives) {
  const auto tree =
      json::ParseTree(RenderDetail("a\xff"
                                   "b \xE2\x82\xAC"));
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(json::GetString(tree->as_object(), "detail"),
            "a\xEF\xBF\xBD"
            "b \xE2\x82\xAC");
}

TEST(ErrorResponse, DetailShapes) {
  EXPECT_EQ(RenderDetail("Not Found"), R"({"detail":"Not Found"})");
  EXPECT_EQ(RenderDetailError("gone"), R"({"detail":{"error":"gone"}})");
}

TEST(ErrorResponse, ClosedMetricsAnswerIsAStringWithTheWayOut) {
  const std::string body = RenderMetricsUnauthorized(MakeError(401, "Authentication Error, x."));
  EXPECT_EQ(body.find("\"Unauthorized access to metrics endpoint: Authentication Error, x."), 0U);
  EXPECT_NE(body.find("require_auth_for_metrics_endpoint"), std::string::npos);
}

}  // namespace
}  // namespace gw::api
