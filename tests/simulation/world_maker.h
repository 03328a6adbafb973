// A random configuration and random requests for it.
#pragma once

#include <string>
#include <vector>

#include "routing/route_test_kit.h"

namespace gw::routing::simulation {

// What one deployment does over time: phases with a failure rate and a kind of failure each.
struct Script {
  struct Phase {
    double until_s = 0;  // since the beginning of the world
    double failure_rate = 0;
    std::string answer;  // of failures; empty: any
    double latency_s = 0.2;
  };
  std::vector<Phase> phases;  // the last one holds for ever
};

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  bool Chance(double p) { return random_.NextUnit() < p; }
  double Between(double low, double high) { return low + random_.NextUnit() * (high - low); }
  size_t Below(size_t n) { return static_cast<size_t>(random_.NextUnit() * static_cast<double>(n)); }
  int Upto(int n) { return static_cast<int>(Below(static_cast<size_t>(n) + 1)); }
  uint64_t Number() { return random_.Next(); }

 private:
  Random random_;
};

struct Plan {
  size_t groups = 0;
  bool is_calm = false;           // no failures and no limits: the weights are what is tested
  double arrival_gap_s = 0.1;     // mean
  std::vector<Script> scripts;    // per deployment
  bool has_order = false, has_tags = false, has_teams = false, has_priorities = false;
};

// Fills the world (not built yet).
[[nodiscard]] Plan MakeWorld(testing::World& world, Dice& dice);
[[nodiscard]] RequestControls MakeRequest(const Plan& plan, const config::RouterSettings& settings,
                                          Dice& dice);
[[nodiscard]] std::string GroupName(size_t index);
[[nodiscard]] std::string RandomFailure(Dice& dice);

}  // namespace gw::routing::simulation
