// Fallback lists and aliases: from YAML to structs, refused where LiteLLM refuses to start.
#pragma once

#include <string_view>
#include <vector>

#include "config/load_context.h"

namespace gw::config {

// [{group: [target, {model: target, ...}]}]. A fatal finding for every malformed item.
[[nodiscard]] std::vector<FallbackList> ReadFallbacks(LoadContext& context, const yaml::Node& list,
                                                      std::string_view path);
// [target, ...]
[[nodiscard]] std::vector<FallbackTarget> ReadDefaultFallbacks(LoadContext& context,
                                                               const yaml::Node& list,
                                                               std::string_view path);
[[nodiscard]] std::vector<ModelAlias> ReadAliases(LoadContext& context, const yaml::Node& map,
                                                  std::string_view path);
// Warns about targets and aliases that name nothing: they fail when called. An embedding model of the
// semantic cache that names nothing forbids the start.
void CheckTargets(LoadContext& context, const Snapshot& snapshot, const yaml::Node& root);

}  // namespace gw::config
