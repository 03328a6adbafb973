// YAML + environment + command line -> Snapshot, with every finding by file and line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/snapshot.h"

namespace gw::config {

enum class Severity : uint8_t { kInfo, kWarning, kError };
// What became of a key: `intertie check` prints one line per key.
enum class KeyStatus : uint8_t { kEffective, kIgnored, kNotSupportedYet, kUnknown };

struct Finding {
  Severity severity = Severity::kInfo;
  KeyStatus status = KeyStatus::kEffective;
  std::string file;
  int line = 0;            // 1-based; 0: no place (environment, flags)
  std::string path;        // "model_list[2].litellm_params.model"
  std::string message;     // what it means for the operator; never a secret
};

struct LoadOptions {
  std::string config_file;                       // empty: no file
  std::function<std::optional<std::string>(std::string_view)> env;  // nullopt = unset
  std::string price_map_file;                    // LITELLM_MODEL_COST_MAP_URL as file path or empty
  bool read_dotenv = true;
  // The command line's say, over environment and defaults; called on the snapshot before it is shared.
  std::function<void(Snapshot&)> apply_flags;
};

struct Loaded {
  SnapshotPtr snapshot;          // null when there are errors that forbid the start
  std::vector<Finding> findings; // in file order
  std::vector<std::string> files;  // that were read or could not be: a change to one is a new configuration
  int exit_code = 0;             // 1 or 3, as the reference ends (config facts, boot-time table)
};

[[nodiscard]] Loaded Load(const LoadOptions& options);
// The text of `intertie check`.
[[nodiscard]] std::string FormatFindings(const std::vector<Finding>& findings, bool all_keys);
// docs/config-reference.md, from the schema table.
[[nodiscard]] std::string ConfigReferenceMarkdown();

}  // namespace gw::config
