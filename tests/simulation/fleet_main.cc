// Eight simulated vLLM servers: round robin, least-busy, inference-aware and an oracle under growing load.
//     gw_fleet_simulation [NAME=VALUE ...]    other arguments of the strategy, to try them:
//                                             queue_weight prefix_weight busy_weight kv_weight
//                                             prefill_tokens_per_second scrape_interval prefix_block_bytes
//     GW_FLEET_SEEDS=N    seeds per load (20)      GW_FLEET_CSV=FILE    the means, for tools/plot_fleet.py
// Ends with 1 when inference-aware gets less than 90 % of what the oracle gains over round robin.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "simulation/fleet_simulator.h"

namespace {

using namespace gw::routing::simulation;

constexpr int kSeedsDefault = 20;
constexpr double kGoal = 0.90;
constexpr std::array<size_t, 5> kUsers = {150, 300, 450, 600, 750};
constexpr std::array<Choice, 4> kChoices = {Choice::kRoundRobin, Choice::kLeastBusy, Choice::kInferenceAware,
                                            Choice::kOracle};
constexpr std::array<const char*, 4> kChoiceNames = {"round robin", "least-busy", "inference-aware", "oracle"};
constexpr std::array<const char*, 3> kMetricNames = {"tokens/s", "TTFT p50", "TTFT p99"};
using Metrics = std::array<double, 3>;

struct Model {
  const char* name;
  EngineModel engine;
};
const std::array<Model, 2> kModels = {{{"large KV cache", EngineModel()}, {"small KV cache", SmallEngine()}}};

// What all seeds of one load came to.
struct Load {
  std::array<Metrics, kChoices.size()> means{};
  std::array<double, kChoices.size()> cached{};
  Metrics worst_share{};  // of a single seed
  uint64_t requests = 0, preemptions = 0;

  // Of the oracle's gain over round robin.
  [[nodiscard]] double Share(size_t metric) const {
    return (means[2][metric] - means[0][metric]) / (means[3][metric] - means[0][metric]);
  }
};

Load RunLoad(FleetSetup setup, size_t users, int seeds) {
  Load load;
  load.worst_share.fill(1e9);
  setup.users = users;
  for (int seed = 1; seed <= seeds; ++seed) {
    setup.seed = static_cast<uint64_t>(seed);
    std::array<Metrics, kChoices.size()> one{};
    for (size_t c = 0; c < kChoices.size(); ++c) {
      const FleetResult result = RunFleet(setup, kChoices[c]);
      one[c] = {result.tokens_per_s, result.ttft_p50_s, result.ttft_p99_s};
      for (size_t m = 0; m < one[c].size(); ++m) load.means[c][m] += one[c][m] / seeds;
      load.cached[c] += result.cached_share / seeds;
      load.requests += result.requests;
      load.preemptions += result.preemptions;
    }
    for (size_t m = 0; m < load.worst_share.size(); ++m) {
      load.worst_share[m] = std::min(load.worst_share[m], (one[2][m] - one[0][m]) / (one[3][m] - one[0][m]));
    }
  }
  return load;
}

void Print(size_t users, const Load& load) {
  fmt::print("\n{} users, {} requests, {} preemptions\n", users, load.requests, load.preemptions);
  fmt::print("{:16} {:>9} {:>10} {:>10} {:>8}\n", "", "tokens/s", "TTFT p50", "TTFT p99", "cached");
  for (size_t c = 0; c < kChoices.size(); ++c) {
    const Metrics& m = load.means[c];
    fmt::print("{:16} {:9.0f} {:8.0f} ms {:8.0f} ms {:6.1f} %\n", kChoiceNames[c], m[0], m[1] * 1000, m[2] * 1000,
               load.cached[c] * 100);
  }
  fmt::print("{:16} {:7.1f} % {:8.1f} % {:9.1f} %   of the oracle's gain\n", "share", load.Share(0) * 100,
             load.Share(1) * 100, load.Share(2) * 100);
  fmt::print("{:16} {:7.1f} % {:8.1f} % {:9.1f} %\n", "worst seed", load.worst_share[0] * 100,
             load.worst_share[1] * 100, load.worst_share[2] * 100);
}

using Loads = std::array<Load, kUsers.size()>;

void WriteCsv(std::FILE* file, const char* model, const Loads& loads) {
  for (size_t u = 0; u < kUsers.size(); ++u) {
    for (size_t c = 0; c < kChoices.size(); ++c) {
      const Metrics& m = loads[u].means[c];
      fmt::print(file, "{},{},{},{:.1f},{:.4f},{:.4f},{:.4f}\n", model, kUsers[u], kChoiceNames[c], m[0], m[1], m[2],
                 loads[u].cached[c]);
    }
  }
}

// True: every mean share reaches the goal.
bool RunModel(const Model& model, FleetSetup setup, int seeds, std::FILE* csv) {
  setup.engine = model.engine;
  Loads loads;
  Metrics mean{};
  fmt::print("\n== {} ==\n", model.name);
  for (size_t u = 0; u < kUsers.size(); ++u) {
    loads[u] = RunLoad(setup, kUsers[u], seeds);
    Print(kUsers[u], loads[u]);
    for (size_t m = 0; m < mean.size(); ++m) mean[m] += loads[u].Share(m) / kUsers.size();
  }
  bool good = true;
  fmt::print("\n{}: mean share of the oracle's gain over {} loads, {} seeds each:", model.name, kUsers.size(), seeds);
  for (size_t m = 0; m < mean.size(); ++m) {
    good = good && mean[m] >= kGoal;
    fmt::print(" {} {:.1f} %{}", kMetricNames[m], mean[m] * 100, m + 1 < mean.size() ? "," : "\n");
  }
  if (csv != nullptr) WriteCsv(csv, model.name, loads);
  return good;
}

bool SetArg(gw::config::StrategyArgs& args, std::string_view name, double value) {
  if (name == "queue_weight") args.queue_weight = value;
  else if (name == "prefix_weight") args.prefix_weight = value;
  else if (name == "busy_weight") args.busy_weight = value;
  else if (name == "kv_weight") args.kv_weight = value;
  else if (name == "prefill_tokens_per_second") args.prefill_tokens_per_s = value;
  else if (name == "scrape_interval") args.scrape_interval_s = value;
  else if (name == "prefix_block_bytes") args.prefix_block_bytes = static_cast<int>(value);
  else return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  FleetSetup setup;
  for (int i = 1; i < argc; ++i) {
    const char* value = std::strchr(argv[i], '=');
    const size_t length = value == nullptr ? 0 : static_cast<size_t>(value - argv[i]);
    if (value == nullptr || !SetArg(setup.args, {argv[i], length}, std::strtod(value + 1, nullptr))) {
      fmt::print("unknown argument: {}\n", argv[i]);
      return 2;
    }
  }
  const char* chosen = std::getenv("GW_FLEET_SEEDS");
  const int seeds = chosen == nullptr ? kSeedsDefault : std::max(1, static_cast<int>(std::strtol(chosen, nullptr, 10)));
  std::FILE* csv = nullptr;
  if (const char* path = std::getenv("GW_FLEET_CSV"); path != nullptr) {
    csv = std::fopen(path, "we");
    if (csv == nullptr) return 2;
    fmt::print(csv, "engine,users,balancer,tokens_per_s,ttft_p50_s,ttft_p99_s,cached_share\n");
  }
  bool good = true;
  for (const Model& model : kModels) good = RunModel(model, setup, seeds, csv) && good;
  if (csv != nullptr) std::fclose(csv);
  if (!good) fmt::print("below {:.0f} %\n", kGoal * 100);
  return good ? 0 : 1;
}
