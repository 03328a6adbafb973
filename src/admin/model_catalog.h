// The public names of a snapshot, and the facts that hold for all rows of a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/snapshot.h"

namespace gw::admin {

// What /v1/models tells of one name.
struct CatalogEntry {
  std::string name;
  std::string_view provider;  // of the first row
  std::string_view mode;      // empty: unknown
  std::optional<int64_t> max_input_tokens, max_output_tokens;
};

// See ListModelsAnswer for the order.
[[nodiscard]] std::vector<CatalogEntry> ListCatalog(const config::Snapshot& snapshot,
                                                    bool with_patterns);
// The entry of a listed name, or of a name that a pattern takes.
[[nodiscard]] std::optional<CatalogEntry> FindInCatalog(const config::Snapshot& snapshot,
                                                        std::string_view name);

// Token limits and mode of one row: its model_info, else the price map.
struct DeploymentLimits {
  std::optional<int64_t> max_tokens, max_input_tokens, max_output_tokens;
  std::string_view mode;
};
[[nodiscard]] DeploymentLimits LimitsOf(const config::Deployment& deployment);

[[nodiscard]] bool IsPattern(std::string_view name);

}  // namespace gw::admin
