// Ollama's side of the wire: any bytes, cut anywhere, through the line splitter, the line reader
// and the <think> splitter. The lines must not depend on the cuts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/json.h"
#include "translate/ndjson.h"
#include "translate/ollama_chat.h"
#include "translate/think_tags.h"

namespace {

using gw::translate::NdjsonSplitter;

std::vector<std::string> Lines(std::string_view text, size_t piece_bytes) {
  NdjsonSplitter splitter(4096);
  std::vector<std::string> lines;
  std::string_view line;
  for (size_t at = 0; at < text.size(); at += piece_bytes) {
    splitter.Append(text.substr(at, piece_bytes));
    while (true) {
      const auto step = splitter.Next(&line);
      if (step == NdjsonSplitter::Step::kTooLong) return {};
      if (step == NdjsonSplitter::Step::kNeedMore) break;
      lines.emplace_back(line);
    }
  }
  if (splitter.TakeRest(&line) == NdjsonSplitter::Step::kLine) lines.emplace_back(line);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = static_cast<size_t>(data[0]) + 1;
  const auto lines = Lines(text, piece_bytes);
  if (lines != Lines(text, text.size() + 1)) std::abort();
  gw::translate::ThinkTagSplitter think;
  size_t bytes = 0;
  const auto count = [&bytes](bool, std::string_view part) { bytes += part.size(); };
  for (std::string line : lines) {
    line.reserve(line.size() + gw::json::kPadding);
    if (gw::json::Validate(line) != nullptr) continue;
    const auto read = gw::translate::ReadOllamaLine(line);
    think.Feed(read.content, count);
  }
  think.Finish(count);
  return 0;
}
