#include "config/otel_settings.h"

namespace gw::config {

OtelSettings ReadOtelSettings(LoadContext&, const yaml::Node&, const std::vector<std::string>&) { return {}; }

}  // namespace gw::config
