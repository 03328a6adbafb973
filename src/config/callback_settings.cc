#include "config/callback_settings.h"

namespace gw::config {

CallbackSettings ReadCallbackSettings(LoadContext&, const yaml::Node&, const std::vector<std::string>&) { return {}; }

}  // namespace gw::config
