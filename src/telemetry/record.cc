#include "telemetry/record.h"

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

bool IsLoggedHeader(std::string_view name) {
  if (StartsWithIgnoreCase(name, "langfuse_") || StartsWithIgnoreCase(name, "litellm-")) return true;
  if (!StartsWithIgnoreCase(name, "x-")) return false;
  for (const std::string_view part : {"key", "token", "auth", "secret", "cookie", "password", "credential", "jwt"}) {
    if (ContainsIgnoreCase(name, part)) return false;
  }
  return true;
}

}  // namespace gw::telemetry
