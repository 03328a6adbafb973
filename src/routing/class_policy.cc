#include "routing/class_policy.h"

namespace gw::routing {
namespace {

int ClassValue(const config::PerClassPolicy& policy, ErrorClass cls) {
  switch (cls) {
    case ErrorClass::kBadRequest:
    case ErrorClass::kUnsupportedParams:
    case ErrorClass::kContextWindowExceeded:
      return policy.bad_request;
    case ErrorClass::kContentPolicyViolation:
      return policy.content_policy >= 0 ? policy.content_policy : policy.bad_request;
    case ErrorClass::kAuthentication: return policy.authentication;
    case ErrorClass::kTimeout: return policy.timeout;
    case ErrorClass::kRateLimit: return policy.rate_limit;
    case ErrorClass::kInternalServer: return policy.internal_server;
    case ErrorClass::kServiceUnavailable: return policy.service_unavailable;
    case ErrorClass::kBadGateway: return policy.bad_gateway;
    case ErrorClass::kNotFound: return policy.not_found;
    case ErrorClass::kPermissionDenied:
    case ErrorClass::kApiError:
    case ErrorClass::kApiConnection:
    case ErrorClass::kNoDeployments:
    case ErrorClass::kProxy:
    case ErrorClass::kModelNotFound:
      return -1;
  }
  return -1;
}

}  // namespace

int PolicyValue(const config::PerClassPolicy& policy, const Error& error) {
  if (error.status == 404 && policy.not_found >= 0) return policy.not_found;
  const int value = ClassValue(policy, error.cls);
  return value >= 0 ? value : policy.default_value;
}

}  // namespace gw::routing
