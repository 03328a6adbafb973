#include "telemetry/kept_request.h"

#include "base/limits.h"
#include "base/strings.h"

namespace gw::telemetry {
namespace {

// Of a body that is too long: members above this are left out.
constexpr size_t kMemberBytesMax = size_t{64} << 10;

// The last one counts. A form's fields are texts.
bool SaysNoLog(const std::vector<json::Member>& members, api::Endpoint endpoint) {
  bool no_log = false;
  for (const json::Member& member : members) {
    if (!member.KeyIs("no-log")) continue;
    const bool is_text = endpoint == api::Endpoint::kTranscriptions && member.kind == json::Kind::kString;
    no_log = member.kind == json::Kind::kTrue || (is_text && EqualsIgnoreCase(json::Unquote(member.value), "true"));
  }
  return no_log;
}

// The short members as an object; empty: one is missing that may say what must not be told.
std::string ShortMembers(const std::vector<json::Member>& members) {
  std::string out = "{";
  for (const json::Member& member : members) {
    const bool fits = member.value.size() <= kMemberBytesMax && member.key.size() <= kMemberBytesMax &&
                      out.size() + member.key.size() + member.value.size() + 8 <= limits::kTelemetryContentBytesMax / 2;
    if (!fits && (member.KeyIs("metadata") || member.KeyIs("litellm_metadata"))) return "";
    if (!fits) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(member.key).append("\":").append(member.value);
  }
  return out + "}";
}

}  // namespace

void KeepRequestBody(std::string_view body, const std::vector<json::Member>& members, bool ignore_no_log,
                     RequestRecord& record) {
  record.no_log = !ignore_no_log && SaysNoLog(members, record.endpoint);
  if (record.no_log) {
    record.headers.clear();
    return;
  }
  record.request_is_cut = body.size() > limits::kTelemetryContentBytesMax;
  if (record.request_is_cut) {
    record.request_body = ShortMembers(members);
  } else {
    record.request_body = body;
  }
}

}  // namespace gw::telemetry
