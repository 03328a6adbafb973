// Heads from anybody: whatever is accepted must have one framing and views inside the text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/message.h"

namespace {

bool Inside(std::string_view text, std::string_view part) {
  return part.empty() || (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
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
  }
  gw::http::ResponseHead response;
  if (gw::http::ParseResponseHead(text, response) == nullptr && response.chunked && response.content_length) abort();
  return 0;
}
