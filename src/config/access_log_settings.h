// general_settings.access_log: one JSON line per request (ours).
#pragma once

#include <string>

namespace gw::config {

struct AccessLogSettings {
  bool on = false;
  std::string file;  // empty: standard output

  bool operator==(const AccessLogSettings&) const = default;
};

class LoadContext;
namespace yaml {
struct Node;
}


[[nodiscard]] AccessLogSettings ReadAccessLogSettings(LoadContext& context, const yaml::Node& root);

}  // namespace gw::config
