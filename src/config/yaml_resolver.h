// What does a plain YAML scalar mean? The rules of YAML 1.1 as PyYAML's SafeLoader applies them.
//
// compat: "yes", "off", "0o17", "1e5", "12:30" mean what PyYAML says (true, false, string, string,
// 750), because configs were written against it. Timestamps stay strings: no key wants a date.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/yaml_node.h"

namespace gw::config::yaml {

enum class ScalarTag : uint8_t { kNull, kBool, kInt, kFloat, kString, kMerge, kValue };

// The implicit tag of a plain scalar.
[[nodiscard]] ScalarTag ResolvePlain(std::string_view text);
// Turns `text` into a typed value. An error text when the text does not fit the tag ("!!int abc").
// kMerge and kValue are no values and always fail.
[[nodiscard]] std::optional<std::string> ConstructScalar(ScalarTag tag, std::string_view text,
                                                         Node& node);

}  // namespace gw::config::yaml
