// An engine's /metrics may say anything: the sample is nothing, or numbers in their ranges; comments and empty
// lines change nothing.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routing/engine_text.h"

namespace {

bool IsSane(const gw::routing::EngineSample& s) {
  return s.waiting >= 0 && s.running >= 0 && !std::isnan(s.waiting) && !std::isnan(s.running) && s.kv_usage >= 0 &&
         s.kv_usage <= 1 && s.kv_tokens >= 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Memory of its own, so that the sanitizer sees every read beyond its end.
  const std::vector<char> copy(data, data + size);
  const std::string_view text(copy.data(), copy.size());
  const auto sample = gw::routing::ParseEngineText(text, "m");
  if (sample && !IsSane(*sample)) abort();
  const auto again = gw::routing::ParseEngineText("# HELP x y\n\n" + std::string(text), "m");
  if (sample.has_value() != again.has_value()) abort();
  if (sample && (sample->waiting != again->waiting || sample->kv_tokens != again->kv_tokens)) abort();
  return 0;
}
