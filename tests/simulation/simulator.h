// Many requests at a time over a random configuration, in virtual time, through the production
// router: deployments with scripted faults, latencies and load, an event queue, one seed.
//
// The referee keeps books of its own (who runs, who cools down, what passed in a minute) and
// compares every decision with them. The same seed gives the same run to the last event.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gw::routing::simulation {

struct Totals {
  uint64_t requests = 0;
  uint64_t attempts = 0;
  uint64_t retries = 0;
  uint64_t fallbacks = 0;   // groups entered after the first
  uint64_t cooldowns = 0;
  uint64_t waits = 0;
  uint64_t refused = 0;     // answered without any attempt
  uint64_t failed = 0;      // answered with an error
  uint64_t abandoned = 0;
  uint64_t mid_stream = 0;
  uint64_t hedges = 0;
  // How often the rules that need a special situation were put to the test.
  uint64_t orders_checked = 0;
  uint64_t weights_checked = 0;
  uint64_t slots_checked = 0;
  uint64_t minutes_checked = 0;
  uint64_t all_cooled_checked = 0;
  uint64_t budgets_checked = 0;
  uint64_t tags_checked = 0;
  uint64_t teams_checked = 0;
  uint64_t probes_checked = 0;

  void Add(const Totals& other);
};

struct Outcome {
  Totals totals;
  uint64_t digest = 0;                  // of all events
  std::vector<std::string> violations;  // the first few
};

// One world. `explain`: violations come with the decision of the request step by step (slow).
[[nodiscard]] Outcome Simulate(uint64_t seed, int requests, bool explain);

}  // namespace gw::routing::simulation
