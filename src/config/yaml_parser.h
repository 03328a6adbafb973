// YAML text -> Node tree, or one error with its place.
//
//   libyaml events --> typed scalars (yaml_resolver) --> anchors copied, merge keys applied -->
//   Node
//
// Same meaning as PyYAML's safe_load for everything a configuration holds. Refused on purpose:
// self-containing aliases, !!binary, !!set, !!omap, !!pairs and foreign tags. Bounded: text size,
// depth, and the nodes that aliases multiply.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml_node.h"

namespace gw::config::yaml {

// A model list of some thousand rows is about 1 MB.
inline constexpr size_t kTextBytesMax = size_t{32} << 20;
// json::kMaxJsonDepth is 128: whatever we read must be printable as JSON.
inline constexpr int kDepthMax = 100;
// Nodes made by aliases and anchors ("billion laughs"); honest files stay far below.
inline constexpr size_t kCopiedNodesMax = 200'000;

struct Problem {
  std::string message;
  Place place;
};

struct Parsed {
  std::optional<Problem> error;   // then `root` is meaningless
  Node root;                      // null for an empty text
  std::vector<Problem> warnings;  // duplicate keys: the last one counts
};

[[nodiscard]] Parsed Parse(std::string_view text, int file = 0);

// For comparing with other parsers: the document as compact JSON, or "error: LINE:COLUMN: why".
[[nodiscard]] std::string DumpYamlAsJson(std::string_view text);

}  // namespace gw::config::yaml
