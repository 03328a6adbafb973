// Who chooses the engine in the simulated fleet? Round robin; the production router under a strategy, told
// by scrapes what an engine's /metrics would say; an oracle that knows every engine to the last token.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulation/fleet_workload.h"

namespace gw::routing::simulation {

class Balancer {
 public:
  virtual ~Balancer() = default;
  virtual size_t Pick(uint64_t id, const Ask& ask, double now) = 0;
  virtual void OnFinished(const Sequence& /*sequence*/, double /*now*/) {}
  // Called every scrape interval.
  virtual void OnScrapeTime(double /*now*/) {}
};

using Engines = std::vector<Engine>;

[[nodiscard]] std::unique_ptr<Balancer> MakeRoundRobin(size_t engines);
// `args` for inference-aware; with least-busy they are not looked at.
[[nodiscard]] std::unique_ptr<Balancer> MakeProduction(const Engines& engines, config::RoutingStrategy strategy,
                                                       const config::StrategyArgs& args, uint64_t seed);
[[nodiscard]] std::unique_ptr<Balancer> MakeOracle(const Engines& engines);

}  // namespace gw::routing::simulation
