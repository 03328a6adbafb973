// What does a decision cost? RequestRoute from its making to its success, by strategy and group size.
#include <benchmark/benchmark.h>

#include "routing/router.h"

namespace {

using gw::config::RoutingStrategy;

struct Group {
  Group(RoutingStrategy strategy, size_t rows) : snapshot(std::make_shared<gw::config::Snapshot>()) {
    snapshot->router.strategy = strategy;
    for (size_t i = 0; i < rows; ++i) {
      gw::config::Deployment& row = snapshot->deployments.emplace_back();
      row.index = static_cast<uint32_t>(i);
      row.model_name = "g";
      row.id = "row-" + std::to_string(i);
      row.provider = "openai";
      row.upstream_model = "m";
      row.litellm_model = "openai/m";
      row.weight = 1 + static_cast<double>(i % 3);
    }
    index = std::make_unique<gw::routing::ModelIndex>(snapshot);
    state = std::make_unique<gw::routing::SharedState>(*snapshot);
    controls.model = "g";
  }
  std::shared_ptr<gw::config::Snapshot> snapshot;
  std::unique_ptr<gw::routing::ModelIndex> index;
  std::unique_ptr<gw::routing::SharedState> state;
  gw::routing::RequestControls controls;
};

void Decide(benchmark::State& bench, RoutingStrategy strategy) {
  Group group(strategy, static_cast<size_t>(bench.range(0)));
  gw::routing::Random random(7);
  gw::TimePoint now{std::chrono::hours(1000)};
  gw::routing::AttemptOutcome outcome;
  outcome.duration = std::chrono::milliseconds(20);
  outcome.completion_tokens = 10;
  for (auto _ : bench) {
    now += std::chrono::microseconds(10);
    gw::routing::RequestRoute route(*group.index, *group.state, group.controls);
    gw::routing::Step step = route.Next(now, random);
    benchmark::DoNotOptimize(step.candidate.deployment);
    route.OnAttemptSucceeded(now, outcome);
  }
}

BENCHMARK_CAPTURE(Decide, shuffle, RoutingStrategy::kSimpleShuffle)->Arg(1)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, least_busy, RoutingStrategy::kLeastBusy)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, latency, RoutingStrategy::kLatencyBased)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, usage, RoutingStrategy::kUsageBasedV2)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, cost, RoutingStrategy::kCostBased)->Arg(10)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
