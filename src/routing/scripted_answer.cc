#include "routing/scripted_answer.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"

namespace gw::routing {
namespace {

struct Word {
  std::string_view word;
  ErrorClass cls;
  int status;
};

constexpr std::array<Word, 5> kWords = {{
    {"timeout", ErrorClass::kTimeout, 408},
    {"reset", ErrorClass::kInternalServer, 500},
    {"ctx", ErrorClass::kContextWindowExceeded, 400},
    {"policy", ErrorClass::kContentPolicyViolation, 400},
    {"permission", ErrorClass::kPermissionDenied, 403},
}};

ErrorClass ClassOf(int status) {
  switch (status) {
    case 400:
    case 422: return ErrorClass::kBadRequest;
    case 401: return ErrorClass::kAuthentication;
    case 404: return ErrorClass::kNotFound;
    case 408:
    case 504: return ErrorClass::kTimeout;
    case 429: return ErrorClass::kRateLimit;
    case 500: return ErrorClass::kInternalServer;
    case 502: return ErrorClass::kBadGateway;
    case 503: return ErrorClass::kServiceUnavailable;
    default: return ErrorClass::kApiError;
  }
}

bool IsSuccess(std::string_view answer) { return answer == "ok" || answer == "200"; }

constexpr std::string_view kAfter = "-after-";

}  // namespace

bool IsScriptedAnswer(std::string_view answer) {
  if (IsSuccess(answer)) return true;
  if (std::any_of(kWords.begin(), kWords.end(), [&](const Word& w) { return w.word == answer; })) {
    return true;
  }
  const size_t after = answer.find(kAfter);
  const auto status = ParseInt(answer.substr(0, after));
  if (!status || *status < 400 || *status > 599) return false;
  if (after == std::string_view::npos) return true;
  const auto seconds = ParseInt(answer.substr(after + kAfter.size()));
  return seconds && *seconds >= 0 && *seconds <= 1'000'000;
}

std::optional<Error> ScriptedError(std::string_view answer, std::string_view provider) {
  if (IsSuccess(answer)) return std::nullopt;
  Error error;
  error.source = ErrorSource::kUpstream;
  error.provider = provider;
  error.message = "upstream said " + std::string(answer);
  for (const Word& word : kWords) {
    if (word.word != answer) continue;
    error.cls = word.cls;
    error.status = word.status;
    return error;
  }
  const size_t after = answer.find(kAfter);
  error.status = static_cast<int>(ParseInt(answer.substr(0, after)).value_or(500));
  error.cls = ClassOf(error.status);
  if (after != std::string_view::npos) {
    const std::string_view seconds = answer.substr(after + kAfter.size());
    error.retry_after_s = static_cast<int>(ParseInt(seconds).value_or(-1));
  }
  return error;
}

}  // namespace gw::routing
