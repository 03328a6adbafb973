// What a model or a collector answers may be anything: what is read from it is bounded and can be written.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "telemetry/otel_content.h"
#include "telemetry/otlp_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<char> copy(data, data + size);
  const std::string_view text(copy.data(), copy.size());
  const gw::telemetry::ParsedAnswer answer = gw::telemetry::ParseAnswer(text);
  if (answer.messages.size() > 128) abort();
  for (const auto& message : answer.messages) {
    if (message.text.size() > size || message.tool_calls.size() > 512) abort();
  }
  for (const bool is_json : {false, true}) {
    if (gw::telemetry::ParseExportAnswer(text, is_json).message.size() > 3 * 300) abort();
  }
  return 0;
}
