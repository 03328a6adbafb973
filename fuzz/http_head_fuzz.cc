// Heads from anybody: whatever is accepted must have one framing and views inside the text, and the short
// way for plain heads must read what the strict parser reads.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/plain_head.h"

namespace {

bool Inside(std::string_view text, std::string_view part) {
  return part.empty() || (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

bool SameFields(const gw::http::Headers& a, const gw::http::Headers& b) {
  if (a.fields().size() != b.fields().size()) return false;
  for (size_t i = 0; i < a.fields().size(); ++i) {
    if (a.fields()[i].name != b.fields()[i].name || a.fields()[i].value != b.fields()[i].value) return false;
  }
  return true;
}

void CompareRequests(std::string_view text) {
  gw::http::RequestHead plain, any;
  const bool taken = gw::http::ReadPlainRequestHead(text, plain);
  if (!taken) return;
  if (gw::http::ParseAnyRequestHead(text, any) != nullptr) abort();
  if (plain.method != any.method || plain.target != any.target || plain.http11 != any.http11) abort();
  if (plain.keep_alive != any.keep_alive || plain.chunked != any.chunked) abort();
  if (plain.expect_continue != any.expect_continue || plain.content_length != any.content_length) abort();
  if (!SameFields(plain.headers, any.headers)) abort();
}

void CompareResponses(std::string_view text) {
  gw::http::ResponseHead plain, any;
  const bool taken = gw::http::ReadPlainResponseHead(text, plain);
  if (!taken) return;
  if (gw::http::ParseAnyResponseHead(text, any) != nullptr) abort();
  if (plain.status != any.status || plain.keep_alive != any.keep_alive || plain.chunked != any.chunked) abort();
  if (plain.bodyless != any.bodyless || plain.content_length != any.content_length) abort();
  if (!SameFields(plain.headers, any.headers)) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  gw::http::RequestHead request;
  if (gw::http::ParseRequestHead(text, request) == nullptr) {
    if (request.chunked && request.content_length) abort();
    if (!Inside(text, request.target) || !Inside(text, request.method)) abort();
    for (const auto& field : request.headers.fields()) {
      if (!Inside(text, field.name) || !Inside(text, field.value)) abort();
      if (field.value.find('\n') != std::string_view::npos) abort();
    }
    const std::string joined = request.headers.Joined("tracestate", 40);
    if (joined.size() > 40 || joined != request.headers.Joined("tracestate", joined.size())) abort();
    if (joined.empty() && request.headers.Get("tracestate").size() - 1 < 40) abort();
  }
  gw::http::ResponseHead response;
  if (gw::http::ParseResponseHead(text, response) == nullptr && response.chunked && response.content_length) abort();
  CompareRequests(text);
  CompareResponses(text);
  return 0;
}
