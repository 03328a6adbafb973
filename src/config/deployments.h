// model_list -> deployments: provider, address, key, limits, prices.
#pragma once

#include "config/load_context.h"

namespace gw::config {

// Needs snapshot.router, .proxy and .model_facts. A row that cannot be used is dropped with an
// error; a row without model_name, litellm_params or model forbids the start.
void ReadDeployments(LoadContext& context, const yaml::Node& root, Snapshot& snapshot);

}  // namespace gw::config
