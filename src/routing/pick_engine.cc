#include "routing/pick_engine.h"

#include <algorithm>
#include <limits>

namespace gw::routing {
namespace {

constexpr double kEqualSeconds = 0.001;

EngineFleet::Cached& ThreadCached() {
  static thread_local EngineFleet::Cached cached;
  return cached;
}

}  // namespace

EnginePicker::EnginePicker(const SelectionInput& input, const SharedState& state, TimePoint now)
    : input_(input),
      state_(state),
      now_(now),
      engines_(input.settings.strategy == config::RoutingStrategy::kInferenceAware ? state.engines() : nullptr),
      cached_(ThreadCached()) {
  if (engines_ != nullptr) cached_.Find(*engines_, input.controls.prompt, input.settings.strategy_args);
}

size_t EnginePicker::Pick(const RowList& pool, Random& random) {
  static thread_local std::vector<double> costs;
  costs.resize(pool.size());
  double lowest = std::numeric_limits<double>::infinity();
  const EngineCosts cost(input_.settings.strategy_args, input_.controls.prompt.tokens, now_);
  for (size_t i = 0; i < pool.size(); ++i) {
    const uint32_t row = input_.table.IndexOf(pool[i]);
    const int32_t in_flight = state_.at(row).in_flight.load(std::memory_order_relaxed);
    costs[i] = engines_ == nullptr ? in_flight
                                   : cost.Of(engines_->at(row), in_flight, cached_.TokensOf(row));
    lowest = std::min(lowest, costs[i]);
  }
  const double bound = lowest + kEqualSeconds;
  size_t equals = 0;
  size_t chosen = 0;
  for (size_t i = 0; i < pool.size(); ++i) {
    if (costs[i] > bound) continue;
    ++equals;
    // Each of k equals with the chance 1/k.
    if (equals == 1 || random.NextUnit() * static_cast<double>(equals) < 1) chosen = i;
  }
  return chosen;
}

void EnginePicker::OnPicked(uint32_t row) {
  if (engines_ == nullptr) return;
  engines_->OnSent(row, input_.controls.prompt, cached_, input_.settings.strategy_args, now_);
}

}  // namespace gw::routing
