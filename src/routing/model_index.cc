// Which deployments does a requested name mean to this caller? Facts section 2.
//
//   deployment id -> alias -> routing group -> the team's own name -> exact group
//     -> pattern (the team's before everybody's, most specific first, "*" last)
//     -> the upstream's own name (litellm_params.model)
//
// Rows of a team are invisible to everybody else, under every rule.
#include <algorithm>

#include "base/strings.h"
#include "routing/router.h"

namespace gw::routing {
namespace {

using config::Deployment;

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

ModelIndex::Match& PatternEntry(std::vector<ModelIndex::Match>& patterns, std::string_view name) {
  const auto at = std::find_if(patterns.begin(), patterns.end(),
                               [&](const ModelIndex::Match& m) { return m.group == name; });
  if (at != patterns.end()) return *at;
  ModelIndex::Match& match = patterns.emplace_back();
  match.group = name;
  match.rule = ModelIndex::Rule::kPattern;
  return match;
}

void AddTo(ModelIndex::Match& match, std::string_view name, ModelIndex::Rule rule,
           const Deployment& row) {
  match.group = name;
  match.rule = rule;
  match.deployments.push_back(&row);
}

}  // namespace

ModelIndex::ModelIndex(config::SnapshotPtr snapshot)
    : snapshot_(std::move(snapshot)), table_(*snapshot_) {
  for (const config::RoutingGroup& group : snapshot_->router.routing_groups) {
    auto settings = std::make_unique<config::RouterSettings>(snapshot_->router);
    settings->strategy = group.strategy;
    settings->strategy_args = group.args;
    group_settings_.push_back(std::move(settings));
  }
  for (const Deployment& row : snapshot_->deployments) {
    if (row.team_id.empty()) {
      AddRow(row);
    } else {
      AddTeamRow(row);
    }
  }
  for (auto& [team, names] : teams_) AddRowsOfAll(names);
  group_sizes_.assign(snapshot_->deployments.size(), 1);
  const auto finish = [this](Names& names) {
    std::stable_sort(names.patterns.begin(), names.patterns.end(), MoreSpecific);
    for (Match& match : names.patterns) match.pattern = match.group;
    ApplyRoutingGroups(names);
    CountGroups(names);
  };
  for (auto& [team, names] : teams_) finish(names);
  finish(all_);
  AddIds();
  AddRoutingGroups();
  AddAliases();
}

void ModelIndex::AddRow(const Deployment& row) {
  if (IsPattern(row.model_name)) {
    PatternEntry(all_.patterns, row.model_name).deployments.push_back(&row);
  } else {
    AddTo(all_.groups[row.model_name], row.model_name, Rule::kGroup, row);
  }
  if (!IsPattern(row.litellm_model)) {
    AddTo(all_.upstream_names[row.litellm_model], row.litellm_model, Rule::kUpstreamName, row);
  }
}

void ModelIndex::AddTeamRow(const Deployment& row) {
  Names& names = teams_[row.team_id];
  const std::string& own = row.team_public_model_name;
  if (!own.empty()) {
    if (IsPattern(own)) {
      PatternEntry(names.patterns, own).deployments.push_back(&row);
    } else {
      AddTo(names.public_names[own], own, Rule::kTeam, row);
    }
  }
  if (IsPattern(row.model_name)) {
    if (own != row.model_name) {
      PatternEntry(names.patterns, row.model_name).deployments.push_back(&row);
    }
  } else {
    AddTo(names.groups[row.model_name], row.model_name, Rule::kGroup, row);
  }
  if (!IsPattern(row.litellm_model)) {
    AddTo(names.upstream_names[row.litellm_model], row.litellm_model, Rule::kUpstreamName, row);
  }
}

// A team sees its own rows beside those of everybody, in config order.
void ModelIndex::AddRowsOfAll(Names& names) const {
  for (auto& [name, match] : names.groups) {
    const auto at = all_.groups.find(name);
    if (at == all_.groups.end()) continue;
    std::vector<const Deployment*>& rows = match.deployments;
    rows.insert(rows.end(), at->second.deployments.begin(), at->second.deployments.end());
    std::sort(rows.begin(), rows.end());  // pointers into one vector
  }
}

void ModelIndex::CountGroups(const Names& names) {
  const auto count = [this](const Match& match) {
    for (const Deployment* row : match.deployments) {
      uint32_t& size = group_sizes_[row->index];
      size = std::max(size, static_cast<uint32_t>(match.deployments.size()));
    }
  };
  for (const auto& [name, match] : names.public_names) count(match);
  for (const Match& match : names.patterns) count(match);
  if (&names == &all_) {
    for (const auto& [name, match] : names.groups) count(match);
    return;
  }
  // Seen from a team a group may be larger; for the rows of everybody their own view counts.
  for (const auto& [name, match] : names.groups) {
    for (const Deployment* row : match.deployments) {
      if (row->team_id.empty()) continue;
      uint32_t& size = group_sizes_[row->index];
      size = std::max(size, static_cast<uint32_t>(match.deployments.size()));
    }
  }
}

void ModelIndex::AddIds() {
  for (const Deployment& row : snapshot_->deployments) {
    Names& names = row.team_id.empty() ? all_ : teams_[row.team_id];
    if (row.id.empty() || names.groups.contains(row.id) || all_.groups.contains(row.id)) continue;
    Match& match = names.ids[row.id];
    if (!match.deployments.empty()) continue;  // a duplicated id: the first row keeps it
    AddTo(match, row.id, Rule::kId, row);
    match.settings = SettingsOf(row.model_name);
  }
}

const config::RouterSettings* ModelIndex::SettingsOf(std::string_view model_name) const {
  const config::RoutingGroup* group = snapshot_->router.GroupOf(model_name);
  if (group == nullptr) return nullptr;
  return group_settings_[static_cast<size_t>(group - snapshot_->router.routing_groups.data())].get();
}

void ModelIndex::ApplyRoutingGroups(Names& names) const {
  if (group_settings_.empty()) return;
  const auto apply = [this](Match& match) {
    match.settings = SettingsOf(match.deployments.front()->model_name);
  };
  for (auto& [name, match] : names.groups) apply(match);
  for (auto& [name, match] : names.public_names) apply(match);
  for (auto& [name, match] : names.upstream_names) apply(match);
  for (Match& match : names.patterns) apply(match);
}

void ModelIndex::AddRoutingGroups() {
  const auto& groups = snapshot_->router.routing_groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    // A group that bears a model's name says only how that model is balanced.
    if (all_.groups.contains(groups[i].name)) continue;
    Match match;
    match.group = groups[i].name;
    match.rule = Rule::kRoutingGroup;
    match.settings = group_settings_[i].get();
    for (const std::string& model : groups[i].models) {
      const auto at = all_.groups.find(model);
      if (at == all_.groups.end()) continue;
      const auto& rows = at->second.deployments;
      match.deployments.insert(match.deployments.end(), rows.begin(), rows.end());
    }
    if (!match.deployments.empty()) routing_groups_.emplace(match.group, std::move(match));
  }
}

void ModelIndex::AddAliases() {
  for (const config::ModelAlias& entry : snapshot_->router.aliases) {
    Alias alias;
    alias.model = entry.model;
    Match scratch;
    if (const Match* target = ResolvePastAliases(entry.model, nullptr, scratch)) {
      alias.match = *target;
      alias.match.group = entry.alias;  // headers and labels show what the client asked for
      alias.match.rule = Rule::kAlias;
      alias.is_known = true;
    }
    aliases_.insert_or_assign(entry.alias, std::move(alias));
  }
}

const ModelIndex::Names* ModelIndex::NamesOf(std::string_view team) const {
  if (team.empty() || teams_.empty()) return nullptr;
  const auto at = teams_.find(team);
  return at == teams_.end() ? nullptr : &at->second;
}

const ModelIndex::Match* ModelIndex::Resolve(std::string_view name, std::string_view team_id,
                                             Match& scratch) const {
  const Names* team = NamesOf(team_id);
  if (team != nullptr) {
    if (const auto at = team->ids.find(name); at != team->ids.end()) return &at->second;
  }
  if (const auto at = all_.ids.find(name); at != all_.ids.end()) return &at->second;
  const auto at = aliases_.find(name);
  if (at == aliases_.end()) return ResolvePastAliases(name, team, scratch);
  if (team == nullptr) {
    // compat: an alias of nothing does not hide a model of the same name.
    return at->second.is_known ? &at->second.match : ResolvePastAliases(name, team, scratch);
  }
  const Match* target = ResolvePastAliases(at->second.model, team, scratch);
  if (target == nullptr) return ResolvePastAliases(name, team, scratch);
  if (target != &scratch) scratch = *target;
  scratch.group = name;
  scratch.rule = Rule::kAlias;
  return &scratch;
}

const ModelIndex::Match* ModelIndex::MatchPattern(const std::vector<Match>& patterns,
                                                  std::string_view name, Match& scratch) {
  std::vector<std::string_view> captured;
  for (const Match& pattern : patterns) {
    if (!GlobMatch(pattern.group, name, &captured)) continue;
    scratch = pattern;
    scratch.group = name;
    scratch.captured.assign(captured.begin(), captured.end());
    return &scratch;
  }
  return nullptr;
}

const ModelIndex::Match* ModelIndex::ResolvePastAliases(std::string_view name, const Names* team,
                                                        Match& scratch) const {
  const auto in = [name](const NameMap& map) -> const Match* {
    const auto at = map.find(name);
    return at == map.end() ? nullptr : &at->second;
  };
  if (!routing_groups_.empty()) {
    if (const Match* match = in(routing_groups_)) return match;
  }
  if (team != nullptr) {
    for (const NameMap* map : {&team->public_names, &team->groups}) {
      if (const Match* match = in(*map)) return match;
    }
  }
  if (const Match* match = in(all_.groups)) return match;
  if (team != nullptr) {
    if (const Match* match = MatchPattern(team->patterns, name, scratch)) return match;
  }
  if (const Match* match = MatchPattern(all_.patterns, name, scratch)) return match;
  if (team != nullptr) {
    if (const Match* match = in(team->upstream_names)) return match;
  }
  return in(all_.upstream_names);
}

bool ModelIndex::Knows(std::string_view name, std::string_view team) const {
  Match scratch;
  return Resolve(name, team, scratch) != nullptr;
}

const config::Deployment* ModelIndex::OnlyRow(std::string_view name, std::string_view team) const {
  Match scratch;
  const Match* match = Resolve(name, team, scratch);
  const bool is_one = match != nullptr && match->rule != Rule::kId && match->deployments.size() == 1;
  return is_one ? match->deployments.front() : nullptr;
}

}  // namespace gw::routing
