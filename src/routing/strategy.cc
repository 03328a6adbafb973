#include "routing/strategy.h"

#include <algorithm>
#include <functional>

#include "routing/cooldown.h"
#include "routing/route_errors.h"
#include "routing/row_limits.h"
#include "routing/tag_filter.h"

namespace gw::routing {
namespace {

using config::Deployment;
using Metric = double (*)(const Deployment&);

bool Contains(const std::vector<uint32_t>& indices, uint32_t index) {
  return std::find(indices.begin(), indices.end(), index) != indices.end();
}

// Drops what `keep` rejects, unless that would drop everything.
void PreferRows(RowList& rows, const std::function<bool(const Deployment*)>& keep) {
  RowList kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept), keep);
  if (!kept.empty()) rows = std::move(kept);
}

double WeightOf(const Deployment& row) { return std::max(row.weight.value_or(0), 0.0); }
double RpmOf(const Deployment& row) {
  return static_cast<double>(std::max<int64_t>(row.rpm.value_or(0), 0));
}
double TpmOf(const Deployment& row) {
  return static_cast<double>(std::max<int64_t>(row.tpm.value_or(0), 0));
}

// The one metric that weights the shuffle: the first that any candidate has. nullptr: uniform.
Metric ShuffleMetric(const RowList& rows) {
  for (const Metric metric : {&WeightOf, &RpmOf, &TpmOf}) {
    if (std::any_of(rows.begin(), rows.end(),
                    [metric](const Deployment* row) { return metric(*row) > 0; })) {
      return metric;
    }
  }
  return nullptr;
}

const Deployment* PickUniform(const RowList& rows, Random& random) {
  if (rows.size() == 1) return rows.front();
  const auto at = static_cast<size_t>(random.NextUnit() * static_cast<double>(rows.size()));
  return rows[std::min(at, rows.size() - 1)];
}

const Deployment* PickWeighted(const RowList& rows, Metric metric, Random& random) {
  if (metric == nullptr) return PickUniform(rows, random);
  double sum = 0;
  for (const Deployment* row : rows) sum += metric(*row);
  double left = random.NextUnit() * sum;
  const Deployment* last = rows.front();
  for (const Deployment* row : rows) {
    const double share = metric(*row);
    if (share <= 0) continue;
    last = row;
    if (left < share) return row;
    left -= share;
  }
  return last;
}

// Random among the rows with the fewest requests in flight.
const Deployment* PickLeastBusy(const RowList& rows, const SharedState& state, Random& random) {
  const auto load = [&](const Deployment* row) {
    return state.at(row->index).in_flight.load(std::memory_order_relaxed);
  };
  // Read once per row: the counters move while we look.
  std::vector<int32_t> loads(rows.size());
  std::transform(rows.begin(), rows.end(), loads.begin(), load);
  const int32_t least = *std::min_element(loads.begin(), loads.end());
  RowList idle;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (loads[i] == least) idle.push_back(rows[i]);
  }
  return PickUniform(idle, random);
}

double CostOf(const Deployment& row) {
  constexpr double kUnknownCost = 5.0;  // per direction, as LiteLLM assumes
  const auto cost = [&](std::optional<double> config::Price::*field) {
    if (const auto& own = row.price.*field; own.has_value()) return *own;
    if (row.facts != nullptr && (row.facts->price.*field).has_value()) {
      return *(row.facts->price.*field);
    }
    return kUnknownCost;
  };
  return cost(&config::Price::input_cost_per_token) + cost(&config::Price::output_cost_per_token);
}

const Deployment* PickCheapest(const RowList& rows) {
  return *std::min_element(rows.begin(), rows.end(), [](const Deployment* a, const Deployment* b) {
    return CostOf(*a) < CostOf(*b);
  });
}

const Deployment* Pick(const RowList& rows, Metric metric, const SelectionInput& input,
                       const SharedState& state, Random& random) {
  switch (input.settings.strategy) {
    case config::RoutingStrategy::kLeastBusy: return PickLeastBusy(rows, state, random);
    case config::RoutingStrategy::kCostBased: return PickCheapest(rows);
    // The usage, latency and budget strategies shuffle: docs/compat.md.
    case config::RoutingStrategy::kSimpleShuffle:
    case config::RoutingStrategy::kLatencyBased:
    case config::RoutingStrategy::kUsageBased:
    case config::RoutingStrategy::kUsageBasedV2:
    case config::RoutingStrategy::kProviderBudget: break;
  }
  return PickWeighted(rows, metric, random);
}

void KeepOrder(RowList& rows, std::optional<int64_t> level) {
  if (!level.has_value()) {
    for (const Deployment* row : rows) {
      if (row->order.has_value()) level = std::min(level.value_or(*row->order), *row->order);
    }
    if (!level.has_value()) return;
  }
  std::erase_if(rows, [&](const Deployment* row) { return row->order != level; });
}

// The filters that may leave nothing; their error then.
std::optional<Error> Filter(const SelectionInput& input, const SharedState& state, TimePoint now,
                            RowList& rows) {
  for (const Deployment* row : input.rows) {
    if (!IsCoolingDown(state.at(row->index), now)) rows.push_back(row);
  }
  if (rows.empty()) return AllCoolingDown(input.group, input.rows, input.settings, state);
  std::erase_if(rows, [](const Deployment* row) { return row->blocked; });
  if (rows.empty()) return Paused(input.group);
  if (input.settings.enable_tag_filtering && !KeepTagged(rows, input.rows, input.tags)) {
    return TagsRefused(input.group);
  }
  KeepOrder(rows, input.order);
  if (rows.empty()) return NothingToCall(input.group);
  return std::nullopt;
}

Selection::Kind KindOf(Reservation refusal) {
  return refusal == Reservation::kSlotsFull ? Selection::Kind::kSlotsFull
                                            : Selection::Kind::kRefused;
}

}  // namespace

Selection SelectRow(const SelectionInput& input, SharedState& state, TimePoint now,
                    Random& random) {
  Selection selection;
  RowList rows;
  rows.reserve(input.rows.size());
  if (auto error = Filter(input, state, now, rows); error.has_value()) {
    selection.error = std::move(*error);
    return selection;
  }
  if (!input.hopeless.empty()) {
    PreferRows(rows, [&](const Deployment* row) { return !Contains(input.hopeless, row->index); });
  }
  // A row that the metric gives nothing must not win just because the others were tried.
  const bool shuffles = input.settings.strategy != config::RoutingStrategy::kLeastBusy &&
                        input.settings.strategy != config::RoutingStrategy::kCostBased;
  const Metric metric = shuffles ? ShuffleMetric(rows) : nullptr;
  if (metric != nullptr) {
    PreferRows(rows, [metric](const Deployment* row) { return metric(*row) > 0; });
  }
  RowList tried;
  if (!input.tried.empty()) {
    const auto fresh_end = std::stable_partition(
        rows.begin(), rows.end(),
        [&](const Deployment* row) { return !Contains(input.tried, row->index); });
    tried.assign(fresh_end, rows.end());
    rows.erase(fresh_end, rows.end());
  }

  std::optional<Reservation> refusal;
  while (!rows.empty() || !tried.empty()) {
    RowList& pool = rows.empty() ? tried : rows;
    const Deployment* row = Pick(pool, metric, input, state, random);
    const Reservation reservation = ReserveRow(state.at(row->index), *row, input.settings, now);
    if (reservation == Reservation::kHeld) {
      return {.kind = Selection::Kind::kPicked, .row = row, .error = {}};
    }
    // A busy row is worth a retry, one over its rate is not: the hopeful answer wins.
    if (!refusal || (*refusal != Reservation::kSlotsFull &&
                     reservation == Reservation::kSlotsFull)) {
      refusal = reservation;
      selection.row = row;
    }
    std::erase(pool, row);
  }
  selection.kind = KindOf(*refusal);
  selection.error =
      RefusalError(*refusal, state.at(selection.row->index), *selection.row, input.settings, now);
  return selection;
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
