// Which alerts are wanted, and where do they go?
#include "config/alert_settings.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/load_context.h"
#include "config/receiver_values.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kReference = "os.environ/";

struct TypeRow {
  std::string_view name;
  bool is_default;
  bool is_served;  // by us
};

constexpr std::array<TypeRow, 27> kTypes = {{
    {"llm_exceptions", true, true},
    {"llm_too_slow", true, true},
    {"llm_requests_hanging", true, true},
    {"budget_alerts", true, false},
    {"spend_reports", true, false},
    {"failed_tracking_spend", true, false},
    {"user_spend_thresholds", true, false},
    {"user_spend_anomalies", false, false},
    {"db_exceptions", true, false},
    {"daily_reports", true, true},
    {"cooldown_deployment", true, true},
    {"new_model_added", true, false},
    {"model_deprecation_warnings", true, false},
    {"outage_alerts", true, true},
    {"region_outage_alerts", true, true},
    {"fallback_reports", true, false},
    {"new_virtual_key_created", false, false},
    {"virtual_key_updated", false, false},
    {"virtual_key_deleted", false, false},
    {"new_team_created", false, false},
    {"team_updated", false, false},
    {"team_deleted", false, false},
    {"new_internal_user_created", false, false},
    {"internal_user_updated", false, false},
    {"internal_user_deleted", false, false},
    {"mcp_tool_description_blocked", true, false},
    {"mcp_pinned_tools_changed", true, false},
}};

const TypeRow* FindType(std::string_view name) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& row) { return row.name == name; });
  return found == kTypes.end() ? nullptr : found;
}

void ReadTypes(LoadContext& context, const yaml::Node& general, AlertSettings& out) {
  const yaml::Node* list = ReadList(general, "alert_types");
  if (list == nullptr) {
    for (const TypeRow& row : kTypes) {
      if (row.is_default) out.types.emplace_back(row.name);
    }
    return;
  }
  for (const std::string& name : ReadStrings(general, "alert_types")) {
    const TypeRow* row = FindType(name);
    if (row == nullptr) {
      context.Warn(list->place, "general_settings.alert_types", "unknown alert type '" + name + "'");
    } else if (!row->is_served) {
      context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, list->place, "general_settings.alert_types",
                  "accepted but not implemented: " + name + " is never sent");
    }
    out.types.push_back(name);
  }
}

// A webhook's address is a secret: what is wrong with it is said without it.
std::string Usable(LoadContext& context, const yaml::Place& place, std::string_view path, std::string_view url) {
  url = Trim(url);
  if (IsUsableAddress(url)) return std::string(url);
  context.Error(place, std::string(path), "not a usable http address: no alert is sent there");
  return "";
}

// A URL as written, or the variable that it names; empty when that is not set.
std::string Resolve(LoadContext& context, const yaml::Node& node, const std::string& path) {
  if (!node.IsString()) return "";
  if (!node.text.starts_with(kReference)) return Usable(context, node.place, path, node.text);
  const std::string name = node.text.substr(kReference.size());
  const auto value = context.env.Get(name);
  if (!value) context.Error(node.place, path, "environment variable " + name + " is not set");
  return value ? Usable(context, node.place, path, *value) : "";
}

void ReadUrls(LoadContext& context, const yaml::Node& general, AlertSettings& out) {
  for (const yaml::Member& member : SectionOf(general, "alert_to_webhook_url").members) {
    const std::string type = yaml::KeyText(member.key);
    const std::string path = "general_settings.alert_to_webhook_url." + type;
    if (FindType(type) == nullptr) context.Warn(member.key.place, path, "unknown alert type");
    std::vector<std::string>& urls = out.urls_by_type[type];
    const auto add = [&](const yaml::Node& node) {
      if (std::string url = Resolve(context, node, path); !url.empty()) urls.push_back(std::move(url));
    };
    if (member.value.IsSequence()) {
      for (const yaml::Node& item : member.value.items) add(item);
    } else {
      add(member.value);
    }
  }
}

void ReadArguments(const yaml::Node& general, AlertSettings& out) {
  const yaml::Node& args = SectionOf(general, "alerting_args");
  const auto seconds = [&args](std::string_view key, double& target) {
    if (const auto value = ReadNumber(args, key); value && *value > 0) target = std::min(*value, 1e9);
  };
  const auto count = [&args](std::string_view key, int& target) {
    if (const auto value = Narrow(ReadInt(args, key)); value && *value > 0) target = *value;
  };
  seconds("daily_report_frequency", out.daily_report_frequency_s);
  seconds("outage_alert_ttl", out.outage_ttl_s);
  seconds("region_outage_alert_ttl", out.region_outage_ttl_s);
  count("minor_outage_alert_threshold", out.minor_outage_threshold);
  count("major_outage_alert_threshold", out.major_outage_threshold);
}

// Where `alerting` wants them; false: nowhere that exists.
bool ReadDestinations(LoadContext& context, const yaml::Node& general, const yaml::Node& place, AlertSettings& out) {
  constexpr std::string_view kPath = "general_settings.alerting";
  for (const std::string& name : ReadStrings(general, "alerting")) {
    if (name == "slack") {
      out.slack = true;
      const auto url = context.env.FirstOf("SLACK_WEBHOOK_URL,ALERTING_WEBHOOK_URL");
      if (url) {
        std::string usable = Usable(context, place.place, "SLACK_WEBHOOK_URL", *url);
        if (!usable.empty()) out.slack_urls.push_back(std::move(usable));
        if (out.slack_urls.empty() && out.urls_by_type.empty()) out.slack = false;
      }
      if (!url && out.urls_by_type.empty()) {
        context.Error(place.place, kPath, "SLACK_WEBHOOK_URL is not set: no alert is sent to Slack");
        out.slack = false;
      }
    } else if (name == "ms_teams") {
      out.ms_teams_url = context.env.FirstOf("MS_TEAMS_WEBHOOK_URL").value_or("");
      if (out.ms_teams_url.empty()) {
        context.Error(place.place, kPath, "MS_TEAMS_WEBHOOK_URL is not set: no alert is sent to Teams");
      } else {
        out.ms_teams_url = Usable(context, place.place, "MS_TEAMS_WEBHOOK_URL", out.ms_teams_url);
      }
    } else if (name == "webhook" || name == "email") {
      context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, place.place, kPath,
                  "accepted but not implemented: '" + name + "' takes budget events of keys and teams only");
    } else {
      context.Warn(place.place, kPath, "unknown destination '" + name + "'");
    }
  }
  return out.slack || !out.ms_teams_url.empty();
}

}  // namespace

std::optional<AlertSettings> ReadAlertSettings(LoadContext& context, const yaml::Node& general_settings) {
  const yaml::Node* alerting = general_settings.Find("alerting");
  if (alerting == nullptr || alerting->IsNull()) return std::nullopt;
  AlertSettings out;
  ReadUrls(context, general_settings, out);
  if (!ReadDestinations(context, general_settings, *alerting, out)) return std::nullopt;
  ReadTypes(context, general_settings, out);
  const auto by_default = EnvNumber(context, "DEFAULT_SLACK_ALERTING_THRESHOLD");
  const auto threshold = ReadNumber(general_settings, "alerting_threshold");
  if (const auto value = threshold ? threshold : by_default; value && *value > 0) out.threshold_s = std::min(*value, 1e6);
  if (const auto value = EnvNumber(context, "SLACK_DAILY_REPORT_FREQUENCY"); value && *value > 0) {
    out.daily_report_frequency_s = std::min(*value, 1e9);
  }
  ReadArguments(general_settings, out);
  out.proxy_base_url = context.env.FirstOf("PROXY_BASE_URL").value_or("");
  return out;
}

}  // namespace gw::config
