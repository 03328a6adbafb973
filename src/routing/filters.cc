#include "routing/filters.h"

#include <fmt/format.h>

#include <algorithm>

#include "routing/cooldown.h"
#include "routing/explanation.h"
#include "routing/half_open.h"
#include "routing/packed_window.h"
#include "routing/pick_lowest.h"
#include "routing/provider_budget.h"
#include "routing/route_errors.h"
#include "routing/tag_filter.h"

namespace gw::routing {
namespace {

using config::Deployment;

class FilterChain {
 public:
  FilterChain(const SelectionInput& input, const SharedState& state, TimePoint now, RowList& rows)
      : input_(input), table_(input.table), state_(state), now_(now), rows_(rows) {}

  std::optional<Error> Run(std::optional<Duration>& cooled_for);

 private:
  void KeepProbed();
  std::optional<Error> KeepUncooled(std::optional<Duration>& cooled_for);
  std::optional<Error> KeepSuitable();
  std::optional<Error> KeepTags();
  std::optional<Error> KeepOrder();
  [[nodiscard]] bool FailedItsProbe(const Deployment* row) const;
  [[nodiscard]] Duration CoolsFor(const Deployment* row) const;
  [[nodiscard]] bool IsTooSmall(const Deployment* row) const;

  // Around a filter: who was there before, and who of them is gone.
  void Remember() {
    if (input_.why != nullptr) before_ = rows_;
  }
  template <typename Why>
  void Explain(std::string_view filter, const Why& why) const;

  const SelectionInput& input_;
  const RowTable& table_;
  const SharedState& state_;
  const TimePoint now_;
  RowList& rows_;
  RowList before_;
};

// why(row) -> text
template <typename Why>
void FilterChain::Explain(std::string_view filter, const Why& why) const {
  if (input_.why == nullptr || before_.size() == rows_.size()) return;
  Explanation::Event& event =
      input_.why->Add(Explanation::Kind::kFilter, input_.group, std::string(filter));
  for (const Deployment* row : before_) {
    if (std::find(rows_.begin(), rows_.end(), row) == rows_.end()) {
      event.rows.push_back({row->id, why(row)});
    }
  }
}

bool FilterChain::FailedItsProbe(const Deployment* row) const {
  const int64_t probed = state_.at(table_.IndexOf(row)).probed_ns.load(std::memory_order_relaxed);
  if (probed >= 0) return false;
  const double age_s = static_cast<double>(NanosecondsOf(now_) + probed) / 1e9;
  return age_s <= input_.settings.health_check_staleness_s;
}

// A probe that fails everywhere says more about the probe than about the rows.
void FilterChain::KeepProbed() {
  Remember();
  const auto failed = [this](const Deployment* row) { return FailedItsProbe(row); };
  if (std::all_of(rows_.begin(), rows_.end(), failed)) return;
  std::erase_if(rows_, failed);
  Explain("health checks", [](const Deployment*) { return "its last background probe failed"; });
}

Duration FilterChain::CoolsFor(const Deployment* row) const {
  const uint32_t index = table_.IndexOf(row);
  return state_.CooldownLeft(index, now_);
}

std::optional<Error> FilterChain::KeepUncooled(std::optional<Duration>& cooled_for) {
  Remember();
  const auto cools = [states = RowStates(table_, state_), now = now_](const Deployment* row) {
    return IsCoolingDown(states(row), now);
  };
  const config::RouterSettings& settings = input_.settings;
  if (settings.health_check_routing && settings.allowed_fails_policy.Any() &&
      std::all_of(rows_.begin(), rows_.end(), cools)) {
    return std::nullopt;  // compat: probes decide then
  }
  std::erase_if(rows_, cools);
  Explain("cooldown", [this](const Deployment* row) {
    const double left = Seconds(CoolsFor(row));
    return left > 0 ? fmt::format("cools down for {:.1f} s more", left)
                    : std::string("half-open: another request probes it");
  });
  if (!rows_.empty()) return std::nullopt;
  for (const Deployment* row : input_.rows) {
    if (table_.of(row).blocked) continue;
    cooled_for = std::min(cooled_for.value_or(Duration::max()), CoolsFor(row));
  }
  return AllCoolingDown(input_.group, input_.rows, settings, state_);
}

bool FilterChain::IsTooSmall(const Deployment* row) const {
  const int64_t max = table_.of(row).context_max;
  return max > 0 && input_.controls.input_tokens_estimate > max;
}

// eu and us are prefixes of the regions that providers name.
bool IsInRegion(const Deployment* row, std::string_view allowed) {
  const std::string_view region = row->region_name;
  if (region == allowed) return true;
  if (region.size() > allowed.size() && region.starts_with(allowed) &&
      region[allowed.size()] == '-') {
    return true;
  }
  return allowed == "eu" && region.starts_with("europe-");
}

// Facts 11: the three checks of enable_pre_call_checks.
std::optional<Error> FilterChain::KeepSuitable() {
  const RequestControls& controls = input_.controls;
  std::optional<Error> params_error;
  const Deployment* too_small = nullptr;
  std::vector<Explanation::Row> notes;
  std::erase_if(rows_, [&](const Deployment* row) {
    std::string why;
    if (IsTooSmall(row)) {
      too_small = row;
      if (input_.why != nullptr) {
        why = fmt::format("takes {} tokens, the request has about {}", table_.of(row).context_max,
                          controls.input_tokens_estimate);
      }
    } else if (!controls.allowed_region.empty() && !IsInRegion(row, controls.allowed_region)) {
      if (input_.why != nullptr) why = "is not in the region " + controls.allowed_region;
    } else if (controls.refuse_params) {
      auto refused = controls.refuse_params(*row);
      if (!refused.has_value()) return false;
      if (input_.why != nullptr) why = refused->message;
      params_error = std::move(refused);
    } else {
      return false;
    }
    if (input_.why != nullptr) notes.push_back({row->id, std::move(why)});
    return true;
  });
  if (!notes.empty()) {
    input_.why->Add(Explanation::Kind::kFilter, input_.group, "pre-call checks").rows =
        std::move(notes);
  }
  if (!rows_.empty()) return std::nullopt;
  if (too_small != nullptr) {
    return ContextTooLarge(input_.group, table_.of(too_small).context_max,
                           controls.input_tokens_estimate);
  }
  return params_error.has_value() ? *params_error : NothingToCall(input_.group);
}

std::optional<Error> FilterChain::KeepTags() {
  Remember();
  const bool allowed = KeepTagged(rows_, input_);
  Explain("tags", [](const Deployment* row) {
    if (row->tags.empty()) return std::string("has no tags");
    std::string text = "has the tags";
    for (const std::string& tag : row->tags) text += " " + tag;
    return text;
  });
  return allowed ? std::nullopt : std::optional(TagsRefused(input_.group));
}

std::optional<Error> FilterChain::KeepOrder() {
  Remember();
  std::optional<int64_t> level = input_.order;
  if (!level.has_value()) {
    for (const Deployment* row : rows_) {
      const RowFacts& facts = table_.of(row);
      if (facts.has_order) level = std::min(level.value_or(facts.order), facts.order);
    }
    if (!level.has_value()) return std::nullopt;
  }
  std::erase_if(rows_, [&](const Deployment* row) {
    const RowFacts& facts = table_.of(row);
    return !facts.has_order || facts.order != *level;
  });
  Explain("order", [&](const Deployment* row) {
    return row->order.has_value() ? fmt::format("has order {}, {} is due", *row->order, *level)
                                  : fmt::format("has no order, {} is due", *level);
  });
  if (!rows_.empty()) return std::nullopt;
  return NothingToCall(input_.group);
}

std::optional<Error> FilterChain::Run(std::optional<Duration>& cooled_for) {
  rows_.assign(input_.rows.begin(), input_.rows.end());
  if (input_.settings.health_check_routing) KeepProbed();
  if (auto error = KeepUncooled(cooled_for)) return error;
  if (table_.any_blocked()) {
    Remember();
    std::erase_if(rows_, [&](const Deployment* row) { return table_.of(row).blocked; });
    Explain("blocked", [](const Deployment*) { return "model_info.blocked"; });
    if (rows_.empty()) return Paused(input_.group);
  }
  if (table_.any_budget()) {
    Remember();
    const bool within = KeepWithinBudget(rows_, table_, input_.settings, state_, now_);
    Explain("budgets", [](const Deployment*) { return "its budget is used up"; });
    if (!within) return BudgetCrossed(input_.group);
  }
  if (input_.settings.enable_pre_call_checks) {
    if (auto error = KeepSuitable()) return error;
  }
  if (IsTagFilteringOn(input_)) {
    if (auto error = KeepTags()) return error;
  }
  if (input_.only_untried) {
    std::erase_if(rows_, [&](const Deployment* row) {
      return std::find(input_.tried.begin(), input_.tried.end(), row->index) != input_.tried.end();
    });
  }
  if (table_.any_order() || input_.order.has_value()) {
    if (auto error = KeepOrder()) return error;
  }
  if (rows_.empty()) return NothingToCall(input_.group);
  return std::nullopt;
}

}  // namespace

std::optional<Error> FilterRows(const SelectionInput& input, const SharedState& state,
                                TimePoint now, RowList& rows,
                                std::optional<Duration>& cooled_for) {
  return FilterChain(input, state, now, rows).Run(cooled_for);
}

}  // namespace gw::routing
