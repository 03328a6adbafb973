#include "routing/tag_filter.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace gw::routing {
namespace {

using config::Deployment;

constexpr std::string_view kDefaultTag = "default";

bool HasTag(const Deployment* row, std::string_view tag) {
  return std::find(row->tags.begin(), row->tags.end(), tag) != row->tags.end();
}

RowList DefaultsOf(const RowList& rows) {
  RowList kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [](const Deployment* row) { return HasTag(row, kDefaultTag); });
  return kept;
}

// What the request's tags ask for; views into them.
struct Wishes {
  std::vector<std::string_view> wanted;
  std::vector<std::string_view> forbidden;  // "!x"
  std::vector<std::string_view> required;   // "&x"
  [[nodiscard]] bool HasConstraints() const { return !forbidden.empty() || !required.empty(); }
};

Wishes Sort(const SelectionInput& input) {
  const std::string& prefix = input.settings.tag_routing_prefix;
  Wishes wishes;
  for (const std::string_view tag : input.tags) {
    const bool is_marked = tag.starts_with('!') || tag.starts_with('&');
    const std::string_view name = tag.substr(is_marked ? 1 : 0);
    if (name.empty() || !name.starts_with(prefix)) continue;  // says nothing about routing
    if (!is_marked) {
      wishes.wanted.push_back(name);
    } else if (tag.front() == '!') {
      wishes.forbidden.push_back(name);
    } else {
      wishes.required.push_back(name);
    }
  }
  return wishes;
}

class Matcher {
 public:
  Matcher(const SelectionInput& input, const Wishes& wishes)
      : table_(input.table),
        wanted_(wishes.wanted),
        match_any_(input.settings.tag_filtering_match_any) {
    if (input.table.any_tag_regex() && !input.controls.user_agent.empty()) {
      user_agent_ = "User-Agent: ";
      user_agent_ += input.controls.user_agent;
    }
  }

  [[nodiscard]] bool Matches(const Deployment* row) const {
    const auto has = [row](std::string_view tag) { return HasTag(row, tag); };
    const bool by_tags = match_any_ ? std::any_of(wanted_.begin(), wanted_.end(), has)
                                    : std::all_of(wanted_.begin(), wanted_.end(), has);
    if (by_tags && !wanted_.empty()) return true;
    // Where all tags are asked for, being the right client is no substitute for them.
    if (!match_any_ && !wanted_.empty()) return false;
    return !user_agent_.empty() && table_.MatchesTagRegex(row, user_agent_);
  }

 private:
  const RowTable& table_;
  const std::vector<std::string_view>& wanted_;
  const bool match_any_;
  std::string user_agent_;  // empty: no row asks for it
};

bool KeepAllowed(RowList& rows, const SelectionInput& input) {
  const Wishes wishes = Sort(input);
  std::erase_if(rows, [&](const Deployment* row) {
    const auto has = [row](std::string_view tag) { return HasTag(row, tag); };
    return std::any_of(wishes.forbidden.begin(), wishes.forbidden.end(), has) ||
           !std::all_of(wishes.required.begin(), wishes.required.end(), has);
  });
  if (rows.empty()) return false;

  const Matcher matcher(input, wishes);
  const auto matches = [&matcher](const Deployment* row) { return matcher.Matches(row); };
  RowList matching;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(matching), matches);
  if (!matching.empty()) {
    rows = std::move(matching);
    return true;
  }
  RowList defaults = DefaultsOf(rows);
  if (wishes.wanted.empty()) {
    if (!defaults.empty() && !wishes.HasConstraints()) rows = std::move(defaults);
    return true;
  }
  const bool lives_elsewhere = std::any_of(input.rows.begin(), input.rows.end(), matches);
  if (lives_elsewhere || defaults.empty()) return false;
  rows = std::move(defaults);
  return true;
}

}  // namespace

bool IsTagFilteringOn(const SelectionInput& input) {
  if (input.settings.enable_tag_filtering || input.controls.tag_filtering) return true;
  return input.table.any_tag_filtering() &&
         std::any_of(input.rows.begin(), input.rows.end(),
                     [](const Deployment* row) { return row->enable_tag_filtering; });
}

bool KeepTagged(RowList& rows, const SelectionInput& input) {
  const bool fails_open = std::any_of(input.rows.begin(), input.rows.end(),
                                      [](const Deployment* row) { return row->allow_fail_open; });
  RowList defaults;
  if (fails_open) defaults = DefaultsOf(rows);
  if (KeepAllowed(rows, input)) return true;
  rows = std::move(defaults);
  return !rows.empty();
}

}  // namespace gw::routing
