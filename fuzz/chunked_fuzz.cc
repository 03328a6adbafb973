// A chunked body must decode to the same bytes however it is cut.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace {

struct Outcome {
  bool ok = true;
  bool done = false;
  std::string body;
};

Outcome Decode(std::string_view text, size_t step) {
  Outcome out;
  gw::http::ChunkedDecoder decoder;
  std::vector<std::string_view> spans;
  while (!text.empty() && !decoder.done()) {
    spans.clear();
    const auto used = decoder.Feed(text.substr(0, step), spans);
    for (const auto span : spans) out.body += span;
    if (!used) return {false, false, ""};
    text.remove_prefix(*used);
  }
  out.done = decoder.done();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = Decode(text, size + 1);
  for (const size_t step : {size_t{1}, size_t{3}, size_t{7}}) {
    const Outcome cut = Decode(text, step);
    if (cut.ok != whole.ok || cut.done != whole.done || cut.body != whole.body) abort();
  }
  return 0;
}
