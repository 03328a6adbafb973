// What becomes of each key of the document?
#include "config/check.h"

#include "config/value_reader.h"

namespace gw::config {
namespace {

// Keys whose loader explains a wrong type better than "expected list".
bool HasOwnCheck(std::string_view key) {
  return key == "fallbacks" || key == "default_fallbacks" || key == "context_window_fallbacks" ||
         key == "content_policy_fallbacks" || key == "include";
}

std::string UnknownText(Section section, std::string_view key) {
  std::string text = section == Section::kRouterSettings
                         ? "Key '" + std::string(key) +
                               "' is not a valid argument for Router.__init__(). Ignoring this key."
                         : "unknown key, ignored";
  const std::string_view nearest = NearestKey(section, key);
  if (!nearest.empty())
    text += (section == Section::kRouterSettings ? " Did" : "; did") + std::string(" you mean \"") +
            std::string(nearest) + "\"?";
  return text;
}

void ReportUnknown(LoadContext& context, Section section, const yaml::Member& member,
                   const std::string& path) {
  const std::string key = yaml::KeyText(member.key);
  if (section == Section::kLitellmParams) {
    const std::string_view nearest = NearestKey(section, key);
    context.Add(
        nearest.empty() ? Severity::kInfo : Severity::kWarning, KeyStatus::kEffective,
        member.key.place, path,
        "sent upstream as a request parameter" +
            (nearest.empty() ? std::string() : "; did you mean \"" + std::string(nearest) + "\"?"));
    return;
  }
  if (section == Section::kRouterSettings &&
      (key == "health_check_interval" || key == "health_check_concurrency")) {
    context.Fatal(kExitRefused, member.key.place, path,
                  "'" + key +
                      "' is NOT a valid router_settings parameter. Please move it to "
                      "'general_settings'.");
    return;
  }
  context.Add(Severity::kWarning, KeyStatus::kUnknown, member.key.place, path,
              UnknownText(section, key));
}

void ReportKnown(LoadContext& context, const KeySpec& spec, const yaml::Member& member,
                 const std::string& path) {
  std::string text(spec.doc);
  Severity severity = Severity::kInfo;
  if (spec.status == KeyStatus::kNotSupportedYet) {
    severity = Severity::kWarning;
    text = "accepted but not implemented: " + text;
  } else if (spec.status == KeyStatus::kIgnored) {
    text = "no effect here: " + text;
  }
  context.Add(severity, spec.status, member.key.place, path, std::move(text));
}

// False after a finding.
bool CheckType(LoadContext& context, const KeySpec& spec, const yaml::Member& member,
               const std::string& path) {
  if (spec.status != KeyStatus::kEffective || HasOwnCheck(spec.key) ||
      FitsType(spec.type, member.value)) {
    return true;
  }
  const bool is_soft =
      spec.section == Section::kModelInfo || spec.section == Section::kRequestParams;
  context.Add(is_soft ? Severity::kWarning : Severity::kError, spec.status, member.value.place,
              path,
              "expected " + std::string(TypeName(spec.type)) + ", got " +
                  Shown(member.value, yaml::KeyText(member.key)));
  return is_soft;
}

}  // namespace

int CheckKeys(LoadContext& context, Section section, const yaml::Node& node,
              std::string_view path) {
  int wrong_types = 0;
  for (const yaml::Member& member : node.members) {
    const std::string key = yaml::KeyText(member.key);
    const std::string member_path = Join(path, key);
    const KeySpec* spec = FindKey(section, key);
    if (spec == nullptr && section == Section::kLitellmParams) {
      spec = FindKey(Section::kRequestParams, key);
    }
    if (spec == nullptr) {
      ReportUnknown(context, section, member, member_path);
      continue;
    }
    ReportKnown(context, *spec, member, member_path);
    if (!CheckType(context, *spec, member, member_path)) ++wrong_types;
  }
  return wrong_types;
}

namespace {

// A section that may be absent or null; its keys' wrong types forbid the start.
void CheckSettings(LoadContext& context, const yaml::Node& parent, std::string_view key,
                   Section section, std::string_view parent_path) {
  const yaml::Node* node = ReadMap(parent, key);
  if (node == nullptr) return;
  const std::string path = Join(parent_path, key);
  if (CheckKeys(context, section, *node, path) > 0) {
    context.Fatal(kExitRefused, node->place, path, "settings of a wrong type, see above");
  }
}

void CheckPolicies(LoadContext& context, const yaml::Node& root) {
  const yaml::Node* router = ReadMap(root, "router_settings");
  if (router == nullptr) return;
  CheckSettings(context, *router, "retry_policy", Section::kRetryPolicy, "router_settings");
  CheckSettings(context, *router, "allowed_fails_policy", Section::kAllowedFailsPolicy,
                "router_settings");
  const yaml::Node* groups = ReadMap(*router, "model_group_retry_policy");
  if (groups == nullptr) return;
  for (const yaml::Member& member : groups->members) {
    CheckSettings(context, *groups, yaml::KeyText(member.key), Section::kRetryPolicy,
                  "router_settings.model_group_retry_policy");
  }
}

}  // namespace

void CheckSections(LoadContext& context, const yaml::Node& root) {
  if (CheckKeys(context, Section::kTop, root, "") > 0) {
    context.Fatal(kExitRefused, root.place, "", "sections of a wrong type, see above");
  }
  CheckSettings(context, root, "litellm_settings", Section::kLitellmSettings, "");
  CheckSettings(context, root, "router_settings", Section::kRouterSettings, "");
  CheckSettings(context, root, "general_settings", Section::kGeneralSettings, "");
  CheckPolicies(context, root);
  if (const yaml::Node* litellm = ReadMap(root, "litellm_settings")) {
    CheckSettings(context, *litellm, "cache_params", Section::kCacheParams, "litellm_settings");
  }
  if (const yaml::Node* credentials = ReadList(root, "credential_list")) {
    for (size_t i = 0; i < credentials->items.size(); ++i) {
      (void)CheckKeys(context, Section::kCredential, credentials->items[i],
                      Indexed("credential_list", i));
    }
  }
}

}  // namespace gw::config
