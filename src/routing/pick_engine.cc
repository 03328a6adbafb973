#include "routing/pick_engine.h"

#include "routing/pick_lowest.h"

namespace gw::routing {
namespace {

constexpr double kEqualSeconds = 0.001;

EngineFleet::Cached& ThreadCached() {
  static thread_local EngineFleet::Cached cached;
  return cached;
}

double WithinEqual(double lowest) { return lowest + kEqualSeconds; }

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
  using config::Deployment;
  const RowStates states(input_.table, state_);
  const auto in_flight = [states](const Deployment* row) {
    return states(row).in_flight.load(std::memory_order_relaxed);
  };
  if (engines_ == nullptr) {
    return PickLowest(pool, random, [in_flight](const Deployment* row) { return double(in_flight(row)); }, WithinEqual);
  }
  const EngineCosts costs(input_.settings.strategy_args, input_.controls.prompt.tokens, now_);
  const auto cost = [in_flight, costs, positions = input_.table.positions(), loads = engines_->loads(),
                     cached = cached_.tokens()](const Deployment* row) {
    const uint32_t at = positions.Of(row);
    return costs.Of(*loads[at], in_flight(row), cached[at]);
  };
  return PickLowest(pool, random, cost, WithinEqual);
}

void EnginePicker::OnPicked(uint32_t row) {
  if (engines_ == nullptr) return;
  engines_->OnSent(row, input_.controls.prompt, cached_, input_.settings.strategy_args, now_);
}

}  // namespace gw::routing
