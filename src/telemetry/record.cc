#include "telemetry/record.h"

#include <algorithm>

#include "base/json.h"
#include "base/strings.h"

namespace gw::telemetry {

size_t RequestRecord::Bytes() const {
  size_t bytes = sizeof(RequestRecord) + request_body.capacity() + response_body.capacity() + error_message.size() +
                 requested_model.size() + end_user.size() + path.size() + user_agent.size();
  for (const AttemptRecord& attempt : attempts)
    bytes += sizeof(AttemptRecord) + attempt.error_message.size() + attempt.upstream_model.size();
  for (const auto& [name, value] : headers) bytes += sizeof(headers[0]) + name.size() + value.size();
  return bytes;
}

std::unique_ptr<RequestRecord> RequestRecord::Started() const {
  auto record = std::make_unique<RequestRecord>(*this);
  record->kind = Kind::kStarted;
  return record;
}

void RequestRecord::MakeUtf8() {
  for (std::string* body : {&request_body, &response_body}) {
    if (!body->empty()) *body = json::CopyAsUtf8(*body);
  }
}

// SplitMix64: ids need to differ, nothing else.
SpanId RequestRecord::NextSpanId() {
  seed += 0x9E3779B97F4A7C15ULL;
  uint64_t z = seed;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return SpanIdFrom(z ^ (z >> 31));
}

AttemptRecord* RequestRecord::RunningAttempt(const config::Deployment* on) {
  for (auto it = attempts.rbegin(); it != attempts.rend(); ++it) {
    if (it->deployment == on && it->outcome == AttemptRecord::Outcome::kRunning) return &*it;
  }
  return nullptr;
}

bool IsCredentialName(std::string_view name) {
  const std::string lower = ToLower(name);
  for (const std::string_view part : {"apikey", "secret", "password", "passwd", "authoriz", "authentic", "cookie",
                                      "credential", "oidc", "bearer"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  constexpr std::string_view kSeparators = "-_. ";
  for (size_t begin = 0; begin < lower.size();) {
    const size_t end = std::min(lower.find_first_of(kSeparators, begin), lower.size());
    const std::string_view word = std::string_view(lower).substr(begin, end - begin);
    for (const std::string_view known : {"key", "keys", "auth", "oauth", "jwt", "pwd", "passphrase"}) {
      if (word == known) return true;
    }
    // "accesstoken", "sessiontoken", "privatekey"; not "tokens".
    if (word.ends_with("token") || word.ends_with("privatekey") || word.ends_with("accesskey")) return true;
    begin = end + 1;
  }
  return false;
}

bool IsLoggedHeader(std::string_view name) {
  const bool is_wanted = StartsWithIgnoreCase(name, "langfuse_") || StartsWithIgnoreCase(name, "litellm-") ||
                         StartsWithIgnoreCase(name, "x-");
  return is_wanted && !IsCredentialName(name);
}

}  // namespace gw::telemetry
