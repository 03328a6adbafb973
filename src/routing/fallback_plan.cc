#include "routing/fallback_plan.h"

#include <optional>
#include <string>

namespace gw::routing {
namespace {

constexpr std::string_view kDefaultKey = "*";

bool IsPrefixed(std::string_view longer, std::string_view provider, std::string_view name) {
  return !provider.empty() && longer.size() == provider.size() + 1 + name.size() &&
         longer.starts_with(provider) && longer[provider.size()] == '/' && longer.ends_with(name);
}

void Append(TargetList& out, const std::vector<config::FallbackTarget>& targets) {
  out.reserve(out.size() + targets.size());
  for (const config::FallbackTarget& target : targets) out.push_back(&target);
}

bool ClientHasListFor(const RequestControls& controls, ErrorClass cls) {
  return (cls == ErrorClass::kContextWindowExceeded && controls.context_window_fallbacks) ||
         (cls == ErrorClass::kContentPolicyViolation && controls.content_policy_fallbacks);
}

// The list kind that an error class has for itself, if the client or the config has any of it.
const std::vector<config::FallbackList>* SpecialLists(const config::RouterSettings& settings,
                                                      const RequestControls& controls,
                                                      ErrorClass cls) {
  if (cls == ErrorClass::kContextWindowExceeded) {
    if (controls.context_window_fallbacks) return &*controls.context_window_fallbacks;
    if (settings.has_context_window_fallbacks) return &settings.context_window_fallbacks;
  }
  if (cls == ErrorClass::kContentPolicyViolation) {
    if (controls.content_policy_fallbacks) return &*controls.content_policy_fallbacks;
    if (settings.has_content_policy_fallbacks) return &settings.content_policy_fallbacks;
  }
  return nullptr;
}

}  // namespace

const config::FallbackList* FindOwnList(const std::vector<config::FallbackList>& lists,
                                        const GroupNames& names) {
  for (const std::string_view name : {names.asked, names.row_group}) {
    for (const config::FallbackList& list : lists) {
      if (list.group == name && list.group != kDefaultKey) return &list;
    }
  }
  for (const config::FallbackList& list : lists) {
    if (IsPrefixed(list.group, names.provider, names.asked) ||
        IsPrefixed(names.asked, names.provider, list.group)) {
      return &list;
    }
  }
  return nullptr;
}

const config::FallbackList* FindDefaultList(const std::vector<config::FallbackList>& lists) {
  for (const config::FallbackList& list : lists) {
    if (list.group == kDefaultKey) return &list;
  }
  return nullptr;
}

bool HasGenericFallbacks(const config::RouterSettings& settings, const GroupNames& names) {
  return FindOwnList(settings.fallbacks, names) != nullptr ||
         FindDefaultList(settings.fallbacks) != nullptr;
}

TargetList PlanFallbacks(const config::RouterSettings& settings, const RequestControls& controls,
                         const GroupNames& names, const Error& error, bool is_first_group,
                         const TargetList& inherited) {
  TargetList plan;
  if (controls.disable_fallbacks) return plan;
  if (!settings.fallback_on_unsupported_params &&
      (error.cls == ErrorClass::kBadRequest || error.cls == ErrorClass::kUnsupportedParams)) {
    return plan;
  }
  if (controls.fallbacks.has_value() && !ClientHasListFor(controls, error.cls)) {
    // The client's list replaces the config's for the whole request, also further down.
    if (!is_first_group) return inherited;
    Append(plan, *controls.fallbacks);
    return plan;
  }
  if (const auto* special = SpecialLists(settings, controls, error.cls); special != nullptr) {
    // compat: a group that is not listed gets no fallback at all, the generic list is not used.
    const config::FallbackList* list = FindOwnList(*special, names);
    if (list == nullptr) list = FindDefaultList(*special);
    if (list != nullptr) Append(plan, list->targets);
    return plan;
  }
  if (const auto* own = FindOwnList(settings.fallbacks, names); own != nullptr) {
    Append(plan, own->targets);
    return plan;
  }
  if (!inherited.empty()) return inherited;
  if (const auto* all = FindDefaultList(settings.fallbacks); all != nullptr) {
    Append(plan, all->targets);
  }
  return plan;
}

}  // namespace gw::routing
