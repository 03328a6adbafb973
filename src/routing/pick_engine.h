// inference-aware: which engine answers this prompt soonest? The lowest EngineCost among the candidates.
#pragma once

#include "routing/engine_fleet.h"
#include "routing/strategy.h"

namespace gw::routing {

// Of one decision. Does nothing, and costs a comparison, under another strategy.
class EnginePicker {
 public:
  EnginePicker(const SelectionInput& input, const SharedState& state, TimePoint now);

  // Chance decides among engines that are as good as equal: gateways that know the same must not all
  // take the same one.
  [[nodiscard]] size_t Pick(const RowList& pool, Random& random);
  // The row got the request, by whatever rule.
  void OnPicked(uint32_t row);

 private:
  const SelectionInput& input_;
  const SharedState& state_;
  const TimePoint now_;
  EngineFleet* const engines_;  // null: not this strategy
  EngineFleet::Cached& cached_;
};

}  // namespace gw::routing
