// What went wrong, as data: who is at fault, what the client is told, whether a retry makes sense.
//
// The place that finds the fact fills Error in; api/error_response.cc turns it into the answer;
// routing/ decides about retries and cooldowns from `cls` and `status` alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gw {

// LiteLLM's exception classes, because clients, alerts and retry policies name them.
enum class ErrorClass : uint8_t {
  kBadRequest,
  kAuthentication,
  kPermissionDenied,
  kNotFound,
  kTimeout,
  kRateLimit,
  kContextWindowExceeded,
  kContentPolicyViolation,
  kUnsupportedParams,
  kInternalServer,
  kBadGateway,
  kServiceUnavailable,
  kApiError,        // any other status of an upstream
  kApiConnection,   // a stream that broke after its first chunk
  kNoDeployments,   // the router found nothing to call
  kProxy,           // refused by the gateway itself: bad key, bad JSON
  kModelNotFound,   // the gateway does not know the model name
};

// The class name that LiteLLM prints, for example "RateLimitError".
[[nodiscard]] std::string_view ErrorClassName(ErrorClass cls);

enum class ErrorSource : uint8_t { kDownstream, kGateway, kUpstream };

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Error {
  ErrorClass cls = ErrorClass::kInternalServer;
  ErrorSource source = ErrorSource::kGateway;
  int status = 500;          // HTTP status for the client
  std::string message;       // complete, with LiteLLM's prefix; never holds a secret
  std::string type;          // error.type of the body
  std::string param;         // error.param; empty prints null
  std::string provider;      // "openai": prefixes exception_class in metrics; empty when none is at fault
  std::string_view limit_kind{};  // our own 429: "requests", "tokens", "concurrent_requests", "budget"
  int retry_after_s = -1;    // < 0: the answer had none
  HeaderList upstream_headers;  // of the failed answer; printed as llm_provider-*
  bool client_set_timeout = false;  // a 408 that the client asked for: never cools a deployment
  bool can_continue = false;        // mid_stream, yet the stream may go on at another deployment
  bool mid_stream = false;          // content had already reached the client
  // compat: where LiteLLM names another class than `cls`, which decides what is done. Static text.
  std::string_view shown_class{};   // in messages and metrics
  // compat: what breaks inside a stream is logged under the bare exception of a client library, and with
  // `logged_status`, or "None". Only the failures of deployments show it.
  std::string_view logged_class{};
  std::string logged_status;
};

// The gateway refuses what the client sent.
[[nodiscard]] Error ClientError(int status, std::string message, std::string type, std::string param);

// shown_class, else the name of `cls`.
[[nodiscard]] std::string_view ShownClassName(const Error& error);

// "Openai.RateLimitError", or the bare class when no provider is named.
[[nodiscard]] std::string ExceptionClassLabel(const Error& error);

}  // namespace gw
