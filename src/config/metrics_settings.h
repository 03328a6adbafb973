// What do the prometheus_* settings say? Names of metrics and labels are checked against the family table.
#pragma once

#include "config/load_context.h"
#include "config/snapshot.h"

namespace gw::config {

[[nodiscard]] MetricsSettings ReadMetricsSettings(LoadContext& context, const yaml::Node& root);

}  // namespace gw::config
