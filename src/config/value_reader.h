// Values of a Node as C++ types. Wrong types give nullopt: the schema check has reported them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml_node.h"

namespace gw::config {

// true, false, "true", "False": text because os.environ/ values are text.
[[nodiscard]] std::optional<bool> AsBool(const yaml::Node& node);
// 12, 12.0, "12".
[[nodiscard]] std::optional<int64_t> AsInt(const yaml::Node& node);
// 1, 1.5, "1.5", "1e-05"; finite.
[[nodiscard]] std::optional<double> AsNumber(const yaml::Node& node);

// The same for a member of a mapping; nullopt when absent, null or of another type.
[[nodiscard]] std::optional<bool> ReadBool(const yaml::Node& map, std::string_view key);
[[nodiscard]] std::optional<int64_t> ReadInt(const yaml::Node& map, std::string_view key);
[[nodiscard]] std::optional<double> ReadNumber(const yaml::Node& map, std::string_view key);
[[nodiscard]] std::optional<std::string> ReadString(const yaml::Node& map, std::string_view key);
// Strings and numbers as text.
[[nodiscard]] std::optional<std::string> ReadText(const yaml::Node& map, std::string_view key);
// A list of strings, or one string; other elements are skipped.
[[nodiscard]] std::vector<std::string> ReadStrings(const yaml::Node& map, std::string_view key);
// nullptr when absent or of another kind.
[[nodiscard]] const yaml::Node* ReadMap(const yaml::Node& map, std::string_view key);
[[nodiscard]] const yaml::Node* ReadList(const yaml::Node& map, std::string_view key);

// An empty one instead of nullptr.
[[nodiscard]] const yaml::Node& SectionOf(const yaml::Node& map, std::string_view key);

inline void SetIf(const std::optional<bool>& value, bool& target) {
  if (value) target = *value;
}
inline void SetIf(const std::optional<double>& value, double& target) {
  if (value) target = *value;
}
// Clamped to int: no count of ours is larger.
void SetIf(const std::optional<int64_t>& value, int& target);
[[nodiscard]] std::optional<int> Narrow(const std::optional<int64_t>& value);

}  // namespace gw::config
