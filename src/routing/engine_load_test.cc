// What an engine costs, and what inference-aware makes of it: figures, staleness, bursts between scrapes.
#include "routing/engine_load.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "routing/engine_fleet.h"
#include "routing/route_test_kit.h"

namespace gw::routing {
namespace {

using testing::World;

class InferenceAware : public ::testing::Test {
 protected:
  void Build(int rows) {
    world_.settings().strategy = config::RoutingStrategy::kInferenceAware;
    for (int i = 0; i < rows; ++i) world_.Row("g", std::to_string(i));
    world_.Build();
  }
  EngineLoad& Load(uint32_t row) { return world_.state().engines()->at(row); }
  void Scrape(uint32_t row, EngineSample sample) {
    DeploymentState& state = world_.state().at(row);
    ApplySample(Load(row), state, Args(), sample, BeginScrape(Load(row), state), world_.now());
  }
  void ScrapeAll(EngineSample sample = {}) {
    for (uint32_t i = 0; i < world_.state().size(); ++i) Scrape(i, sample);
  }
  const config::StrategyArgs& Args() { return world_.settings().strategy_args; }
  double CostOf(uint32_t row, int64_t prompt = 1000, int64_t cached = 0) {
    return EngineCosts(Args(), prompt, world_.now()).Of(Load(row), world_.state().at(row).in_flight.load(), cached);
  }

  // Requests that begin now and stay open.
  std::map<std::string, int> Burst(int count, const PromptBlocks& prompt) {
    std::map<std::string, int> picked;
    for (int i = 0; i < count; ++i) {
      auto& controls = *controls_.emplace_back(std::make_unique<RequestControls>());
      controls.model = "g";
      controls.prompt = prompt;
      auto& route = *open_.emplace_back(std::make_unique<RequestRoute>(world_.index(), world_.state(), controls));
      ++picked[route.Next(world_.now(), world_.random()).candidate.deployment->id];
    }
    return picked;
  }
  static PromptBlocks Prompt(std::string_view name, size_t bytes) {
    return HashPrompt({std::string(name) + std::string(bytes, 'x')}, 512);
  }

  World world_;
  std::vector<std::unique_ptr<RequestControls>> controls_;
  std::vector<std::unique_ptr<RequestRoute>> open_;
};

TEST_F(InferenceAware, OffByDefault) {
  world_.Row("g", "a");
  world_.Build();
  EXPECT_EQ(world_.state().engines(), nullptr);
}

TEST_F(InferenceAware, EverythingThatDelaysCosts) {
  Build(1);
  Scrape(0, {});
  AttemptOutcome answer;
  answer.duration = std::chrono::seconds(8);
  OnFinished(Load(0), answer);
  EXPECT_FLOAT_EQ(Load(0).answer_s.load(), 8);
  const double idle = CostOf(0);
  EXPECT_GT(CostOf(0, 5000), idle) << "a longer prompt";
  EXPECT_LT(CostOf(0, 1000, 900), idle) << "a cached prompt";
  Scrape(0, {.running = 20});
  const double busy = CostOf(0);
  EXPECT_GT(busy, idle);
  Scrape(0, {.waiting = 10, .running = 20});
  EXPECT_GT(CostOf(0), busy + 1) << "ten that wait before us";
  Scrape(0, {.running = 20, .kv_usage = 0.8});
  EXPECT_DOUBLE_EQ(CostOf(0), busy) << "there is room";
  Scrape(0, {.running = 20, .kv_usage = 0.95});
  const double tight = CostOf(0);
  EXPECT_GT(tight, busy);
  Scrape(0, {.running = 20, .kv_usage = 1});
  EXPECT_GT(CostOf(0) - busy, 2 * (tight - busy)) << "steep near full";
}

// The short cut for engines with room in their KV cache must not change a single cost.
TEST_F(InferenceAware, CostIsThatOfTheFormulaUpToAFullCache) {
  Build(1);
  const config::StrategyArgs& args = Args();
  Random random(5);
  int full = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double kv_usage = random.NextUnit();
    const auto capacity = static_cast<int64_t>(random.NextUnit() * 4) * 50'000;  // 0: not told
    Load(0).kv_tokens = 0;
    Scrape(0, {.waiting = 3, .running = 5, .kv_usage = kv_usage, .kv_tokens = capacity});
    const auto since = static_cast<int64_t>(random.NextUnit() * 60'000);
    Load(0).sent_tokens.fetch_add(since);
    const auto prompt = static_cast<int64_t>(random.NextUnit() * 20'000);
    const auto cached = i % 2 == 0 ? 0 : static_cast<int64_t>(random.NextUnit() * static_cast<double>(prompt));
    const auto fresh = static_cast<double>(prompt - cached);
    double kv = static_cast<double>(static_cast<float>(kv_usage));
    if (capacity > 0) kv += (static_cast<double>(since) + fresh) / static_cast<double>(capacity);
    const double over = std::clamp((kv - 0.85) * (1 / (1 - 0.85)), 0.0, 2.0);
    full += over > 0 ? 1 : 0;
    const double wait_s = static_cast<double>(Load(0).queue_s.load());
    EXPECT_EQ(CostOf(0, prompt, cached),
              args.queue_weight * wait_s + args.prefix_weight / args.prefill_tokens_per_s * fresh +
                  args.busy_weight * 8 + args.kv_weight * over * over);
  }
  EXPECT_GT(full, 2000);
  EXPECT_LT(full, 18'000);
}

TEST_F(InferenceAware, PromptsSentSinceTheScrapeCount) {
  Build(1);
  Scrape(0, {});
  const double before = CostOf(0);
  OnSent(Load(0), Args(), 8000, world_.now());
  EXPECT_NEAR(CostOf(0) - before, Args().queue_weight, 0.01) << "a second of work at 8000 tokens a second";
  world_.Advance(0.5);
  EXPECT_NEAR(CostOf(0) - before, Args().queue_weight * 0.5, 0.01);
  Scrape(0, {.running = 1});  // nobody waits any more
  EXPECT_LT(CostOf(0) - before, 0.1);
}

TEST_F(InferenceAware, WhatWasSentDuringAScrapeIsNotForgotten) {
  Build(1);
  DeploymentState& state = world_.state().at(0);
  const ScrapeMark mark = BeginScrape(Load(0), state);
  OnSent(Load(0), Args(), 4000, world_.now());
  ApplySample(Load(0), state, Args(), {}, mark, world_.now());
  const double with = CostOf(0);
  Scrape(0, {});
  EXPECT_NEAR(with - CostOf(0), Args().queue_weight * 0.5, 0.01);
}

TEST_F(InferenceAware, RequestsOfOthersAreSeenOursNotTwice) {
  Build(1);
  world_.state().at(0).in_flight = 5;
  Scrape(0, {.waiting = 2, .running = 10});
  EXPECT_EQ(Load(0).foreign.load(), 7);
  Scrape(0, {.running = 3});
  EXPECT_EQ(Load(0).foreign.load(), 0);
}

TEST_F(InferenceAware, BurstBetweenTwoScrapesDoesNotHerd) {
  Build(4);
  ScrapeAll({.running = 10});
  Scrape(2, {.running = 9});  // looks best to everybody
  const auto picked = Burst(40, Prompt("p", 2000));
  ASSERT_EQ(picked.size(), 4U);
  for (const auto& [id, count] : picked) EXPECT_LE(count, 20) << id;
}

TEST_F(InferenceAware, DifferentPromptsOfABurstSpreadEvenly) {
  Build(4);
  ScrapeAll();
  std::map<std::string, int> picked;
  for (int i = 0; i < 40; ++i) {
    for (const auto& [id, count] : Burst(1, Prompt(std::to_string(i), 8000))) picked[id] += count;
  }
  for (uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(picked[std::to_string(i)], 10, 2);
}

TEST_F(InferenceAware, ConversationReturnsUnlessItsEngineIsFull) {
  Build(4);
  ScrapeAll();
  const std::string home = Burst(1, Prompt("chat", 40'000)).begin()->first;
  open_.clear();
  world_.Advance(10);
  for (int turn = 1; turn <= 5; ++turn) {
    ScrapeAll();
    EXPECT_EQ(Burst(1, Prompt("chat", 40'000 + static_cast<size_t>(turn) * 800)).begin()->first, home);
    open_.clear();
    world_.Advance(10);
  }
  ScrapeAll();
  for (uint32_t i = 0; i < 4; ++i) Load(i).answer_s = 20;
  Scrape(static_cast<uint32_t>(std::stoi(home)), {.waiting = 50, .running = 100, .kv_usage = 1});
  EXPECT_NE(Burst(1, Prompt("chat", 44'000)).begin()->first, home);
}

TEST_F(InferenceAware, SilentEnginesAreBalancedByLeastBusy) {
  Build(3);
  ScrapeAll({.waiting = 100, .running = 100, .kv_usage = 1});
  world_.Advance(Args().stale_after_s + 0.1);
  EXPECT_FALSE(IsFresh(Load(0), Args(), world_.now()));
  world_.state().at(0).in_flight = 3;
  world_.state().at(1).in_flight = 1;
  world_.state().at(2).in_flight = 2;
  const auto picked = Burst(6, Prompt("p", 40'000));  // their caches are unknown: nothing is sticky
  EXPECT_EQ(picked.at("1"), 3);
  EXPECT_EQ(picked.at("2"), 2);
  EXPECT_EQ(picked.at("0"), 1);
}

TEST_F(InferenceAware, SilentEngineAmongTheOthersStillServes) {
  Build(2);
  Scrape(0, {.waiting = 5, .running = 50});
  Load(0).answer_s = 5;
  Scrape(0, {.waiting = 5, .running = 50});
  EXPECT_GE(Burst(10, Prompt("p", 100))["1"], 5);
}

TEST_F(InferenceAware, UnscrapedFirstRequestIsServed) {
  Build(2);
  EXPECT_EQ(Burst(10, {}).size(), 2U);
}

}  // namespace
}  // namespace gw::routing
