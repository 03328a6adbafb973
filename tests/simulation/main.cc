// At least a million requests through the production router in virtual time:
//     gw_simulation [REQUESTS]          worlds with the seeds 1, 2, 3, ... until so many were made
//     GW_SIM_SEED=N gw_simulation       one world again, with every step of a request that went wrong
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "simulation/simulator.h"

namespace {

using gw::routing::simulation::Outcome;
using gw::routing::simulation::Simulate;
using gw::routing::simulation::Totals;

constexpr int kRequestsPerWorld = 1000;
constexpr uint64_t kRequestsDefault = 1'000'000;

int Report(const Outcome& outcome, uint64_t seed) {
  for (const std::string& violation : outcome.violations) fmt::print("{}\n", violation);
  fmt::print("VIOLATION. Replay with GW_SIM_SEED={} gw_simulation\n", seed);
  return 1;
}

void Print(const Totals& t) {
  fmt::print("{} requests, {} attempts ({} retries, {} fallbacks), {} pauses, {} cooldowns\n", t.requests, t.attempts,
             t.retries, t.fallbacks, t.waits, t.cooldowns);
  fmt::print("{} failed, {} refused, {} abandoned, {} broke in mid-stream\n", t.failed, t.refused, t.abandoned,
             t.mid_stream);
  fmt::print("checks: fallback order {}, weights {}, slots {}, minutes {}, all cooled {}, retry budget {}, tags {}, "
             "teams {}, probes {}\n",
             t.orders_checked, t.weights_checked, t.slots_checked, t.minutes_checked, t.all_cooled_checked,
             t.budgets_checked, t.tags_checked, t.teams_checked, t.probes_checked);
}

// A rule that was never put to the test must not look as if it held.
bool EverythingWasChecked(const Totals& t) {
  for (const uint64_t count : {t.orders_checked, t.weights_checked, t.slots_checked, t.minutes_checked,
                               t.all_cooled_checked, t.budgets_checked, t.tags_checked, t.teams_checked,
                               t.probes_checked, t.mid_stream, t.hedges, t.waits, t.abandoned}) {
    if (count < t.requests / 10'000) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* chosen = std::getenv("GW_SIM_SEED"); chosen != nullptr) {
    const uint64_t seed = std::strtoull(chosen, nullptr, 10);
    const Outcome outcome = Simulate(seed, kRequestsPerWorld, true);
    if (!outcome.violations.empty()) return Report(outcome, seed);
    Print(outcome.totals);
    return 0;
  }
  const uint64_t wanted = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kRequestsDefault;
  Totals totals;
  for (uint64_t seed = 1; totals.requests < wanted; ++seed) {
    const Outcome outcome = Simulate(seed, kRequestsPerWorld, false);
    if (!outcome.violations.empty()) return Report(outcome, seed);
    totals.Add(outcome.totals);
    if (seed % 50 == 1 && Simulate(seed, kRequestsPerWorld, false).digest != outcome.digest) {
      fmt::print("seed {} does not give the same run twice\n", seed);
      return 1;
    }
  }
  Print(totals);
  if (EverythingWasChecked(totals)) return 0;
  fmt::print("a rule was hardly put to the test: see the counts above\n");
  return 1;
}
