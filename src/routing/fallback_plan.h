// Which groups are tried when a group has failed? Facts 8.1 and 8.2.
//
//   client list > context-window or content-policy list (if any is configured, only that one)
//     > own entry > what is left of the parent's list > "*" (default_fallbacks)
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

using TargetList = std::vector<const config::FallbackTarget*>;

// The names under which a group's lists may be kept.
struct GroupNames {
  std::string_view asked;     // as the client or the fallback list wrote it
  std::string_view row_group; // model_name of its rows: an alias has its own name and this one
  std::string_view provider;  // of its rows; "openai/gpt-4" and "gpt-4" find one another
};

// Exact entry, else the entry whose key differs by the provider prefix; never "*".
[[nodiscard]] const config::FallbackList* FindOwnList(
    const std::vector<config::FallbackList>& lists, const GroupNames& names);
[[nodiscard]] const config::FallbackList* FindDefaultList(
    const std::vector<config::FallbackList>& lists);

// The generic list of the group, "*" included; says whether a lone row may be cooled (6.2 B).
[[nodiscard]] bool HasGenericFallbacks(const config::RouterSettings& settings,
                                       const GroupNames& names);

// Targets in order. `inherited` is what the parent's list still holds; empty for the first group.
// Pointers lead into settings or controls.
[[nodiscard]] TargetList PlanFallbacks(const config::RouterSettings& settings,
                                       const RequestControls& controls, const GroupNames& names,
                                       const Error& error, bool is_first_group,
                                       const TargetList& inherited);

}  // namespace gw::routing
