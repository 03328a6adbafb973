#include "translate/error_map.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/openai_test_support.h"
#include "translate/retry_after.h"

namespace gw::translate {
namespace {

std::string OpenAiBody(const char* type, const char* code, const char* message) {
  return std::string(R"({"error":{"message":")") + message + R"(","type":")" + type +
         R"(","param":"p","code":")" + code + R"("}})";
}

struct StatusCase {
  const char* provider;
  int upstream;
  ErrorClass cls;
  int status;
  const char* type;
  const char* param;
  const char* message;
};

TEST(UpstreamError, ClassStatusTypeAndMessage) {
  const StatusCase cases[] = {
      {"openai", 400, ErrorClass::kBadRequest, 400, "up_type", "p",
       "litellm.BadRequestError: OpenAIException - boom"},
      {"openai", 401, ErrorClass::kAuthentication, 401, "authentication_error", "",
       "litellm.AuthenticationError: AuthenticationError: OpenAIException - boom"},
      {"openai", 403, ErrorClass::kApiError, 403, "permission_error", "",
       "litellm.APIError: APIError: OpenAIException - boom"},
      {"openai", 404, ErrorClass::kNotFound, 404, "invalid_request_error", "",
       "litellm.NotFoundError: NotFoundError: OpenAIException - boom"},
      {"openai", 408, ErrorClass::kTimeout, 408, "invalid_request_error", "",
       "litellm.Timeout: APITimeoutError - Request timed out. Error_str: OpenAIException - boom"},
      {"openai", 409, ErrorClass::kApiError, 409, "invalid_request_error", "",
       "litellm.APIError: APIError: OpenAIException - boom"},
      {"openai", 413, ErrorClass::kApiError, 413, "invalid_request_error", "",
       "litellm.APIError: APIError: OpenAIException - boom"},
      {"hosted_vllm", 413, ErrorClass::kBadRequest, 413, "up_type", "p",
       "litellm.BadRequestError: Hosted_vllmException - boom"},
      {"openai", 422, ErrorClass::kBadRequest, 422, "up_type", "p",
       "litellm.BadRequestError: OpenAIException - boom"},
      {"openai", 429, ErrorClass::kRateLimit, 429, "throttling_error", "p",
       "litellm.RateLimitError: RateLimitError: OpenAIException - boom"},
      {"openai", 500, ErrorClass::kInternalServer, 500, "internal_server_error", "p",
       "litellm.InternalServerError: InternalServerError: OpenAIException - boom"},
      {"openai", 502, ErrorClass::kBadGateway, 502, "internal_server_error", "",
       "litellm.BadGatewayError: BadGatewayError: OpenAIException - boom"},
      {"openai", 503, ErrorClass::kServiceUnavailable, 503, "internal_server_error", "",
       "litellm.ServiceUnavailableError: ServiceUnavailableError: OpenAIException - boom"},
      {"openai", 504, ErrorClass::kTimeout, 504, "internal_server_error", "",
       "litellm.Timeout: APITimeoutError - Request timed out. Error_str: OpenAIException - boom"},
      {"openai", 529, ErrorClass::kApiError, 529, "internal_server_error", "",
       "litellm.APIError: APIError: OpenAIException - boom"},
      {"openai", 302, ErrorClass::kApiError, 302, "invalid_request_error", "",
       "litellm.APIError: APIError: OpenAIException - boom"},
      {"anthropic", 403, ErrorClass::kPermissionDenied, 403, "permission_error", "",
       "litellm.PermissionDeniedError: PermissionDeniedError: AnthropicException - boom"},
      {"anthropic", 413, ErrorClass::kBadRequest, 400, "invalid_request_error", "",
       "litellm.BadRequestError: AnthropicException - boom"},
      {"anthropic", 422, ErrorClass::kBadRequest, 422, "invalid_request_error", "",
       "litellm.BadRequestError: AnthropicException - boom"},
      {"anthropic", 503, ErrorClass::kInternalServer, 500, "internal_server_error", "",
       "litellm.InternalServerError: InternalServerError: AnthropicException - boom"},
      {"anthropic", 529, ErrorClass::kInternalServer, 500, "internal_server_error", "",
       "litellm.InternalServerError: InternalServerError: AnthropicException - boom"},
  };
  for (const StatusCase& c : cases) {
    const config::Deployment deployment = MakeDeployment(c.provider, "m");
    const Error error = MapUpstreamError(deployment, c.upstream, OpenAiBody("up_type", "x", "boom"), {});
    EXPECT_EQ(error.cls, c.cls) << c.upstream;
    EXPECT_EQ(error.status, c.status) << c.upstream;
    EXPECT_EQ(error.type, c.type) << c.upstream;
    EXPECT_EQ(error.param, c.param) << c.upstream;
    EXPECT_EQ(error.message, c.message) << c.upstream;
    EXPECT_EQ(error.provider, c.provider);
    EXPECT_EQ(error.source, ErrorSource::kUpstream);
    EXPECT_EQ(error.retry_after_s, -1);
  }
}

TEST(UpstreamError, TextDecidesBeforeTheStatus) {
  struct Case {
    int status;
    std::string body;
    ErrorClass cls;
  };
  const Case cases[] = {
      {400, OpenAiBody("invalid_request_error", "context_length_exceeded", "too much"),
       ErrorClass::kContextWindowExceeded},
      {400, OpenAiBody("x", "y", "This model's maximum context length is 4096 tokens."),
       ErrorClass::kContextWindowExceeded},
      {500, OpenAiBody("x", "y", "the request exceeds the available context size"),
       ErrorClass::kContextWindowExceeded},
      {400, R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})",
       ErrorClass::kContextWindowExceeded},
      {400, OpenAiBody("x", "y", "string too long. Expected a string with maximum length 10"),
       ErrorClass::kContextWindowExceeded},
      {400, OpenAiBody("x", "y", "Invalid 'user': string too long. Expected a string with maximum length 64"),
       ErrorClass::kBadRequest},
      {400, OpenAiBody("invalid_request_error", "content_policy_violation", "flagged"),
       ErrorClass::kContentPolicyViolation},
      {400, OpenAiBody("other", "content_policy_violation", "flagged"), ErrorClass::kBadRequest},
      {400, OpenAiBody("x", "ResponsibleAIPolicyViolation", "flagged"),
       ErrorClass::kContentPolicyViolation},
      {429, OpenAiBody("x", "context_length_exceeded", "too much"), ErrorClass::kRateLimit},
  };
  for (const Case& c : cases) {
    const Error error = MapUpstreamError(MakeDeployment("openai", "m"), c.status, c.body, {});
    EXPECT_EQ(error.cls, c.cls) << c.body;
    if (c.cls == ErrorClass::kContextWindowExceeded || c.cls == ErrorClass::kContentPolicyViolation) {
      EXPECT_EQ(error.status, 400);
      EXPECT_EQ(error.type, "invalid_request_error");
      EXPECT_TRUE(error.param.empty());
    }
  }
}

TEST(UpstreamError, WordsOfEveryBodyShape) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"error":"model 'x' not found"})", "model 'x' not found"},
      {R"({"type":"error","error":{"type":"api_error","message":"no"}})", "no"},
      {R"({"object":"error","message":"old vllm","code":400})", "old vllm"},
      {R"({"detail":"fastapi"})", "fastapi"},
      {R"({"detail":[{"msg":"field required"}]})", R"([{"msg":"field required"}])"},
      {R"({"error":{"code":5}})", R"({"error":{"code":5}})"},
      {R"({"error":{"message":"a\nb \u00e9"}})", "a\nb \u00e9"},
      {"<html>502</html>", "Error code: 502"},
      {"", "Error code: 502"},
      {"  \n", "Error code: 502"},
      {"upstream connect error", "upstream connect error"},
      {"bad \xFF\xC3( byte \xE2\x82\xAC \xED\xA0\x80", "bad ?" "?( byte \xE2\x82\xAC ?" "?" "?"},
      {R"({"error": )", R"({"error":)"},
  };
  for (const auto& [body, words] : cases) EXPECT_EQ(ReadErrorBody(body, 502).message, words) << body;
}

TEST(UpstreamError, NeverShowsTheDeploymentsKey) {
  const config::Deployment deployment = MakeDeployment("openai", "m");
  const Error error = MapUpstreamError(deployment, 401, R"({"error":"bad key sk-upstream, sk-upstream"})", {});
  EXPECT_EQ(error.message,
            "litellm.AuthenticationError: AuthenticationError: OpenAIException - bad key ***, ***");
}

TEST(UpstreamError, LongTextsAreCutBetweenCharacters) {
  std::string text;
  while (text.size() < 5000) text += "\u00e9";
  const Error error =
      MapUpstreamError(MakeDeployment("openai", "m"), 500, R"({"error":")" + text + "\"}", {});
  EXPECT_LT(error.message.size(), 4300U);
  EXPECT_TRUE(error.message.ends_with("\u00e9..."));
}

TEST(UpstreamError, HeadersAreKeptWithoutHopByHop) {
  const HeaderList headers = {{"Retry-After", "7"}, {"X-Request-Id", "r"}, {"Connection", "close"},
                              {"Transfer-Encoding", "chunked"}};
  const Error error = MapUpstreamError(MakeDeployment("openai", "m"), 429, "", headers);
  EXPECT_EQ(error.retry_after_s, 7);
  EXPECT_EQ(error.upstream_headers, (HeaderList{{"retry-after", "7"}, {"x-request-id", "r"}}));
}

TEST(RetryAfter, SecondsAndDates) {
  const std::string now = "Wed, 21 Oct 2015 07:28:00 GMT";
  const std::pair<HeaderList, int> cases[] = {
      {{}, -1},
      {{{"retry-after", "0"}}, 0},
      {{{"Retry-After", " 12 "}}, 12},
      {{{"retry-after", "1.2"}}, 2},
      {{{"retry-after", "-3"}}, -1},
      {{{"retry-after", "nan"}}, -1},
      {{{"retry-after", "soon"}}, -1},
      {{{"retry-after", "99999999999"}}, 366 * 24 * 3600},
      {{{"retry-after", "Wed, 21 Oct 2015 07:29:30 GMT"}, {"Date", now}}, 90},
      {{{"retry-after", "Sun, 01 Nov 2015 07:28:00 GMT"}, {"Date", now}}, 11 * 24 * 3600},
      {{{"retry-after", "Wed, 21 Oct 2015 07:27:00 GMT"}, {"Date", now}}, 0},
      {{{"retry-after", "Wed, 21 Oct 2015 07:29:30 GMT"}}, -1},
      {{{"retry-after", "Wed, 41 Oct 2015 07:29:30 GMT"}, {"date", now}}, -1},
  };
  for (const auto& [headers, seconds] : cases) EXPECT_EQ(RetryAfterSeconds(headers), seconds);
}

TEST(OtherErrors, NoAnswerAndNoGoodAnswer) {
  const config::Deployment deployment = MakeDeployment("openai", "m");
  const Error refused = MapConnectionError(deployment, "");
  EXPECT_EQ(refused.message,
            "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.");
  EXPECT_EQ(refused.cls, ErrorClass::kInternalServer);
  EXPECT_EQ(refused.status, 500);

  const Error late = MapTimeout(deployment, 2.0, 2.004);
  EXPECT_EQ(late.cls, ErrorClass::kTimeout);
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(late.type, "invalid_request_error");
  EXPECT_NE(late.message.find("timeout value=2.0, time taken=2.0 seconds"), std::string::npos)
      << late.message;

  const Error broken = MapStreamBreak(deployment, "cut");
  EXPECT_EQ(broken.cls, ErrorClass::kApiConnection);
  EXPECT_EQ(broken.message, "litellm.APIConnectionError: APIConnectionError: OpenAIException - cut");
  EXPECT_EQ(MapBadAnswer(deployment, "x").cls, ErrorClass::kInternalServer);
}

TEST(ErrorEvent, TextThenCodeThenBrokenConnection) {
  const config::Deployment deployment = MakeDeployment("openai", "m");
  const Error plain = MapErrorEvent(deployment, OpenAiBody("server_error", "internal_error", "boom"));
  EXPECT_EQ(plain.cls, ErrorClass::kApiConnection);
  EXPECT_EQ(plain.status, 500);
  EXPECT_EQ(plain.type, "internal_server_error");
  EXPECT_EQ(MapErrorEvent(deployment, OpenAiBody("x", "429", "slow")).cls, ErrorClass::kRateLimit);
  EXPECT_EQ(MapErrorEvent(deployment, OpenAiBody("x", "context_length_exceeded", "long")).cls,
            ErrorClass::kContextWindowExceeded);
}

// What the metrics of deployments show; the client is told the mapped class.
TEST(StreamError, IsLoggedUnderTheBareExceptionOfALibrary) {
  struct Case {
    const char* provider;
    const char* broken;
    const char* late;
    const char* event;
    const char* event_status;
    const char* event_shown;
  };
  const Case cases[] = {
      {"openai", "APIConnectionError", "APITimeoutError", "APIError", "internal_error", "Openai.APIConnectionError"},
      {"hosted_vllm", "ReadError", "ReadTimeout", "OpenAIError", "500", "Hosted_vllm.InternalServerError"},
      {"anthropic", "ReadError", "ReadTimeout", "AnthropicError", "500", "Anthropic.InternalServerError"},
  };
  for (const Case& c : cases) {
    const config::Deployment deployment = MakeDeployment(c.provider, "m");
    const Error broken = MapStreamBreak(deployment, "cut");
    EXPECT_EQ(broken.logged_class, c.broken);
    EXPECT_EQ(broken.logged_status, "");
    const Error late = MapStreamTimeout(deployment, 1, 1);
    EXPECT_EQ(late.logged_class, c.late);
    EXPECT_EQ(late.status, 408);
    const Error event = MapErrorEvent(deployment, OpenAiBody("server_error", "internal_error", "boom"));
    EXPECT_EQ(event.logged_class, c.event);
    EXPECT_EQ(event.logged_status, c.event_status);
    EXPECT_EQ(ExceptionClassLabel(event), c.event_shown);
  }
  const Error odd = MapErrorEvent(MakeDeployment("openai", "m"), OpenAiBody("t", "no word at all", "boom"));
  EXPECT_EQ(odd.logged_status, "");
}

// The router treats them alike; only the names differ.
TEST(OtherErrors, OllamaAndAnthropicHaveNamesOfTheirOwn) {
  const Error refused = MapConnectionError(MakeDeployment("ollama_chat", "m"), "");
  EXPECT_EQ(refused.cls, ErrorClass::kInternalServer);
  EXPECT_EQ(ExceptionClassLabel(refused), "Ollama_chat.APIConnectionError");
  EXPECT_TRUE(refused.message.starts_with("litellm.APIConnectionError: ")) << refused.message;
  EXPECT_EQ(ExceptionClassLabel(MapTimeout(MakeDeployment("ollama_chat", "m"), 1, 1)), "Ollama.Timeout");
  const config::Deployment anthropic = MakeDeployment("anthropic", "m");
  EXPECT_EQ(ExceptionClassLabel(MapConnectionError(anthropic, "")), "Anthropic.InternalServerError");
  EXPECT_EQ(ExceptionClassLabel(MapBadAnswer(anthropic, "x")), "Anthropic.APIConnectionError");
  EXPECT_EQ(ExceptionClassLabel(MapBadAnswer(MakeDeployment("openai", "m"), "x")), "Openai.InternalServerError");
  const config::Deployment text = MakeDeployment("text-completion-openai", "m");
  EXPECT_EQ(ExceptionClassLabel(MapUpstreamError(text, 500, "", {})), "Openai.InternalServerError");
  EXPECT_EQ(ExceptionClassLabel(MapTimeout(text, 1, 1)), "Openai.Timeout");
}

TEST(StreamError, HasTheSpacesOfTheReference) {
  Error error = MapStreamBreak(MakeDeployment("openai", "m"), "say \"no\"");
  std::string out;
  AppendOpenAiStreamError(error, out);
  EXPECT_EQ(out,
            "data: {\"error\": {\"message\": \"litellm.APIConnectionError: APIConnectionError: "
            "OpenAIException - say \\\"no\\\"\", \"type\": \"internal_server_error\", \"param\": null, "
            "\"code\": \"500\"}}\n\ndata: [DONE]\n\n");
}

}  // namespace
}  // namespace gw::translate
