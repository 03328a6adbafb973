// A configuration document as a tree that remembers where each value was written.
//
// Made by yaml_parser.h. Copyable by value: aliases and merge keys are copies, so nothing is shared
// and nothing can be circular. Scalars are already typed by YAML 1.1 rules (yaml_resolver.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_tree.h"

namespace gw::config::yaml {

enum class Kind : uint8_t { kNull, kBool, kInt, kFloat, kString, kSequence, kMapping };

struct Place {
  int file = 0;    // index into the loader's list of files
  int line = 0;    // 1-based; 0: made by us
  int column = 0;  // 1-based
};

struct Member;

struct Node {
  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;              // kFloat, and the nearest double of a kInt
  std::string text;             // kString: content. kInt beyond int64: decimal digits, else empty
  std::vector<Node> items;      // kSequence
  std::vector<Member> members;  // kMapping, keys unique, order of first appearance
  Place place;
  // Set by the environment pass: the value was `os.environ/<env_name>` in the file.
  std::string env_name;

  [[nodiscard]] bool IsNull() const { return kind == Kind::kNull; }
  [[nodiscard]] bool IsString() const { return kind == Kind::kString; }
  [[nodiscard]] bool IsMapping() const { return kind == Kind::kMapping; }
  [[nodiscard]] bool IsSequence() const { return kind == Kind::kSequence; }
  // Values of mappings by textual key; nullptr when absent (or this is no mapping).
  [[nodiscard]] const Node* Find(std::string_view key) const;
  [[nodiscard]] Node* Find(std::string_view key);
  // Adds or replaces.
  void Set(std::string_view key, Node value);
};

struct Member {
  Node key;
  Node value;
};

// A key as Python's json module would print it: true -> "true", 1 -> "1", null -> "null".
[[nodiscard]] std::string KeyText(const Node& key);
// "mapping", "list", "string" ... for messages.
[[nodiscard]] std::string_view KindName(Kind kind);
// Compact JSON as Python's json.dumps would write it, NaN and Infinity included.
void AppendJson(std::string& out, const Node& node);
// For request bodies and /model/info. Non-finite numbers become null.
[[nodiscard]] json::Value ToJson(const Node& node);
[[nodiscard]] Node MakeString(std::string_view text);

}  // namespace gw::config::yaml
