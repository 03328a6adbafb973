// One deployment, or one group of them, as /model/info and /model_group/info print it.
#pragma once

#include <string_view>

#include "base/json_tree.h"
#include "config/snapshot.h"

namespace gw::admin {

// {"model_name", "litellm_params", "model_info"}
[[nodiscard]] json::Object DescribeDeployment(const config::Deployment& deployment);
// {"model_group", "providers", limits, prices, "supports_*", ...}
[[nodiscard]] json::Object DescribeGroup(const config::Snapshot& snapshot, std::string_view group);

}  // namespace gw::admin
