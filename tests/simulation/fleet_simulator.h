// Eight engines, some hundred users, one balancer, virtual time: how many tokens a second, and how long until
// the first one?
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "simulation/fleet_balancers.h"

namespace gw::routing::simulation {

enum class Choice : uint8_t { kRoundRobin, kLeastBusy, kInferenceAware, kOracle };

struct FleetSetup {
  size_t engines = 8;
  size_t users = 300;
  uint64_t seed = 1;
  double warm_up_s = 60;
  double measured_s = 180;
  EngineModel engine;
  WorkloadModel workload;
  config::StrategyArgs args;
};

struct FleetResult {
  double tokens_per_s = 0;   // of answers, all engines together
  double ttft_p50_s = 0, ttft_p99_s = 0;
  double cached_share = 0;   // of the prompt tokens: found in the engine's cache on arrival
  uint64_t requests = 0;
  uint64_t preemptions = 0;
  uint64_t digest = 0;       // of all choices
};

[[nodiscard]] FleetResult RunFleet(const FleetSetup& setup, Choice choice);

}  // namespace gw::routing::simulation
