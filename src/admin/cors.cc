#include "admin/cors.h"

#include "base/strings.h"

namespace gw::admin {

namespace {

// QUERY is the safe method with a body that the reference's framework lists as well.
constexpr std::string_view kMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY";
constexpr std::string_view kExposed =
    "x-litellm-semantic-filter, x-litellm-semantic-filter-tools, x-litellm-adaptive-router-model, "
    "x-litellm-applied-guardrails, x-litellm-guardrail-scan-id, x-litellm-guardrail-scan-metadata, "
    "x-litellm-cache-key";

void Line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool IsListed(std::string_view list, std::string_view item) {
  for (const std::string_view part : Split(list, ',')) {
    if (Trim(part) == item) return true;
  }
  return false;
}

// What Access-Control-Allow-Origin says to this origin; empty: not allowed.
std::string_view AllowedOrigin(std::string_view origins, std::string_view origin) {
  if (Trim(origins) == "*" || IsListed(origins, "*")) return "*";
  return IsListed(origins, origin) ? origin : std::string_view();
}

}  // namespace

bool IsPreflight(std::string_view method, const CorsRequest& request) {
  return method == "OPTIONS" && !request.origin.empty() && !request.request_method.empty();
}

Answer PreflightAnswer(std::string_view origins, const CorsRequest& request) {
  Answer answer;
  answer.content_type = "text/plain; charset=utf-8";
  std::string refused;
  if (const std::string_view allowed = AllowedOrigin(origins, request.origin); !allowed.empty()) {
    Line(answer.header_lines, "access-control-allow-origin", allowed);
  } else {
    refused = "origin";
  }
  if (!IsListed(kMethods, request.request_method)) {
    refused += refused.empty() ? "method" : ", method";
  }
  Line(answer.header_lines, "access-control-allow-methods", kMethods);
  Line(answer.header_lines, "access-control-max-age", "600");
  if (!request.request_headers.empty()) {
    Line(answer.header_lines, "access-control-allow-headers", request.request_headers);
  }
  answer.status = refused.empty() ? 200 : 400;
  answer.body = refused.empty() ? "OK" : "Disallowed CORS " + refused;
  return answer;
}

void AppendCorsLines(std::string_view origins, std::string_view origin, std::string& out) {
  if (origin.empty()) return;
  const std::string_view allowed = AllowedOrigin(origins, origin);
  if (allowed.empty()) return;
  Line(out, "access-control-allow-origin", allowed);
  Line(out, "access-control-expose-headers", kExposed);
}

}  // namespace gw::admin
