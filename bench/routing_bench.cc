// What does a decision cost? RequestRoute from its making to its success, by strategy and group size.
// Hashing a prompt is no part of it: the gateway does that once per request, HashChat tells the cost.
#include <benchmark/benchmark.h>

#include "routing/engine_fleet.h"
#include "routing/router.h"

namespace {

using gw::config::RoutingStrategy;

using Setup = void (*)(gw::config::Snapshot&);

void Plain(gw::config::Snapshot&) {}

// Hard limits that are never reached: every row is counted, reserved and settled.
void Limited(gw::config::Snapshot& snapshot) {
  snapshot.router.enforce_model_rate_limits = true;
  for (gw::config::Deployment& row : snapshot.deployments) {
    row.rpm = row.tpm = row.rpd = 1'000'000'000;
  }
}

// The row that the strategy likes best has no room: every decision looks for the next one.
void BestIsFull(gw::config::Snapshot& snapshot) {
  Limited(snapshot);
  snapshot.deployments.front().price.input_cost_per_token = 0;
  snapshot.deployments.front().rpm = 0;
  snapshot.deployments.front().max_parallel_requests = 1000;
}

void Pinned(gw::config::Snapshot& snapshot) {
  snapshot.router.affinity = gw::config::kSessionAffinity;
}

constexpr size_t kChatBytes = 32'000;  // 8,000 tokens, 25 blocks

// Engines that were scraped; every request brings the same chat.
void Chatting(gw::config::Snapshot&) {}
// Likewise, but each of 4,096 chats in turn: their entries in the map of prompts (13 MB) do not fit into L2.
void ManyChats(gw::config::Snapshot&) {}

struct Group {
  Group(RoutingStrategy strategy, size_t rows, Setup setup)
      : snapshot(std::make_shared<gw::config::Snapshot>()) {
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
    setup(*snapshot);
    index = std::make_unique<gw::routing::ModelIndex>(snapshot);
    state = std::make_unique<gw::routing::SharedState>(*snapshot);
    controls.resize(setup == ManyChats ? 4096 : 1);
    for (size_t i = 0; i < controls.size(); ++i) {
      controls[i].model = "g";
      controls[i].session_id = "session";
      if (setup != Chatting && setup != ManyChats) continue;
      controls[i].prompt = gw::routing::HashPrompt({std::to_string(i), std::string(kChatBytes, 'x')}, 512);
    }
  }
  std::shared_ptr<gw::config::Snapshot> snapshot;
  std::unique_ptr<gw::routing::ModelIndex> index;
  std::unique_ptr<gw::routing::SharedState> state;
  std::vector<gw::routing::RequestControls> controls;
};

void Decide(benchmark::State& bench, RoutingStrategy strategy, Setup setup) {
  Group group(strategy, static_cast<size_t>(bench.range(0)), setup);
  gw::routing::Random random(7);
  gw::TimePoint now{std::chrono::hours(1000)};
  gw::routing::AttemptOutcome outcome;
  outcome.duration = std::chrono::milliseconds(20);
  outcome.completion_tokens = 10;
  for (uint32_t i = 0; group.state->engines() != nullptr && i < group.state->size(); ++i) {
    ApplySample(group.state->engines()->at(i), group.state->at(i), {}, {.running = 10, .kv_usage = 0.4, .kv_tokens = 400'000}, {},
                now + std::chrono::hours(1));
  }
  size_t request = 0;
  for (auto _ : bench) {
    now += std::chrono::microseconds(10);
    gw::routing::RequestRoute route(*group.index, *group.state, group.controls[request++ % group.controls.size()]);
    gw::routing::Step step = route.Next(now, random);
    benchmark::DoNotOptimize(step.candidate.deployment);
    route.OnAttemptSucceeded(now, outcome);
  }
}

void HashChat(benchmark::State& bench) {
  const std::string text(kChatBytes, 'x');
  for (auto _ : bench) benchmark::DoNotOptimize(gw::routing::HashPrompt({text}, 512));
}
BENCHMARK(HashChat);

BENCHMARK_CAPTURE(Decide, shuffle, RoutingStrategy::kSimpleShuffle, Plain)->Arg(1)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, least_busy, RoutingStrategy::kLeastBusy, Plain)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, latency, RoutingStrategy::kLatencyBased, Plain)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, usage, RoutingStrategy::kUsageBasedV2, Plain)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, cost, RoutingStrategy::kCostBased, Plain)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, inference, RoutingStrategy::kInferenceAware, Plain)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, inference_chat, RoutingStrategy::kInferenceAware, Chatting)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, inference_chats, RoutingStrategy::kInferenceAware, ManyChats)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, shuffle_limited, RoutingStrategy::kSimpleShuffle, Limited)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, usage_limited, RoutingStrategy::kUsageBasedV2, Limited)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, cost_full, RoutingStrategy::kCostBased, BestIsFull)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Decide, shuffle_pinned, RoutingStrategy::kSimpleShuffle, Pinned)->Arg(10)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
