#include "routing/tag_filter.h"

#include <algorithm>
#include <string_view>

namespace gw::routing {
namespace {

constexpr std::string_view kDefaultTag = "default";

bool HasTag(const config::Deployment* row, std::string_view tag) {
  return std::find(row->tags.begin(), row->tags.end(), tag) != row->tags.end();
}

bool HasAny(const config::Deployment* row, const std::vector<std::string_view>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [row](std::string_view tag) { return HasTag(row, tag); });
}

RowList RowsWith(const RowList& rows, const std::vector<std::string_view>& tags) {
  RowList kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [&](const config::Deployment* row) { return HasAny(row, tags); });
  return kept;
}

}  // namespace

bool KeepTagged(RowList& rows, const RowList& group_rows, const std::vector<std::string>& tags) {
  std::vector<std::string_view> wanted;
  for (const std::string& tag : tags) {
    const std::string_view name = std::string_view(tag).substr(tag.empty() ? 0 : 1);
    if (tag.starts_with('!')) {  // excludes rows that have it
      std::erase_if(rows, [&](const config::Deployment* row) { return HasTag(row, name); });
    } else if (tag.starts_with('&')) {  // requires it
      std::erase_if(rows, [&](const config::Deployment* row) { return !HasTag(row, name); });
    } else {
      wanted.push_back(tag);
    }
  }
  if (rows.empty()) return false;
  if (wanted.empty() && wanted.size() != tags.size()) return true;  // only constraints were given

  const RowList defaults = RowsWith(rows, {kDefaultTag});
  if (wanted.empty()) {
    if (!defaults.empty()) rows = defaults;
    return true;
  }
  if (RowList matching = RowsWith(rows, wanted); !matching.empty()) {
    rows = std::move(matching);
    return true;
  }
  if (!RowsWith(group_rows, wanted).empty() || defaults.empty()) return false;
  rows = defaults;
  return true;
}

}  // namespace gw::routing
