#include "base/error.h"

#include "base/strings.h"

namespace gw {

std::string_view ErrorClassName(ErrorClass cls) {
  switch (cls) {
    case ErrorClass::kBadRequest: return "BadRequestError";
    case ErrorClass::kAuthentication: return "AuthenticationError";
    case ErrorClass::kPermissionDenied: return "PermissionDeniedError";
    case ErrorClass::kNotFound: return "NotFoundError";
    case ErrorClass::kTimeout: return "Timeout";
    case ErrorClass::kRateLimit: return "RateLimitError";
    case ErrorClass::kContextWindowExceeded: return "ContextWindowExceededError";
    case ErrorClass::kContentPolicyViolation: return "ContentPolicyViolationError";
    case ErrorClass::kUnsupportedParams: return "UnsupportedParamsError";
    case ErrorClass::kInternalServer: return "InternalServerError";
    case ErrorClass::kBadGateway: return "BadGatewayError";
    case ErrorClass::kServiceUnavailable: return "ServiceUnavailableError";
    case ErrorClass::kApiError: return "APIError";
    case ErrorClass::kApiConnection: return "APIConnectionError";
    case ErrorClass::kNoDeployments: return "RouterRateLimitError";
    case ErrorClass::kProxy: return "ProxyException";
    case ErrorClass::kModelNotFound: return "ProxyModelNotFoundError";
  }
  return "InternalServerError";
}

std::string_view ShownClassName(const Error& error) {
  return error.shown_class.empty() ? ErrorClassName(error.cls) : error.shown_class;
}

Error ClientError(int status, std::string message, std::string type, std::string param) {
  Error error;
  error.cls = ErrorClass::kProxy;
  error.source = ErrorSource::kDownstream;
  error.status = status;
  error.message = std::move(message);
  error.type = std::move(type);
  error.param = std::move(param);
  return error;
}

std::string ExceptionClassLabel(const Error& error) {
  std::string label;
  if (!error.provider.empty()) {
    label = error.provider;
    label[0] = AsciiUpper(label[0]);
    label += '.';
  }
  label += ShownClassName(error);
  return label;
}

}  // namespace gw
