// A few worlds of tests/simulation under the sanitizers of this build. script/test runs a million
// requests with the release flavour: gw_simulation.
#include <gtest/gtest.h>

#include "simulation/simulator.h"

namespace gw::routing::simulation {
namespace {

constexpr uint64_t kWorlds = 40;
constexpr int kRequests = 300;

TEST(Simulation, InvariantsHoldInRandomWorlds) {
  Totals totals;
  for (uint64_t seed = 100'001; seed <= 100'000 + kWorlds; ++seed) {
    const Outcome outcome = Simulate(seed, kRequests, true);
    for (const std::string& violation : outcome.violations) ADD_FAILURE() << violation;
    ASSERT_TRUE(outcome.violations.empty());
    totals.Add(outcome.totals);
  }
  EXPECT_EQ(totals.requests, kWorlds * kRequests);
  EXPECT_GT(totals.retries, 0U);
  EXPECT_GT(totals.fallbacks, 0U);
  EXPECT_GT(totals.cooldowns, 0U);
  EXPECT_GT(totals.hedges, 0U);
}

TEST(Simulation, SameSeedSameRun) {
  EXPECT_EQ(Simulate(7, kRequests, false).digest, Simulate(7, kRequests, true).digest);
  EXPECT_NE(Simulate(7, kRequests, false).digest, Simulate(8, kRequests, false).digest);
}

}  // namespace
}  // namespace gw::routing::simulation
