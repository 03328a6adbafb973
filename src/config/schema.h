// Which keys may a configuration hold, of what type, and what becomes of each?
//
// One table drives unknown-key findings, type checks, `intertie check` and
// docs/config-reference.md. A key that gains a field in snapshot.h changes its status here, in the
// same change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/loader.h"
#include "config/yaml_node.h"

namespace gw::config {

enum class Section : uint8_t {
  kTop,
  kModelRow,
  kLitellmParams,
  kRequestParams,  // keys of litellm_params that become members of the upstream body
  kModelInfo,
  kCredential,
  kLitellmSettings,
  kCacheParams,
  kRouterSettings,
  kRetryPolicy,
  kAllowedFailsPolicy,
  kGeneralSettings,
  kEnvironment,
};

enum class ValueType : uint8_t {
  kAny,
  kBool,    // also "true" / "false": values of the environment are text
  kInt,     // also "12" and 12.0
  kNumber,  // also "1.5"
  kString,
  kStringList,
  kList,
  kMap,
  kBoolOrPath,    // ssl_verify
  kStringOrList,  // organization, callbacks
  kScalar,        // string or number: model_info.id
};

struct KeySpec {
  Section section;
  std::string_view key;  // may hold '*'
  ValueType type;
  std::string_view default_value;  // as the reference page prints it; "-" = none
  KeyStatus status;
  std::string_view doc;  // one line for the operator
};

// Rows of one section, in the order of the reference page.
[[nodiscard]] std::span<const KeySpec> SchemaOf(Section section);
// Exact keys first, then patterns; nullptr when unknown.
[[nodiscard]] const KeySpec* FindKey(Section section, std::string_view key);
// The known key that was probably meant; empty when nothing is near.
[[nodiscard]] std::string_view NearestKey(Section section, std::string_view key);

// "number", "list of strings", ...
[[nodiscard]] std::string_view TypeName(ValueType type);
// Null fits every type: it means "not given".
[[nodiscard]] bool FitsType(ValueType type, const yaml::Node& node);
// The value for a message: `"abc"`, `12`, `a list`; a secret is never shown.
[[nodiscard]] std::string Shown(const yaml::Node& node, std::string_view key);
// Does a value under this key have to stay out of messages and answers?
[[nodiscard]] bool IsSecretKey(std::string_view key);

// Row tables, one file each; joined by SchemaOf.
[[nodiscard]] std::span<const KeySpec> ModelSchemaRows();
[[nodiscard]] std::span<const KeySpec> LitellmSettingsSchemaRows();
[[nodiscard]] std::span<const KeySpec> CacheSchemaRows();
[[nodiscard]] std::span<const KeySpec> RouterSettingsSchemaRows();
[[nodiscard]] std::span<const KeySpec> GeneralSettingsSchemaRows();
[[nodiscard]] std::span<const KeySpec> EnvironmentSchemaRows();

}  // namespace gw::config
