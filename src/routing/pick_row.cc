#include "routing/pick_row.h"

#include <algorithm>
#include <limits>

#include "routing/affinity.h"
#include "routing/cooldown.h"
#include "routing/half_open.h"
#include "routing/latency.h"
#include "routing/pick_engine.h"
#include "routing/pick_lowest.h"
#include "routing/route_errors.h"
#include "routing/usage.h"

namespace gw::routing {
namespace {

using config::Deployment;
using config::RoutingStrategy;

// Its memory is used again by the thread's next decision.
RowList& ThreadTried() {
  static thread_local RowList tried;
  return tried;
}

double Lowest(double lowest) { return lowest; }

class Picker {
 public:
  Picker(RowList& rows, const SelectionInput& input, SharedState& state, TimePoint now,
         Random& random)
      : rows_(rows),
        input_(input),
        table_(input.table),
        state_(state),
        clock_{.now = now, .unix_offset_s = state.unix_offset_s()},
        random_(random),
        tried_(ThreadTried()),
        engine_picker_(input, state, now) {}

  Selection Run();

 private:
  [[nodiscard]] bool Shuffles() const;
  [[nodiscard]] bool DropsLimitedRows() const;
  [[nodiscard]] bool HasBuffer() const {
    return input_.settings.strategy == RoutingStrategy::kLatencyBased &&
           input_.settings.strategy_args.lowest_latency_buffer > 0;
  }
  [[nodiscard]] TokenCounts Estimate(const Deployment* row) const;
  [[nodiscard]] const Metric* ShuffleMetric() const;
  [[nodiscard]] double ShareOf(const Deployment* row) const { return (*metric_)[table_.IndexOf(row)]; }
  void SetTriedApart();

  size_t Pick(const RowList& pool);
  size_t PickWeighted(const RowList& pool);
  size_t PickByLatency(const RowList& pool);
  size_t PickCheapest(const RowList& pool) const;

  // True: selection_ is complete.
  bool TryPinned();
  bool TryRow(const Deployment* row);
  void DropLimited(RowList& pool);
  void NoteRefusal(Reservation refusal, const Deployment* row);
  Selection Refused();

  RowList& rows_;  // fresh ones, in config order
  const SelectionInput& input_;
  const RowTable& table_;
  SharedState& state_;
  const LimitClock clock_;
  Random& random_;
  RowList& tried_;
  EnginePicker engine_picker_;
  const Metric* metric_ = nullptr;
  Selection selection_;
  std::optional<Reservation> refusal_;
  Duration free_in_ = Duration::max();
};

bool Picker::Shuffles() const {
  return input_.settings.strategy == RoutingStrategy::kSimpleShuffle ||
         input_.settings.strategy == RoutingStrategy::kProviderBudget;
}

bool Picker::DropsLimitedRows() const {
  return table_.any_limit() && StrategyLimits(input_.settings.strategy);
}

TokenCounts Picker::Estimate(const Deployment* row) const {
  const uint32_t index = table_.IndexOf(row);
  if (!table_.at(index).limits.counts_tokens) return {};
  return EstimateTokens(state_.at(index), input_.controls);
}

// The one metric that weights the shuffle: the first that any candidate has. nullptr: uniform.
const Metric* Picker::ShuffleMetric() const {
  const std::pair<bool, const Metric*> metrics[] = {{table_.any_weight(), &table_.weights()},
                                                    {table_.any_rpm(), &table_.rpms()},
                                                    {table_.any_tpm(), &table_.tpms()}};
  for (const auto& [any, metric] : metrics) {
    if (any && std::any_of(rows_.begin(), rows_.end(), [&, m = metric](const Deployment* row) {
          return (*m)[table_.IndexOf(row)] > 0;
        })) {
      return metric;
    }
  }
  return nullptr;
}

void Picker::SetTriedApart() {
  tried_.clear();
  if (input_.tried.empty()) return;
  const auto is_fresh = [&](const Deployment* row) {
    const uint32_t index = table_.IndexOf(row);
    return std::find(input_.tried.begin(), input_.tried.end(), index) == input_.tried.end();
  };
  const auto fresh_end = std::stable_partition(rows_.begin(), rows_.end(), is_fresh);
  tried_.assign(fresh_end, rows_.end());
  rows_.erase(fresh_end, rows_.end());
}

size_t Picker::PickWeighted(const RowList& pool) {
  if (metric_ == nullptr) return PickUniform(pool.size(), random_);
  const RowTable::Positions positions = table_.positions();
  const double* const shares = metric_->data();
  double sum = 0;
  for (const Deployment* row : pool) sum += shares[positions.Of(row)];
  double left = random_.NextUnit() * sum;
  size_t last = 0;
  for (size_t i = 0; i < pool.size(); ++i) {
    const double share = shares[positions.Of(pool[i])];
    if (share <= 0) continue;
    last = i;
    if (left < share) return i;
    left -= share;
  }
  return last;
}

// A row that was slow once would never be looked at again: a small share ignores the samples.
size_t Picker::PickByLatency(const RowList& pool) {
  const config::StrategyArgs& args = input_.settings.strategy_args;
  if (pool.size() > 1 && args.exploration > 0 && random_.NextUnit() < args.exploration) {
    return PickUniform(pool.size(), random_);
  }
  const bool is_stream = input_.controls.stream;
  return PickLowest(
      pool, random_,
      [=, states = RowStates(table_, state_), now = clock_.now](const Deployment* row) {
        return LatencyOf(states(row), is_stream, now);
      },
      [buffer = args.lowest_latency_buffer](double lowest) { return lowest * (1 + buffer); });
}

// compat: the first of equals, as LiteLLM.
size_t Picker::PickCheapest(const RowList& pool) const {
  const Metric& costs = table_.costs();
  size_t cheapest = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < pool.size(); ++i) {
    const double cost = costs[table_.IndexOf(pool[i])];
    if (cost >= lowest) continue;
    lowest = cost;
    cheapest = i;
  }
  return cheapest;
}

size_t Picker::Pick(const RowList& pool) {
  const RowStates states(table_, state_);
  switch (input_.settings.strategy) {
    case RoutingStrategy::kLeastBusy:
      return PickLowest(
          pool, random_,
          [states](const Deployment* row) {
            return static_cast<double>(states(row).in_flight.load(std::memory_order_relaxed));
          },
          Lowest);
    case RoutingStrategy::kUsageBased:
    case RoutingStrategy::kUsageBasedV2:
      return PickLowest(
          pool, random_,
          [states, minute = RunningMinute(clock_.now)](const Deployment* row) { return TokensOf(states(row), minute); },
          Lowest);
    case RoutingStrategy::kLatencyBased: return PickByLatency(pool);
    case RoutingStrategy::kCostBased: return PickCheapest(pool);
    case RoutingStrategy::kInferenceAware: return engine_picker_.Pick(pool, random_);
    case RoutingStrategy::kSimpleShuffle:
    case RoutingStrategy::kProviderBudget: break;
  }
  return PickWeighted(pool);
}

void Picker::NoteRefusal(Reservation refusal, const Deployment* row) {
  const uint32_t index = table_.IndexOf(row);
  if (refusal != Reservation::kSlotsFull && refusal != Reservation::kProbeRunning) {
    free_in_ = std::min(free_in_,
                        FreeIn(refusal, state_.at(index), table_.at(index).limits, clock_));
  }
  // A busy row is worth a retry, one over its rate is not: the hopeful answer wins.
  if (refusal_ && (*refusal_ == Reservation::kSlotsFull || refusal != Reservation::kSlotsFull)) {
    return;
  }
  refusal_ = refusal;
  selection_.row = row;
}

bool Picker::TryRow(const Deployment* row) {
  const uint32_t index = table_.IndexOf(row);
  DeploymentState& state = state_.at(index);
  if (!BeginProbe(state, clock_.now, selection_.probe)) {
    NoteRefusal(Reservation::kProbeRunning, row);
    return false;
  }
  TokenCounts tokens = Estimate(row);
  const Reservation reservation = ReserveRow(state, table_.at(index).limits, tokens, clock_);
  if (reservation != Reservation::kHeld) {
    EndProbe(state, selection_.probe, false);
    NoteRefusal(reservation, row);
    return false;
  }
  selection_.kind = Selection::Kind::kPicked;
  selection_.row = row;
  selection_.held = tokens;
  engine_picker_.OnPicked(index);
  return true;
}

// Rows that can be seen to be full are not asked one by one.
void Picker::DropLimited(RowList& pool) {
  std::erase_if(pool, [&](const Deployment* row) {
    const uint32_t index = table_.IndexOf(row);
    const Reservation check =
        CheckRow(state_.at(index), table_.at(index).limits, Estimate(row), clock_);
    if (check == Reservation::kHeld) return false;
    NoteRefusal(check, row);
    return true;
  });
}

bool Picker::TryPinned() {
  if (state_.affinity() == nullptr) return false;
  const auto pinned =
      PinnedRow(state_, input_.settings, input_.controls, input_.group, clock_.now);
  if (!pinned.has_value()) return false;
  const auto at = std::find_if(rows_.begin(), rows_.end(), [&](const Deployment* row) {
    return table_.IndexOf(row) == *pinned;
  });
  if (at == rows_.end()) return false;
  if (TryRow(*at)) return true;
  rows_.erase(at);
  return false;
}

Selection Picker::Run() {
  if (Shuffles()) metric_ = ShuffleMetric();
  // A row that the metric gives nothing must not win just because the others were tried.
  if (metric_ != nullptr) {
    std::erase_if(rows_, [&](const Deployment* row) { return !(ShareOf(row) > 0); });
  }
  SetTriedApart();
  if (TryPinned()) return std::move(selection_);
  int refusals = 0;
  for (RowList* pool : {&rows_, &tried_}) {
    // Rows that are full need not be dropped beforehand: whichever is picked is refused, and the next
    // pick is among the rest, with the same chances. Only a buffer above the lowest value would see
    // them.
    if (DropsLimitedRows() && HasBuffer()) DropLimited(*pool);
    while (!pool->empty()) {
      const size_t at = Pick(*pool);
      if (TryRow((*pool)[at])) return std::move(selection_);
      pool->erase(pool->begin() + static_cast<std::ptrdiff_t>(at));
      // One full row is passed over; several mean that many are: one look at all is then cheaper.
      if (++refusals >= 2) DropLimited(*pool);
    }
  }
  return Refused();
}

Selection Picker::Refused() {
  selection_.kind = *refusal_ == Reservation::kSlotsFull ? Selection::Kind::kSlotsFull
                                                         : Selection::Kind::kRefused;
  if (free_in_ != Duration::max() && *refusal_ != Reservation::kSlotsFull) {
    selection_.free_in = free_in_;
  }
  const bool by_strategy =
      DropsLimitedRows() && !input_.settings.enforce_model_rate_limits &&
      selection_.kind == Selection::Kind::kRefused && *refusal_ != Reservation::kProbeRunning;
  if (by_strategy && IsUsageBased(input_.settings.strategy)) {
    selection_.error = AllOverUsage(input_.group, input_.rows, table_, state_, clock_.now);
  } else if (by_strategy) {
    selection_.error = NothingToCall(input_.group);
  } else {
    const uint32_t index = table_.IndexOf(selection_.row);
    selection_.error = RefusalError(*refusal_, state_.at(index), *selection_.row,
                                    table_.at(index).limits, clock_);
    // The client may come back as soon as any of the rows has room.
    if (selection_.free_in > Duration::zero()) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(selection_.free_in).count();
      selection_.error.retry_after_s = static_cast<int>(std::max<int64_t>(seconds, 1));
    }
  }
  return std::move(selection_);
}

}  // namespace

Selection PickRow(RowList& rows, const SelectionInput& input, SharedState& state, TimePoint now,
                  Random& random) {
  return Picker(rows, input, state, now, random).Run();
}

}  // namespace gw::routing
