#include "gateway/response_headers.h"

#include <algorithm>

#include "admin/cors.h"
#include "base/json.h"
#include "base/piece_writer.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace gw::gateway {

namespace {

// The group of a wildcard row is the client's text: it must not become lines of its own, nor a line that
// no client reads.
constexpr size_t kGroupBytesMax = 1024;
std::string_view OneLine(std::string_view value, std::string& cleaned) {
  const auto breaks = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (value.size() <= kGroupBytesMax && std::none_of(value.begin(), value.end(), breaks)) [[likely]] return value;
  cleaned = CutUtf8(value, kGroupBytesMax);
  std::replace_if(cleaned.begin(), cleaned.end(), breaks, ' ');
  return cleaned;
}

// Inlined always: with a literal, length and bytes are compared without a call.
[[gnu::always_inline]] inline bool Is(std::string_view text, std::string_view literal) {
  return text.size() == literal.size() && __builtin_memcmp(text.data(), literal.data(), literal.size()) == 0;
}
[[gnu::always_inline]] inline bool Begins(std::string_view text, std::string_view literal) {
  return text.size() >= literal.size() && __builtin_memcmp(text.data(), literal.data(), literal.size()) == 0;
}
[[gnu::always_inline]] inline bool IsNothing(std::string_view value) { return value.empty() || Is(value, "None"); }

// `label` is a literal of the form "name: ".
[[gnu::always_inline]] inline void Line(PieceWriter& out, std::string_view label, std::string_view value) {
  if (IsNothing(value)) return;
  out.Put(label);
  out.Put(value);
  out.Put("\r\n");
}

[[gnu::always_inline]] inline void FloatLine(PieceWriter& out, std::string_view label, double value) {
  out.Put(label);
  char* const digits = out.Reserve(kPythonFloatBytesMax);
  out.Advance(WritePythonFloat(digits, value));
  out.Put("\r\n");
}

// Milliseconds with three decimals: what a duration is worth, at a fraction of a double's price.
void MillisLine(PieceWriter& out, std::string_view label, double seconds) {
  const auto micros = static_cast<int64_t>(seconds > 0 ? seconds * 1e6 : 0);
  out.Put(label);
  out.PutNumber(micros / 1000);
  const auto rest = static_cast<int>(micros % 1000);
  const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                           static_cast<char>('0' + rest % 10), '\r', '\n'};
  out.Put({decimals, sizeof(decimals)});
}

[[gnu::always_inline]] inline void IntLine(PieceWriter& out, std::string_view label, int value) {
  out.Put(label);
  out.PutNumber(value);
  out.Put("\r\n");
}

bool IsHopByHop(std::string_view lower) {
  switch (lower.empty() ? '\0' : lower.front()) {
    case 'c': return Is(lower, "connection");
    case 'k': return Is(lower, "keep-alive");
    case 't': return Is(lower, "transfer-encoding") || Is(lower, "te") || Is(lower, "trailer");
    case 'u': return Is(lower, "upgrade");
    case 'p': return Begins(lower, "proxy-");
    default: return false;
  }
}

// One upstream header as llm_provider-<name>; some also under their own name.
void ProviderLine(PieceWriter& out, std::string_view name, std::string_view value) {
  constexpr size_t kNameBytesMax = 96;
  char lower[kNameBytesMax + 2];  // and ": "
  if (name.size() > kNameBytesMax) return;
  for (size_t i = 0; i < name.size(); ++i) lower[i] = AsciiLower(name[i]);
  const std::string_view key(lower, name.size());
  if (IsHopByHop(key)) return;
  if (IsNothing(value)) return;
  out.Put("llm_provider-");
  lower[name.size()] = ':';
  lower[name.size() + 1] = ' ';
  const std::string_view label(lower, name.size() + 2);
  Line(out, label, value);
  if (Begins(key, "x-ratelimit-")) Line(out, label, value);
  if (Is(key, "x-request-id")) {
    Line(out, "llm_provider-request-id: ", value);
    Line(out, "request-id: ", value);
  }
}

void AppendCost(const accounting::Cost& cost, PieceWriter& out) {
  FloatLine(out, "x-litellm-response-cost: ", cost.total);
  FloatLine(out, "x-litellm-response-cost-original: ", cost.total);
  FloatLine(out, "x-litellm-response-cost-input: ", cost.input);
  FloatLine(out, "x-litellm-response-cost-output: ", cost.output);
  if (cost.cache_read > 0) FloatLine(out, "x-litellm-response-cost-cache-read: ", cost.cache_read);
  if (cost.cache_creation > 0) FloatLine(out, "x-litellm-response-cost-cache-creation: ", cost.cache_creation);
  if (cost.reasoning > 0) FloatLine(out, "x-litellm-response-cost-reasoning: ", cost.reasoning);
}

constexpr std::string_view kZeroCostLines =
    "x-litellm-response-cost-discount-amount: 0.0\r\nx-litellm-response-cost-margin-amount: 0.0\r\n"
    "x-litellm-response-cost-margin-percent: 0.0\r\nx-litellm-response-cost-tool-usage: 0.0\r\n"
    "x-litellm-callback-duration-ms: 0.0\r\n";

void CorsLines(const RequestContext& context, PieceWriter& out) {
  const std::string_view origin = context.exchange.head().headers.Get("origin");
  if (!origin.empty()) admin::AppendCorsLines(context.core.snapshot->server.cors_origins, origin, out.Through());
}

}  // namespace

void AppendSuccessHeaders(const RequestContext& context, const SuccessHeaders& values, std::string& text) {
  PieceWriter out(text);
  out.Put(kCommonLines);
  CorsLines(context, out);
  Line(out, "x-litellm-call-id: ", context.call_id);
  out.Put(context.core.texts[context.last_deployment->index].success_headers);
  std::string cleaned;
  Line(out, "x-litellm-model-group: ", OneLine(values.model_group, cleaned));
  Line(out, "x-litellm-version: ", kCompatVersion);
  if (values.cost != nullptr) {
    AppendCost(*values.cost, out);
  } else {
    out.Put("x-litellm-response-cost-input: 0.0\r\nx-litellm-response-cost-output: 0.0\r\n");
  }
  out.Put(kZeroCostLines);
  FloatLine(out, "x-litellm-key-spend: ", context.core.runtime.TotalSpend() + (values.cost != nullptr ? values.cost->total : 0));
  MillisLine(out, "x-litellm-response-duration-ms: ", values.total_s);
  MillisLine(out, "x-litellm-overhead-duration-ms: ", values.overhead_s);
  IntLine(out, "x-litellm-attempted-retries: ", values.attempted_retries);
  if (values.attempted_retries > 0) IntLine(out, "x-litellm-max-retries: ", values.max_retries);
  IntLine(out, "x-litellm-attempted-fallbacks: ", values.attempted_fallbacks);
  // Its namespace may be the client's.
  if (!values.cache_key.empty()) [[unlikely]] Line(out, "x-litellm-cache-key: ", OneLine(values.cache_key, cleaned));
  if (values.similarity) [[unlikely]] FloatLine(out, "x-litellm-semantic-similarity: ", *values.similarity);
  if (values.upstream != nullptr) {
    for (const http::HeaderField& field : values.upstream->fields()) ProviderLine(out, field.name, field.value);
  }
  if (values.stream) {
    out.Put("content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n");
  } else {
    Line(out, "content-type: ", values.content_type);
  }
  out.Flush();
}

void AppendErrorHeaders(const RequestContext& context, const Error& error, std::string& text) {
  PieceWriter out(text);
  out.Put(kCommonLines);
  CorsLines(context, out);
  out.Put("content-type: application/json\r\n");
  if (error.retry_after_s >= 0 && error.cls == ErrorClass::kNoDeployments) {
    IntLine(out, "retry-after: ", error.retry_after_s);
  } else if (error.retry_after_s > 0 && (error.status == 429 || error.status == 503)) {
    IntLine(out, "retry-after: ", error.retry_after_s);  // better than LiteLLM: docs/compat.md
  }
  if (error.cls == ErrorClass::kProxy && error.status == 401) return out.Flush();  // auth failures carry no more
  Line(out, "x-litellm-call-id: ", context.call_id);
  if (context.last_deployment != nullptr) {
    out.Put(context.core.texts[context.last_deployment->index].error_headers);
  }
  out.Put("x-litellm-response-cost: 0\r\n");
  FloatLine(out, "x-litellm-key-spend: ", context.core.runtime.TotalSpend());
  if (context.last_timeout_s > 0) FloatLine(out, "x-litellm-timeout: ", context.last_timeout_s);
  for (const auto& [name, value] : error.upstream_headers) {
    if (IsNothing(value)) continue;
    out.Put("llm_provider-");
    out.Put(name);
    Line(out, ": ", value);
  }
  out.Flush();
}

}  // namespace gw::gateway
