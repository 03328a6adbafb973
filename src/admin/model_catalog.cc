#include "admin/model_catalog.h"

#include <algorithm>
#include <unordered_set>

#include "base/json_tree.h"
#include "base/strings.h"

namespace gw::admin {

namespace {

std::optional<int64_t> IntMember(const json::Object& object, std::string_view key) {
  const json::Value* value = json::Get(object, key);
  if (value == nullptr) return std::nullopt;
  const auto number = json::AsNumber(*value);
  if (!number || *number < 0 || *number > 9e15) return std::nullopt;
  return static_cast<int64_t>(*number);
}

void KeepLarger(std::optional<int64_t>& into, std::optional<int64_t> value) {
  if (value && (!into || *into < *value)) into = value;
}

// The facts of one public name: the first known mode, the largest limits of its rows.
void Learn(CatalogEntry& entry, const config::Deployment& d) {
  const DeploymentLimits limits = LimitsOf(d);
  if (entry.provider.empty()) entry.provider = d.provider;
  if (entry.mode.empty()) entry.mode = limits.mode;
  KeepLarger(entry.max_input_tokens, limits.max_input_tokens);
  KeepLarger(entry.max_output_tokens, limits.max_output_tokens);
}

// The rows that `name` means: its group, or the group behind an alias.
CatalogEntry EntryOfGroup(const config::Snapshot& snapshot, std::string_view shown,
                          std::string_view group) {
  CatalogEntry entry;
  entry.name = shown;
  for (const config::Deployment& d : snapshot.deployments) {
    if (d.model_name == group) Learn(entry, d);
  }
  return entry;
}

// The price map speaks of Ollama under one name, whichever of its two APIs a row uses.
std::string_view FactsProvider(const config::Deployment& d) {
  return d.provider == "ollama_chat" ? std::string_view("ollama") : std::string_view(d.provider);
}

// A model of the price map as the upstream knows it: without the provider's prefix.
std::string_view UpstreamName(const config::ModelFacts& facts) {
  std::string_view name = facts.name;
  const std::string& provider = facts.litellm_provider;
  if (name.size() > provider.size() && name.starts_with(provider) && name[provider.size()] == '/') {
    name.remove_prefix(provider.size() + 1);
  }
  return name;
}

// `pattern` with its stars replaced by `texts`, in order; the last text serves further stars.
std::string Fill(std::string_view pattern, const std::vector<std::string_view>& texts) {
  std::string out;
  size_t next = 0;
  for (const char c : pattern) {
    if (c != '*') {
      out += c;
    } else if (!texts.empty()) {
      out += texts[std::min(next++, texts.size() - 1)];
    }
  }
  return out;
}

// Public names that the pattern of `d` gives to known models of its provider, sorted.
std::vector<CatalogEntry> Expand(const config::Snapshot& snapshot, const config::Deployment& d) {
  std::vector<CatalogEntry> entries;
  if (!IsPattern(d.upstream_model)) return entries;
  for (const auto& [key, facts] : snapshot.model_facts) {
    if (facts->litellm_provider != FactsProvider(d)) continue;
    std::vector<std::string_view> texts;
    if (!GlobMatch(d.upstream_model, UpstreamName(*facts), &texts)) continue;
    CatalogEntry entry;
    entry.name = Fill(d.model_name, texts);
    entry.provider = d.provider;
    entry.mode = facts->mode;
    entry.max_input_tokens = facts->max_input_tokens;
    entry.max_output_tokens = facts->max_output_tokens;
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const CatalogEntry& a, const CatalogEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace

bool IsPattern(std::string_view name) { return name.find('*') != std::string_view::npos; }

DeploymentLimits LimitsOf(const config::Deployment& d) {
  DeploymentLimits limits;
  limits.mode = d.mode;
  limits.max_tokens = IntMember(d.model_info, "max_tokens");
  limits.max_input_tokens = IntMember(d.model_info, "max_input_tokens");
  limits.max_output_tokens = IntMember(d.model_info, "max_output_tokens");
  if (d.facts != nullptr) {
    if (limits.mode.empty()) limits.mode = d.facts->mode;
    if (!limits.max_tokens) limits.max_tokens = d.facts->max_tokens;
    if (!limits.max_input_tokens) limits.max_input_tokens = d.facts->max_input_tokens;
    if (!limits.max_output_tokens) limits.max_output_tokens = d.facts->max_output_tokens;
  }
  if (!limits.max_tokens) limits.max_tokens = limits.max_output_tokens;
  if (!limits.max_tokens) limits.max_tokens = limits.max_input_tokens;
  return limits;
}

std::vector<CatalogEntry> ListCatalog(const config::Snapshot& snapshot, bool with_patterns) {
  std::vector<CatalogEntry> entries;
  std::unordered_set<std::string> seen;
  const auto add = [&](CatalogEntry entry) {
    if (seen.insert(entry.name).second) entries.push_back(std::move(entry));
  };
  for (const config::ModelAlias& alias : snapshot.router.aliases) {
    if (!alias.hidden) add(EntryOfGroup(snapshot, alias.alias, alias.model));
  }
  // One pass per kind; rows of one name are learnt from together.
  for (const config::Deployment& d : snapshot.deployments) {
    if (IsPattern(d.model_name) || seen.contains(d.model_name)) continue;
    add(EntryOfGroup(snapshot, d.model_name, d.model_name));
  }
  for (const config::Deployment& d : snapshot.deployments) {
    if (!IsPattern(d.model_name)) continue;
    if (with_patterns) add(EntryOfGroup(snapshot, d.model_name, d.model_name));
    for (CatalogEntry& entry : Expand(snapshot, d)) add(std::move(entry));
  }
  return entries;
}

std::optional<CatalogEntry> FindInCatalog(const config::Snapshot& snapshot, std::string_view name) {
  for (CatalogEntry& entry : ListCatalog(snapshot, true)) {
    if (entry.name == name) return std::move(entry);
  }
  for (const config::Deployment& d : snapshot.deployments) {
    if (!IsPattern(d.model_name) || !GlobMatch(d.model_name, name, nullptr)) continue;
    return EntryOfGroup(snapshot, name, d.model_name);
  }
  return std::nullopt;
}

}  // namespace gw::admin
