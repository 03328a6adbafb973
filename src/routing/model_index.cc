// Which deployments does a requested name mean? Facts section 2, without the team rules.
//
//   deployment id -> alias -> exact group -> pattern (most specific first, "*" last)
//     -> the upstream's own name (litellm_params.model)
#include <algorithm>

#include "base/strings.h"
#include "routing/router.h"

namespace gw::routing {
namespace {

bool IsPattern(std::string_view name) { return name.find('*') != std::string_view::npos; }

// Characters that a regular expression would have to escape; LiteLLM counts them to rank patterns
// of equal length.
size_t SpecialCount(std::string_view pattern) {
  return static_cast<size_t>(std::count_if(pattern.begin(), pattern.end(), [](char c) {
    return std::string_view("*+?\\^$|()").find(c) != std::string_view::npos;
  }));
}

bool MoreSpecific(const ModelIndex::Match& a, const ModelIndex::Match& b) {
  if (a.group.size() != b.group.size()) return a.group.size() > b.group.size();
  return SpecialCount(a.group) > SpecialCount(b.group);
}

}  // namespace

ModelIndex::ModelIndex(config::SnapshotPtr snapshot)
    : snapshot_(std::move(snapshot)), table_(*snapshot_) {
  for (const config::Deployment& row : snapshot_->deployments) {
    Match* match = nullptr;
    if (IsPattern(row.model_name)) {
      const auto at = std::find_if(patterns_.begin(), patterns_.end(),
                                   [&](const Match& m) { return m.group == row.model_name; });
      match = at == patterns_.end() ? &patterns_.emplace_back() : &*at;
      match->by_wildcard = true;
    } else {
      match = &groups_[row.model_name];
    }
    match->group = row.model_name;
    match->deployments.push_back(&row);

    if (IsPattern(row.litellm_model)) continue;
    Match& upstream = upstream_names_[row.litellm_model];
    upstream.group = row.litellm_model;
    upstream.deployments.push_back(&row);
  }
  std::stable_sort(patterns_.begin(), patterns_.end(), MoreSpecific);

  group_sizes_.assign(snapshot_->deployments.size(), 0);
  const auto count = [this](const Match& match) {
    for (const config::Deployment* row : match.deployments) {
      group_sizes_[row->index] = static_cast<uint32_t>(match.deployments.size());
    }
  };
  for (const auto& [name, match] : groups_) count(match);
  for (const Match& match : patterns_) count(match);

  for (const config::Deployment& row : snapshot_->deployments) {
    if (row.id.empty() || groups_.contains(row.id)) continue;
    Match& match = ids_[row.id];
    if (!match.deployments.empty()) continue;  // a duplicated id: the first row keeps it
    match.group = row.id;
    match.by_id = true;
    match.deployments.push_back(&row);
  }
  AddAliases();
}

void ModelIndex::AddAliases() {
  for (const config::ModelAlias& alias : snapshot_->router.aliases) {
    Match scratch;
    const Match* target = ResolvePastAliases(alias.model, scratch);
    if (target == nullptr) continue;
    Match match = *target;
    match.group = alias.alias;  // headers and labels show what the client asked for
    aliases_.insert_or_assign(alias.alias, std::move(match));
  }
}

const ModelIndex::Match* ModelIndex::Resolve(std::string_view name, Match& scratch) const {
  if (const auto at = ids_.find(name); at != ids_.end()) return &at->second;
  if (const auto at = aliases_.find(name); at != aliases_.end()) return &at->second;
  return ResolvePastAliases(name, scratch);
}

const ModelIndex::Match* ModelIndex::ResolvePastAliases(std::string_view name,
                                                        Match& scratch) const {
  if (const auto at = groups_.find(name); at != groups_.end()) return &at->second;
  std::vector<std::string_view> captured;
  for (const Match& pattern : patterns_) {
    if (!GlobMatch(pattern.group, name, &captured)) continue;
    scratch = pattern;
    scratch.group = name;
    scratch.wildcard_text = captured.empty() ? std::string() : std::string(captured.front());
    return &scratch;
  }
  const auto at = upstream_names_.find(name);
  return at == upstream_names_.end() ? nullptr : &at->second;
}

bool ModelIndex::Knows(std::string_view name) const {
  Match scratch;
  return Resolve(name, scratch) != nullptr;
}

}  // namespace gw::routing
