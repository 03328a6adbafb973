#include "routing/strategy.h"

#include <algorithm>
#include <functional>

#include "routing/cooldown.h"
#include "routing/pick_row.h"
#include "routing/provider_budget.h"
#include "routing/route_errors.h"
#include "routing/tag_filter.h"

namespace gw::routing {
namespace {

using config::Deployment;
bool Contains(const std::vector<uint32_t>& indices, uint32_t index) {
  return std::find(indices.begin(), indices.end(), index) != indices.end();
}

// Drops what `keep` rejects, unless that would drop everything.
void PreferRows(RowList& rows, const std::function<bool(const Deployment*)>& keep) {
  RowList kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept), keep);
  if (!kept.empty()) rows = std::move(kept);
}

void KeepOrder(RowList& rows, const RowTable& table, std::optional<int64_t> level) {
  if (!level.has_value()) {
    for (const Deployment* row : rows) {
      const RowFacts& facts = table.of(row);
      if (facts.has_order) level = std::min(level.value_or(facts.order), facts.order);
    }
    if (!level.has_value()) return;
  }
  std::erase_if(rows, [&](const Deployment* row) {
    const RowFacts& facts = table.of(row);
    return !facts.has_order || facts.order != *level;
  });
}

// The filters that may leave nothing; their error then.
std::optional<Error> Filter(const SelectionInput& input, const SharedState& state, TimePoint now,
                            RowList& rows) {
  const RowTable& table = input.table;
  for (const Deployment* row : input.rows) {
    if (!IsCoolingDown(state.at(table.IndexOf(row)), now)) rows.push_back(row);
  }
  if (rows.empty()) return AllCoolingDown(input.group, input.rows, input.settings, state);
  if (table.any_blocked()) {
    std::erase_if(rows, [&](const Deployment* row) { return table.of(row).blocked; });
    if (rows.empty()) return Paused(input.group);
  }
  if (table.any_budget() && !KeepWithinBudget(rows, table, input.settings, state, now)) {
    return BudgetCrossed(input.group);
  }
  if (input.settings.enable_tag_filtering && !KeepTagged(rows, input.rows, input.tags)) {
    return TagsRefused(input.group);
  }
  if (input.only_untried) {
    std::erase_if(rows, [&](const Deployment* row) { return Contains(input.tried, row->index); });
  }
  if (table.any_order() || input.order.has_value()) KeepOrder(rows, table, input.order);
  if (rows.empty()) return NothingToCall(input.group);
  return std::nullopt;
}

}  // namespace

Selection SelectRow(const SelectionInput& input, SharedState& state, TimePoint now,
                    Random& random) {
  static thread_local RowList rows;  // its memory is used again by the thread's next decision
  rows.clear();
  if (auto error = Filter(input, state, now, rows); error.has_value()) {
    Selection selection;
    selection.error = std::move(*error);
    return selection;
  }
  if (!input.hopeless.empty()) {
    PreferRows(rows, [&](const Deployment* row) { return !Contains(input.hopeless, row->index); });
  }
  return PickRow(rows, input, state, now, random);
}

size_t CountHealthy(const RowList& rows, const SharedState& state, TimePoint now) {
  return static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [&](const Deployment* row) {
    return !row->blocked && !IsCoolingDown(state.at(row->index), now);
  }));
}

std::optional<int64_t> NextOrderLevel(const RowList& rows, const SharedState& state, int64_t level,
                                      TimePoint now) {
  std::optional<int64_t> next;
  for (const Deployment* row : rows) {
    if (!row->order.has_value() || *row->order <= level || row->blocked) continue;
    if (IsCoolingDown(state.at(row->index), now)) continue;
    next = std::min(next.value_or(*row->order), *row->order);
  }
  return next;
}

}  // namespace gw::routing
