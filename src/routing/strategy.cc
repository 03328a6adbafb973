#include "routing/strategy.h"

#include <algorithm>
#include <functional>

#include "config/router_settings.h"
#include "routing/cooldown.h"
#include "routing/explanation.h"
#include "routing/filters.h"
#include "routing/pick_row.h"

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

void ExplainChoice(const SelectionInput& input, const RowList& rows) {
  if (input.why == nullptr) return;
  Explanation::Event& event = input.why->Add(Explanation::Kind::kStrategy, input.group,
                                             std::string(config::NameOf(input.settings.strategy)));
  for (const Deployment* row : rows) {
    event.rows.push_back({row->id, Contains(input.tried, row->index) ? "tried before" : ""});
  }
}

}  // namespace

Selection SelectRow(const SelectionInput& input, SharedState& state, TimePoint now,
                    Random& random) {
  static thread_local RowList rows;  // its memory is used again by the thread's next decision
  rows.clear();
  std::optional<Duration> cooled_for;
  if (auto error = FilterRows(input, state, now, rows, cooled_for); error.has_value()) {
    Selection selection;
    selection.error = std::move(*error);
    selection.cooled_for = cooled_for;
    return selection;
  }
  if (!input.hopeless.empty()) {
    PreferRows(rows, [&](const Deployment* row) { return !Contains(input.hopeless, row->index); });
  }
  ExplainChoice(input, rows);
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
