#include "gateway/custom_labels.h"

#include "base/json.h"
#include "base/strings.h"
#include "metrics/label_text.h"

namespace gw::gateway {

namespace {

constexpr std::string_view kMissing = "None";

// The text at "a.b.c" below `object`; only strings count.
std::optional<std::string> StringAt(std::string_view object, std::string_view path) {
  while (json::KindOf(object) == json::Kind::kObject) {
    // compat: a key that itself holds dots is found by its whole name.
    if (const auto whole = json::Find(object, path); whole && json::KindOf(*whole) == json::Kind::kString)
      return json::Unquote(*whole);
    const size_t dot = path.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto inner = json::Find(object, path.substr(0, dot));
    if (!inner) return std::nullopt;
    object = *inner;
    path.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

// What the gateway itself knows of the caller, under LiteLLM's names.
std::string_view KnownOf(const RequestContext& context, std::string_view name) {
  const metrics::CallerLabels& caller = context.caller;
  if (name == "user_api_key" || name == "user_api_key_hash") return caller.hashed_api_key;
  if (name == "user_api_key_alias") return caller.api_key_alias;
  if (name == "user_api_key_user_id") return caller.user;
  if (name == "user_api_key_user_email") return caller.user_email;
  if (name == "user_api_key_team_id") return caller.team;
  if (name == "user_api_key_team_alias") return caller.team_alias;
  if (name == "user_api_key_org_id") return caller.org_id;
  if (name == "user_api_key_end_user_id") return context.end_user;
  if (name == "requester_ip_address") return caller.client_ip;
  return {};
}

// The object in the header that carries spend_logs_metadata, padded; empty: there is none.
std::string LoggedByHeader(const RequestContext& context) {
  const std::string_view text = context.exchange.head().headers.Get("x-litellm-spend-logs-metadata");
  if (text.empty() || json::ValidateUnpadded(text) != nullptr) return {};
  std::string padded(text);
  padded.append(json::kPadding, ' ');
  return padded;
}

// The body's own objects, the later one wins: metadata, litellm_metadata, spend_logs_metadata in them and in
// its header.
std::string ValueOf(const RequestContext& context, std::string_view entry) {
  constexpr std::string_view kPrefix = "metadata.";
  const std::string_view path = entry.starts_with(kPrefix) ? entry.substr(kPrefix.size()) : entry;
  std::string value(KnownOf(context, path));
  if (value.empty()) value = kMissing;
  for (const std::string_view name : {"metadata", "litellm_metadata"}) {
    for (const json::Member& member : context.members) {
      if (!member.KeyIs(name) || member.kind != json::Kind::kObject) continue;
      if (auto text = StringAt(member.value, path)) value = std::move(*text);
      const auto logged = json::Find(member.value, "spend_logs_metadata");
      if (!logged) continue;
      if (auto text = StringAt(*logged, path)) value = std::move(*text);
    }
  }
  if (const std::string logged = LoggedByHeader(context); !logged.empty()) {
    if (auto text = StringAt(json::TrimSpace(logged), path)) value = std::move(*text);
  }
  value.resize(metrics::CutLabelValue(value).size());
  return value;
}

bool HasTag(const RequestContext& context, std::string_view pattern) {
  for (const std::string& tag : context.controls.tags) {
    if (GlobMatch(pattern, tag, nullptr)) return true;
  }
  // LiteLLM adds two tags of its own: the product, and the whole header.
  constexpr std::string_view kAgent = "User-Agent: ";
  if (context.caller.user_agent.empty()) return false;
  const std::string_view agent = metrics::CutLabelValue(context.caller.user_agent);
  std::string tag(kAgent);
  tag += agent;
  if (GlobMatch(pattern, tag, nullptr)) return true;
  tag.resize(kAgent.size() + std::min(agent.find('/'), agent.size()));
  return GlobMatch(pattern, tag, nullptr);
}

}  // namespace

void ResolveCustomLabels(RequestContext& context) {
  const metrics::LabelChoice& choice = context.core.metrics->choice();
  if (!choice.has_custom_labels()) return;
  metrics::CustomLabels& custom = context.custom;
  custom.metadata.clear();
  for (const std::string& entry : choice.metadata_labels) custom.metadata.push_back(ValueOf(context, entry));
  custom.tags = 0;
  for (size_t i = 0; i < choice.tags.size(); ++i) {
    if (HasTag(context, choice.tags[i])) custom.tags |= uint64_t{1} << i;
  }
  context.caller.custom = &custom;
}

}  // namespace gw::gateway
