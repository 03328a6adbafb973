// What does a node mean as a C++ value?
#include "config/value_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/strings.h"

namespace gw::config {

using yaml::Kind;
using yaml::Node;

std::optional<bool> AsBool(const Node& node) {
  if (node.kind == Kind::kBool) return node.boolean;
  if (!node.IsString()) return std::nullopt;
  const std::string_view text = Trim(node.text);
  if (EqualsIgnoreCase(text, "true")) return true;
  if (EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

std::optional<double> AsNumber(const Node& node) {
  std::optional<double> value;
  if (node.kind == Kind::kInt) {
    value = node.text.empty() ? static_cast<double>(node.integer) : node.real;
  } else if (node.kind == Kind::kFloat) {
    value = node.real;
  } else if (node.IsString()) {
    std::string_view text = Trim(node.text);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    value = ParseDouble(text);
  }
  if (value && !std::isfinite(*value)) return std::nullopt;
  return value;
}

std::optional<int64_t> AsInt(const Node& node) {
  if (node.kind == Kind::kInt) {
    if (!node.text.empty()) return std::nullopt;
    return node.integer;
  }
  const auto value = AsNumber(node);
  if (!value || std::fabs(*value) > 9e15 || std::trunc(*value) != *value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

namespace {

template <typename T>
std::optional<T> Member(const Node& map, std::string_view key,
                        std::optional<T> (*read)(const Node&)) {
  const Node* node = map.Find(key);
  if (node == nullptr) return std::nullopt;
  return read(*node);
}

}  // namespace

std::optional<bool> ReadBool(const Node& map, std::string_view key) {
  return Member(map, key, AsBool);
}
std::optional<int64_t> ReadInt(const Node& map, std::string_view key) {
  return Member(map, key, AsInt);
}
std::optional<double> ReadNumber(const Node& map, std::string_view key) {
  return Member(map, key, AsNumber);
}

std::optional<std::string> ReadString(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  if (node == nullptr || !node->IsString()) return std::nullopt;
  return node->text;
}

std::optional<std::string> ReadText(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  if (node == nullptr) return std::nullopt;
  if (node->IsString()) return node->text;
  if (node->kind == Kind::kInt || node->kind == Kind::kFloat) return yaml::KeyText(*node);
  return std::nullopt;
}

std::vector<std::string> ReadStrings(const Node& map, std::string_view key) {
  std::vector<std::string> out;
  const Node* node = map.Find(key);
  if (node == nullptr) return out;
  if (node->IsString()) out.push_back(node->text);
  for (const Node& item : node->items) {
    if (item.IsString()) out.push_back(item.text);
  }
  return out;
}

const Node* ReadMap(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  return node != nullptr && node->IsMapping() ? node : nullptr;
}

const Node& SectionOf(const Node& map, std::string_view key) {
  static const Node kEmpty;
  const Node* node = ReadMap(map, key);
  return node == nullptr ? kEmpty : *node;
}

const Node* ReadList(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  return node != nullptr && node->IsSequence() ? node : nullptr;
}

std::optional<int> Narrow(const std::optional<int64_t>& value) {
  if (!value) return std::nullopt;
  return static_cast<int>(std::clamp<int64_t>(*value, std::numeric_limits<int>::min(),
                                              std::numeric_limits<int>::max()));
}

void SetIf(const std::optional<int64_t>& value, int& target) {
  if (const auto narrow = Narrow(value)) target = *narrow;
}

}  // namespace gw::config
