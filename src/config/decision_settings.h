// What do router_settings and rows say about who may be served by whom: teams, tags, routing
// groups, priorities, health, and how far retries may go?
#pragma once

#include "config/deployment_row.h"
#include "config/load_context.h"
#include "config/snapshot.h"
#include "config/yaml_node.h"

namespace gw::config {

// After ReadStrategySettings: routing groups inherit its arguments.
void ReadDecisionSettings(LoadContext& context, const yaml::Node& root, RouterSettings& out);

// litellm_params and model_info of one row; `out.facts` is known.
void ReadDecisionFields(LoadContext& context, const Row& row, Deployment& out);

}  // namespace gw::config
