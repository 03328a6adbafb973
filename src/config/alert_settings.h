// general_settings.alerting: which alerts go to which chat, and when.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw::config {

struct AlertSettings {
  bool slack = false;
  std::vector<std::string> slack_urls;  // for types that have none of their own; secrets
  std::map<std::string, std::vector<std::string>, std::less<>> urls_by_type;
  std::string ms_teams_url;  // empty: not asked for
  std::vector<std::string> types;
  double threshold_s = 300;  // slow answers, hanging requests
  double daily_report_frequency_s = 12 * 3600;
  double outage_ttl_s = 60, region_outage_ttl_s = 60;
  int minor_outage_threshold = 5, major_outage_threshold = 10;
  double flush_interval_s = 5;
  std::string proxy_base_url;

  [[nodiscard]] bool Has(std::string_view type) const {
    for (const std::string& known : types) {
      if (known == type) return true;
    }
    return false;
  }
};

class LoadContext;
namespace yaml {
struct Node;
}

// Nothing: alerting is off, or nowhere to go (a finding says so).
[[nodiscard]] std::optional<AlertSettings> ReadAlertSettings(LoadContext& context, const yaml::Node& general_settings);

}  // namespace gw::config
