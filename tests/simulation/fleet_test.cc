// The simulated fleet is a measuring instrument: its engines keep their own books right, and the same seed gives
// the same run. What balancers come to is measured by gw_fleet_simulation.
#include <gtest/gtest.h>

#include "simulation/fleet_simulator.h"

namespace gw::routing::simulation {
namespace {

// Runs until nothing is left; the time that took.
double Drain(Engine& engine, std::vector<Sequence>& finished, int64_t& tokens) {
  double now = 0;
  for (double end = engine.BeginStep(now); end >= 0; end = engine.BeginStep(now)) {
    now = end;
    engine.EndStep(now, finished, tokens);
  }
  return now;
}

Sequence Chat(uint64_t id, int32_t prompt, int32_t answer) {
  Sequence sequence;
  sequence.id = id;
  sequence.prompt = {.application = 1, .conversation = id + 100, .shared_tokens = 640, .tokens = prompt};
  sequence.answer_tokens = answer;
  return sequence;
}

TEST(FleetEngine, AnswersEverybodyAndGivesAllBlocksBack) {
  Engine engine{EngineModel()};
  for (uint64_t i = 0; i < 300; ++i) engine.Arrive(Chat(i, 2000, 50), 0);
  std::vector<Sequence> finished;
  int64_t tokens = 0;
  const double seconds = Drain(engine, finished, tokens);
  EXPECT_EQ(finished.size(), 300U);
  EXPECT_EQ(tokens, 300 * 50);
  EXPECT_EQ(engine.available_blocks(), EngineModel().blocks);
  // 300 x 1360 new tokens and the shared ones once, at 10,000 a second; the answers overlap with them.
  EXPECT_NEAR(seconds, 41, 6);
}

TEST(FleetEngine, FindsPromptsAgainUntilTheirPlaceIsNeeded) {
  EngineModel model;
  model.blocks = 100;
  Engine engine(model);
  std::vector<Sequence> finished;
  int64_t tokens = 0;
  engine.Arrive(Chat(1, 3000, 10), 0);
  (void)Drain(engine, finished, tokens);
  EXPECT_EQ(engine.CachedTokens(Chat(1, 3100, 10).prompt), 3008 / 64 * 64);
  EXPECT_EQ(engine.CachedTokens(Chat(2, 3100, 10).prompt), 640) << "the shared beginning";
  engine.Arrive(Chat(2, 6000, 10), 0);
  (void)Drain(engine, finished, tokens);
  EXPECT_LT(engine.CachedTokens(Chat(1, 3100, 10).prompt), 3008 / 64 * 64);
}

TEST(FleetEngine, PreemptsWhenFullAndStillFinishes) {
  EngineModel model;
  model.blocks = 100;
  Engine engine(model);
  for (uint64_t i = 0; i < 5; ++i) engine.Arrive(Chat(i, 1200, 1500), 0);
  std::vector<Sequence> finished;
  int64_t tokens = 0;
  (void)Drain(engine, finished, tokens);
  EXPECT_EQ(finished.size(), 5U);
  EXPECT_EQ(tokens, 5 * 1500);
  EXPECT_GT(engine.preemptions(), 0U);
  EXPECT_EQ(engine.available_blocks(), 100);
}

FleetSetup Short(uint64_t seed) {
  FleetSetup setup;
  setup.users = 300;
  setup.seed = seed;
  setup.warm_up_s = 30;
  setup.measured_s = 60;
  return setup;
}

TEST(Fleet, SameSeedSameRun) {
  const FleetResult first = RunFleet(Short(1), Choice::kInferenceAware);
  const FleetResult second = RunFleet(Short(1), Choice::kInferenceAware);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.tokens_per_s, second.tokens_per_s);
  EXPECT_NE(first.digest, RunFleet(Short(2), Choice::kInferenceAware).digest);
}

TEST(Fleet, InferenceAwareFindsTheCaches) {
  const FleetResult blind = RunFleet(Short(3), Choice::kRoundRobin);
  const FleetResult aware = RunFleet(Short(3), Choice::kInferenceAware);
  EXPECT_GT(aware.cached_share, blind.cached_share + 0.15);
  EXPECT_LT(aware.ttft_p50_s, blind.ttft_p50_s * 0.7);
  EXPECT_GT(aware.tokens_per_s, blind.tokens_per_s);
}

}  // namespace
}  // namespace gw::routing::simulation
