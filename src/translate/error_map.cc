#include "translate/error_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>

#include "base/json.h"
#include "base/strings.h"
#include "translate/retry_after.h"
#include "translate/translator.h"

namespace gw::translate {

namespace {

// Texts of upstreams are shown to clients and written to logs: enough to be understood.
constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kSecretBytesMin = 6;  // a shorter "key" is a placeholder such as "none"

constexpr auto kContextWindowTexts = std::to_array<std::string_view>({
    "this model's maximum context length is",
    "exceed context limit",
    "requested token count exceeds the model's maximum context length",
    "model's maximum context limit",
    "is longer than the model's context length",
    "input tokens exceed the configured limit",
    "exceeds the available context size",
    "prompt is too long",
    "context_length_exceeded",
});

bool IsContextWindowText(std::string_view lower) {
  for (const std::string_view text : kContextWindowTexts) {
    if (lower.find(text) != std::string_view::npos) return true;
  }
  // The same words about the `user` parameter say nothing about the prompt.
  return lower.find("string too long. expected a string with maximum length") !=
             std::string_view::npos &&
         lower.find("'user'") == std::string_view::npos;
}

bool IsContentPolicyText(std::string_view lower) {
  const auto has = [lower](std::string_view word) {
    return lower.find(word) != std::string_view::npos;
  };
  return (has("invalid_request_error") && has("content_policy_violation")) ||
         has("responsibleaipolicyviolation");
}

// Length of the UTF-8 character that begins with `lead`; 0: none does.
size_t CharacterBytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// JSON strings must be UTF-8, an upstream's plain text need not be: other bytes become '?'.
std::string CleanText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = CharacterBytes(lead);
    bool good = size > 0 && i + size <= text.size();
    for (size_t k = 1; good && k < size; ++k)
      good = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    if (good && size >= 3) {
      const auto next = static_cast<unsigned char>(text[i + 1]);
      good = !(lead == 0xE0 && next < 0xA0) && !(lead == 0xED && next >= 0xA0) &&
             !(lead == 0xF0 && next < 0x90) && !(lead == 0xF4 && next >= 0x90);
    }
    if (good) {
      out.append(text, i, size);
      i += size;
    } else {
      out += '?';
      ++i;
    }
  }
  return out;
}

// Cuts at a character boundary.
void CutText(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += "...";
}

void HideSecret(std::string& text, std::string_view secret) {
  if (secret.size() < kSecretBytesMin) return;
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "***");
}

std::string TextOf(const json::Member& member) {
  if (member.kind == json::Kind::kString) return json::Unquote(member.value);
  if (member.kind == json::Kind::kNull) return {};
  return std::string(member.value);
}

void ReadErrorObject(std::string_view object, UpstreamErrorText* out) {
  for (json::MemberCursor c(object); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("message")) out->message = TextOf(member);
    else if (member.KeyIs("type")) out->type = TextOf(member);
    else if (member.KeyIs("param")) out->param = TextOf(member);
    else if (member.KeyIs("code")) out->code = TextOf(member);
  }
}

// Fills `out` from a JSON body; false when it says nothing we know.
bool ReadErrorJson(std::string_view body, UpstreamErrorText* out) {
  const std::string_view text = json::TrimSpace(body);
  if (!text.starts_with('{') || json::ValidateUnpadded(text) != nullptr) return false;
  const auto error = json::Find(text, "error");
  if (error && json::KindOf(*error) == json::Kind::kObject) {
    ReadErrorObject(*error, out);
  } else if (error && json::KindOf(*error) == json::Kind::kString) {
    out->message = json::Unquote(*error);
  } else {
    ReadErrorObject(text, out);  // {"message": ...}, {"object":"error","message": ...}
    if (const auto detail = json::Find(text, "detail"); detail && out->message.empty()) {
      out->message = json::KindOf(*detail) == json::Kind::kString ? json::Unquote(*detail)
                                                                  : std::string(*detail);
    }
  }
  if (out->message.empty()) out->message = std::string(text);
  return true;
}

struct StatusRule {
  int status;
  ErrorClass cls;
  bool type_of_upstream = false;
  bool param_of_upstream = false;
};
constexpr auto kStatusRules = std::to_array<StatusRule>({
    {400, ErrorClass::kBadRequest, true, true},
    {401, ErrorClass::kAuthentication},
    {403, ErrorClass::kPermissionDenied},
    {404, ErrorClass::kNotFound},
    {408, ErrorClass::kTimeout},
    {413, ErrorClass::kBadRequest, true, true},
    {422, ErrorClass::kBadRequest, true, true},
    {429, ErrorClass::kRateLimit, false, true},
    {500, ErrorClass::kInternalServer, false, true},
    {502, ErrorClass::kBadGateway},
    {503, ErrorClass::kServiceUnavailable},
    {504, ErrorClass::kTimeout},
});

bool IsOllama(const config::Deployment& deployment) {
  return deployment.row != nullptr && (deployment.row->dialect == config::Dialect::kOllamaChat ||
                                       deployment.row->dialect == config::Dialect::kOllamaGenerate);
}

bool IsAnthropic(const config::Deployment& deployment) {
  return deployment.row != nullptr && deployment.row->dialect == config::Dialect::kAnthropic;
}

// LiteLLM calls these through OpenAI's client library, whose exceptions it maps in ways of its own.
bool IsOpenAiItself(const config::Deployment& deployment) {
  return deployment.provider == "openai" || deployment.provider == "text-completion-openai";
}

// compat: errors of the completions API name the provider whose library it is.
std::string BlamedProvider(const config::Deployment& deployment) {
  return deployment.provider == "text-completion-openai" ? "openai" : deployment.provider;
}

// What the client library calls a failure inside a stream: for the logs nothing maps it.
struct LoggedNames {
  std::string_view broken, timeout, event;
};
LoggedNames LoggedNamesOf(const config::Deployment& deployment) {
  if (IsAnthropic(deployment)) return {"ReadError", "ReadTimeout", "AnthropicError"};
  if (IsOllama(deployment)) return {"ReadError", "ReadTimeout", "OllamaError"};
  if (!IsOpenAiItself(deployment)) return {"ReadError", "ReadTimeout", "OpenAIError"};
  return {"APIConnectionError", "APITimeoutError", "APIError"};
}

// An upstream's `code` as a label value: a status or a word like server_error. Anything else may be new with each
// answer, and would be a series each.
std::string CodeLabel(std::string_view code) {
  constexpr size_t kBytesMax = 40, kDigitsMax = 3;
  const bool is_status = code.size() <= kDigitsMax && code.find_first_not_of("0123456789") == std::string_view::npos;
  const bool is_word = code.size() <= kBytesMax && code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
  return is_status || is_word ? std::string(code) : std::string();
}

StatusRule RuleFor(const config::Deployment& deployment, int status) {
  const bool openai = !IsOllama(deployment) && !IsAnthropic(deployment);
  // compat: behind OpenAI's client library a 403 is a generic API error, which the router retries.
  if (status == 403 && openai) return {403, ErrorClass::kApiError};
  if (status == 413 && IsOpenAiItself(deployment)) return {413, ErrorClass::kApiError};
  // compat: Anthropic's "overloaded" reaches the client as 500.
  if (status == 529 && !openai) return {500, ErrorClass::kInternalServer};
  if (IsAnthropic(deployment)) {
    if (status == 413) return {400, ErrorClass::kBadRequest};
    if (status == 422) return {422, ErrorClass::kBadRequest};
    if (status == 503) return {500, ErrorClass::kInternalServer};
  }
  for (const StatusRule& rule : kStatusRules) {
    if (rule.status == status) return rule;
  }
  return {status, ErrorClass::kApiError};
}

std::string_view TypeForStatus(ErrorClass cls, int status) {
  if (cls == ErrorClass::kRateLimit) return "throttling_error";
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "throttling_error";
  return status < 500 ? "invalid_request_error" : "internal_server_error";
}

std::string_view ExceptionName(const config::Deployment& deployment) {
  if (deployment.row != nullptr && !deployment.row->exception_name.empty())
    return deployment.row->exception_name;
  return "OpenAIException";
}

// The class that the text alone decides, before any status; nullopt when it does not.
std::optional<ErrorClass> ClassByText(std::string_view message, std::string_view whole) {
  if (IsContextWindowText(ToLower(message))) return ErrorClass::kContextWindowExceeded;
  const std::string lower = ToLower(whole);
  if (lower.find("context_length_exceeded") != std::string::npos)
    return ErrorClass::kContextWindowExceeded;
  if (IsContentPolicyText(lower)) return ErrorClass::kContentPolicyViolation;
  return std::nullopt;
}

// A text says nothing where the status already says whose fault it is.
bool TextMayDecide(int status) {
  return status != 401 && status != 403 && status != 404 && status != 408 && status != 429;
}

constexpr auto kHopByHop = std::to_array<std::string_view>({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
});

HeaderList EndToEndHeaders(const HeaderList& headers) {
  HeaderList kept;
  kept.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    std::string lower = ToLower(name);
    if (std::find(kHopByHop.begin(), kHopByHop.end(), lower) != kHopByHop.end()) continue;
    kept.emplace_back(std::move(lower), value);
  }
  return kept;
}

}  // namespace

UpstreamErrorText ReadErrorBody(std::string_view body, int status) {
  UpstreamErrorText out;
  if (ReadErrorJson(body, &out)) return out;
  const std::string_view text = Trim(body);
  if (text.empty() || text.front() == '<') {
    out.message = fmt::format("Error code: {}", status);
  } else {
    out.message = CleanText(text.substr(0, kMessageBytesMax));
  }
  return out;
}

Error MakeUpstreamError(const config::Deployment& deployment, ErrorClass cls, int status,
                        std::string_view text, std::string_view shown_class) {
  Error error;
  error.cls = cls;
  error.shown_class = shown_class;
  error.source = ErrorSource::kUpstream;
  error.status = status;
  error.provider = BlamedProvider(deployment);
  error.type = TypeForStatus(cls, status);
  std::string shown(text);
  HideSecret(shown, deployment.api_key);
  CutText(shown, kMessageBytesMax);
  const std::string_view name = ShownClassName(error);
  if (cls == ErrorClass::kBadRequest) {
    // compat: this one class does not repeat its name.
    error.message = fmt::format("litellm.{}: {} - {}", name, ExceptionName(deployment), shown);
  } else if (cls == ErrorClass::kTimeout) {
    error.message = fmt::format(
        "litellm.Timeout: APITimeoutError - Request timed out. Error_str: {} - {}",
        ExceptionName(deployment), shown);
  } else {
    error.message =
        fmt::format("litellm.{}: {}: {} - {}", name, name, ExceptionName(deployment), shown);
  }
  return error;
}

Error MapUpstreamError(const config::Deployment& deployment, int status, std::string_view body,
                       const HeaderList& headers) {
  const UpstreamErrorText text = ReadErrorBody(body, status);
  StatusRule rule = RuleFor(deployment, status);
  if (TextMayDecide(status)) {
    if (const auto cls = ClassByText(text.message, body)) rule = {400, *cls, false, false};
  }
  Error error = MakeUpstreamError(deployment, rule.cls, rule.status, text.message);
  if (rule.type_of_upstream && !text.type.empty()) error.type = text.type;
  if (rule.param_of_upstream) error.param = text.param;
  error.retry_after_s = RetryAfterSeconds(headers);
  error.upstream_headers = EndToEndHeaders(headers);
  return error;
}

Error MapErrorEvent(const config::Deployment& deployment, std::string_view json) {
  const UpstreamErrorText text = ReadErrorBody(json, 500);
  if (const auto cls = ClassByText(text.message, json))
    return MakeUpstreamError(deployment, *cls, 400, text.message);
  const auto code = ParseInt(text.code);
  if (code && *code >= 400 && *code < 600)
    return MapUpstreamError(deployment, static_cast<int>(*code), json, {});
  // compat: the event itself has no status, so LiteLLM reports a broken connection.
  const bool openai = IsOpenAiItself(deployment);
  Error error = MakeUpstreamError(deployment, ErrorClass::kApiConnection, 500, text.message,
                                  openai ? "" : "InternalServerError");
  error.logged_class = LoggedNamesOf(deployment).event;
  error.logged_status = openai ? CodeLabel(text.code) : "500";
  return error;
}

Error MapConnectionError(const config::Deployment& deployment, std::string_view why) {
  // compat: behind the OpenAI and Anthropic clients LiteLLM calls it a server's error. It is one class
  // for us: what a refused connection means for cooldowns and retries does not depend on the dialect.
  const std::string_view shown = IsOllama(deployment) ? "APIConnectionError" : "";
  Error error =
      MakeUpstreamError(deployment, ErrorClass::kInternalServer, 500, "Connection error.", shown);
  if (!why.empty()) fmt::format_to(std::back_inserter(error.message), " ({})", why);
  return error;
}

Error MapTimeout(const config::Deployment& deployment, double timeout_s, double taken_s) {
  Error error;
  error.cls = ErrorClass::kTimeout;
  error.source = ErrorSource::kUpstream;
  error.status = 408;
  // compat: LiteLLM has one client for both of Ollama's providers.
  error.provider = IsOllama(deployment) ? "ollama" : BlamedProvider(deployment);
  error.type = TypeForStatus(error.cls, error.status);
  const auto setting = [](const std::optional<double>& value) {
    return value ? PythonFloat(*value) : std::string("None");
  };
  error.message = fmt::format(
      "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out. - "
      "timeout value={}, time taken={} seconds\n\n"
      "Deployment Info: request_timeout: {}\ntimeout: {}",
      PythonFloat(timeout_s), PythonFloat(std::round(taken_s * 100) / 100),
      setting(deployment.request_timeout_s), setting(deployment.timeout_s));
  return error;
}

Error MapStreamBreak(const config::Deployment& deployment, std::string_view why) {
  Error error = MakeUpstreamError(deployment, ErrorClass::kApiConnection, 500,
                                  why.empty() ? "Connection lost in the middle of the stream." : why);
  error.logged_class = LoggedNamesOf(deployment).broken;
  return error;
}

Error MapStreamTimeout(const config::Deployment& deployment, double timeout_s, double taken_s) {
  Error error = MapTimeout(deployment, timeout_s, taken_s);
  error.provider = BlamedProvider(deployment);
  error.logged_class = LoggedNamesOf(deployment).timeout;
  return error;
}

Error MapBadAnswer(const config::Deployment& deployment, std::string_view why) {
  const bool own_client = IsOllama(deployment) || IsAnthropic(deployment);
  return MakeUpstreamError(deployment, ErrorClass::kInternalServer, 500, why,
                           own_client ? "APIConnectionError" : "");
}

Error MapUnsupported(const config::Deployment& deployment, std::string_view why) {
  Error error = MakeUpstreamError(deployment, ErrorClass::kBadRequest, 400, why);
  error.source = ErrorSource::kGateway;
  return error;
}

void AppendOpenAiStreamError(const Error& error, std::string& out) {
  out += R"(data: {"error": {"message": )";
  json::AppendQuoted(out, error.message);
  out += R"(, "type": )";
  const std::string_view type = error.type;
  json::AppendQuoted(out, type.empty() ? "internal_server_error" : type);
  out += R"(, "param": )";
  if (error.param.empty()) {
    out += "null";
  } else {
    json::AppendQuoted(out, error.param);
  }
  fmt::format_to(std::back_inserter(out), R"(, "code": "{}"}}}})", error.status);
  out += "\n\ndata: [DONE]\n\n";
}

}  // namespace gw::translate
