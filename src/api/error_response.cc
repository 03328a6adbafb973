#include "api/error_response.h"

#include <simdjson.h>

#include "base/json.h"

namespace gw::api {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the valid UTF-8 sequence that starts at text[at]; 0 when there is none.
size_t SequenceLength(std::string_view text, size_t at) {
  for (size_t length = 1; length <= 4 && at + length <= text.size(); ++length) {
    if (simdjson::validate_utf8(text.data() + at, length)) return length;
  }
  return 0;
}

// Upstreams put anything into their error bodies, also bytes that no JSON string may hold.
std::string RepairUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t at = 0; at < text.size();) {
    const size_t length = SequenceLength(text, at);
    if (length == 0) {
      out += kReplacement;
      ++at;
    } else {
      out.append(text.substr(at, length));
      at += length;
    }
  }
  return out;
}

void AppendText(std::string& out, std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) {
    json::AppendQuoted(out, text);
  } else {
    json::AppendQuoted(out, RepairUtf8(text));
  }
}

}  // namespace

std::string_view DefaultErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "internal_server_error";
  }
}

std::string_view AnthropicErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

std::string RenderOpenAiError(const Error& error) {
  std::string out;
  out.reserve(error.message.size() + 96);
  out += R"({"error":{"message":)";
  AppendText(out, error.message);
  out += R"(,"type":)";
  AppendText(out,
             error.type.empty() ? DefaultErrorType(error.status) : std::string_view(error.type));
  out += R"(,"param":)";
  if (error.param.empty()) {
    out += "null";
  } else {
    AppendText(out, error.param);
  }
  // compat: LiteLLM prints the status as text here, and SDKs show it as such.
  out += R"(,"code":")";
  out += std::to_string(error.status);
  out += R"("}})";
  return out;
}

std::string RenderAnthropicError(const Error& error) {
  std::string out = R"({"type":"error","error":{"type":")";
  out += AnthropicErrorType(error.status);
  out += R"(","message":)";
  AppendText(out, error.message);
  out += "}}";
  return out;
}

std::string RenderDetail(std::string_view detail) {
  std::string out = R"({"detail":)";
  AppendText(out, detail);
  out += '}';
  return out;
}

std::string RenderDetailError(std::string_view message) {
  std::string out = R"({"detail":{"error":)";
  AppendText(out, message);
  out += "}}";
  return out;
}

std::string RenderMetricsUnauthorized(const Error& error) {
  std::string text = "Unauthorized access to metrics endpoint: ";
  text += error.message;
  text +=
      " The endpoint asks for a key because litellm_settings.require_auth_for_metrics_endpoint is"
      " true; false opens it.";
  std::string out;
  AppendText(out, text);
  return out;
}

}  // namespace gw::api
