// Readers of expositions and golden files for the tests of this folder.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "metrics/registry.h"

namespace gw::metrics::test {

[[nodiscard]] inline std::string Rendered(const Registry& registry,
                                          ExpositionFormat format = ExpositionFormat::kText004,
                                          std::span<const std::string> names = {}) {
  std::string out;
  registry.Render(format, names, out);
  return out;
}

// "name{labels}" -> value; comments are skipped.
[[nodiscard]] inline std::map<std::string, double> ParseSamples(std::string_view text) {
  std::map<std::string, double> samples;
  for (const std::string_view line : Split(text, '\n')) {
    const size_t space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string_view::npos) continue;
    samples[std::string(line.substr(0, space))] =
        std::strtod(std::string(line.substr(space + 1)).c_str(), nullptr);
  }
  return samples;
}

[[nodiscard]] inline std::string SourcePath(std::string_view relative) {
  return std::string(GW_SOURCE_DIR) + "/" + std::string(relative);
}

[[nodiscard]] inline std::string ReadSource(std::string_view relative) {
  std::ifstream file(SourcePath(relative), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The golden file, rewritten with `actual` first when GW_UPDATE_GOLDEN is set.
[[nodiscard]] inline std::string Golden(std::string_view relative, std::string_view actual) {
  if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(SourcePath(relative), std::ios::binary) << actual;
  }
  return ReadSource(relative);
}

}  // namespace gw::metrics::test
