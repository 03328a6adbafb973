// What of litellm_params may people see? Everything but secrets.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/deployment_row.h"
#include "config/origin.h"
#include "config/schema.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kMask = "*****";

bool LooksLikeSecret(std::string_view text) {
  constexpr std::array<std::string_view, 9> kPrefixes = {
      "sk-", "Bearer ", "Basic ", "ghp_", "hf_", "gsk_", "AKIA", "xai-", "-----BEGIN"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [text](std::string_view prefix) {
    return StartsWithIgnoreCase(text, prefix);
  });
}

// Values from the environment are taken for secrets unless the key says otherwise.
bool IsHarmlessKey(std::string_view key) {
  constexpr std::array<std::string_view, 7> kKeys = {
      "model",      "api_base", "base_url", "api_version", "organization", "custom_llm_provider",
      "region_name"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

json::Value Mask(const yaml::Node& node, std::string_view key) {
  if (node.IsMapping()) {
    json::Object object;
    for (const yaml::Member& member : node.members) {
      const std::string name = yaml::KeyText(member.key);
      object[name] = IsSecretKey(name)
                         ? json::Value(boost::json::string(kMask.data(), kMask.size()))
                         : Mask(member.value, name);
    }
    return object;
  }
  if (node.IsSequence()) {
    json::Array array;
    for (const yaml::Node& item : node.items) array.push_back(Mask(item, key));
    return array;
  }
  const bool is_switch = AsBool(node).has_value() || AsNumber(node).has_value();
  const bool is_hidden = (!node.env_name.empty() && !is_switch && !IsHarmlessKey(key)) ||
                         (node.IsString() && LooksLikeSecret(node.text));
  if (is_hidden) return boost::json::string(kMask.data(), kMask.size());
  return yaml::ToJson(node);
}

bool IsSeconds(std::string_view key) {
  return key == "timeout" || key == "stream_timeout" || key == "request_timeout" ||
         key == "cooldown_time";
}

void AppendCanonical(std::string& out, const yaml::Node& node) {
  if (!node.env_name.empty()) {
    yaml::AppendJson(out, yaml::MakeString("os.environ/" + node.env_name));
    return;
  }
  if (node.IsSequence()) {
    out += '[';
    for (const yaml::Node& item : node.items) {
      AppendCanonical(out, item);
      out += ',';
    }
    out += ']';
    return;
  }
  if (!node.IsMapping()) {
    yaml::AppendJson(out, node);
    return;
  }
  std::vector<const yaml::Member*> members;
  members.reserve(node.members.size());
  for (const yaml::Member& member : node.members) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const yaml::Member* a, const yaml::Member* b) {
    return yaml::KeyText(a->key) < yaml::KeyText(b->key);
  });
  out += '{';
  for (const yaml::Member* member : members) {
    yaml::AppendJson(out, yaml::MakeString(yaml::KeyText(member->key)));
    out += ':';
    AppendCanonical(out, member->value);
    out += ',';
  }
  out += '}';
}

}  // namespace

json::Object ShowParams(const yaml::Node& params) {
  json::Object shown;
  for (const yaml::Member& member : params.members) {
    const std::string key = yaml::KeyText(member.key);
    if (member.value.IsNull() || IsSecretKey(key)) continue;
    // "api_kee" is a secret too.
    if (FindKey(Section::kLitellmParams, key) == nullptr &&
        IsSecretKey(NearestKey(Section::kLitellmParams, key))) {
      continue;
    }
    if (IsSeconds(key)) {
      if (const auto value = AsNumber(member.value)) shown[key] = *value;
    } else if (key == "api_base" || key == "base_url") {
      shown[key] = boost::json::string(CleanBase(member.value.text));
    } else {
      shown[key] = Mask(member.value, key);
    }
  }
  // compat: switches that LiteLLM 1.109.1 always lists.
  for (const char* key : {"allow_client_keepalive_override", "merge_reasoning_content_in_choices",
                          "use_in_pass_through", "use_litellm_proxy", "use_xai_oauth"}) {
    if (!shown.contains(key)) shown[key] = false;
  }
  return shown;
}

std::string CanonicalText(const yaml::Node& node) {
  std::string out;
  AppendCanonical(out, node);
  return out;
}

}  // namespace gw::config
