// Token and daily limits: reserved before, settled after, never exceeded by requests at one time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "routing/packed_window.h"
#include "routing/route_test_kit.h"
#include "routing/row_limits.h"

namespace gw::routing::testing {
namespace {

constexpr Duration kMinute = std::chrono::seconds(60);
const TimePoint kNow{std::chrono::hours(100)};

RowLimits Limits(int64_t tpm) {
  RowLimits limits;
  limits.tpm = tpm;
  limits.counts_tokens = true;
  return limits;
}

// A group of one row with a token limit.
struct LimitedRow {
  LimitedRow() {
    world.Row("g", "g").tpm = 1000;
    world.settings().enforce_model_rate_limits = true;
    world.Build();
    controls.model = "g";
  }
  World world;
  RequestControls controls;
};

TEST(TokenLimits, WhatRunsCounts) {
  DeploymentState state;
  const RowLimits limits = Limits(100);
  TokenCounts first{.input = 20, .output = 40};
  TokenCounts second{.input = 20, .output = 21};
  EXPECT_EQ(ReserveRow(state, limits, first, {kNow}), Reservation::kHeld);
  EXPECT_EQ(ReserveRow(state, limits, second, {kNow}), Reservation::kTpmReached);
  second = {.input = 20, .output = 20};
  EXPECT_EQ(ReserveRow(state, limits, second, {kNow}), Reservation::kHeld);
  SettleTokens(state, limits, first, 5, 5, {kNow});
  SettleTokens(state, limits, second, 5, 5, {kNow});
  EXPECT_EQ(CountWindow::Read(state.token_window, kMinute, kNow), 20U);
  EXPECT_EQ(ReservedTokens(state).input + ReservedTokens(state).output, 0U);
}

TEST(TokenLimits, GuessAloneDoesNotBarARow) {
  DeploymentState state;
  const RowLimits limits = Limits(30);
  TokenCounts huge{.input = 10, .output = 4096};
  EXPECT_EQ(ReserveRow(state, limits, huge, {kNow}), Reservation::kHeld) << "nothing else runs";
  TokenCounts tiny{.input = 1, .output = 1};
  EXPECT_EQ(ReserveRow(state, limits, tiny, {kNow}), Reservation::kTpmReached);
  SettleTokens(state, limits, huge, 10, 8, {kNow});
  EXPECT_EQ(ReserveRow(state, limits, tiny, {kNow}), Reservation::kHeld);
}

TEST(TokenLimits, FailedRequestGivesItsReservationBack) {
  LimitedRow limited;
  World& world = limited.world;
  RequestControls& controls = limited.controls;
  controls.output_tokens_max = 900;
  controls.input_tokens_estimate = 50;
  for (const char* end : {"failed", "abandoned", "destroyed"}) {
    auto route = std::make_unique<RequestRoute>(world.index(), world.state(), controls);
    ASSERT_EQ(route->Next(world.now(), world.random()).kind, Step::Kind::kAttempt) << end;
    EXPECT_EQ(ReservedTokens(world.state().at(0)).output, 900U);
    if (end[0] == 'f') (void)route->OnAttemptFailed(*ErrorFor("400", "openai"), world.now());
    if (end[0] == 'a') route->OnAbandoned();
    route.reset();
    EXPECT_EQ(ReservedTokens(world.state().at(0)).output, 0U) << end;
  }
}

TEST(TokenLimits, BrokenStreamPaysForWhatItUsed) {
  LimitedRow limited;
  World& world = limited.world;
  RequestControls& controls = limited.controls;
  RequestRoute route(world.index(), world.state(), controls);
  ASSERT_EQ(route.Next(world.now(), world.random()).kind, Step::Kind::kAttempt);
  AttemptOutcome outcome;
  outcome.prompt_tokens = 30;
  outcome.completion_tokens = 12;
  route.Settle(outcome, world.now());
  Error error = *ErrorFor("reset", "openai");
  error.mid_stream = true;
  (void)route.OnAttemptFailed(error, world.now());
  EXPECT_EQ(world.state().UsageAt(0, world.now()).tokens, 42);
  EXPECT_EQ(ReservedTokens(world.state().at(0)).input, 0U);
}

TEST(TokenLimits, AverageStandsInForWhatTheClientDidNotSay) {
  DeploymentState state;
  const RowLimits limits = Limits(1'000'000);
  RequestControls silent;
  const TokenCounts unknown = EstimateTokens(state, silent);
  EXPECT_GT(unknown.output, 0U);
  for (int i = 0; i < 100; ++i) SettleTokens(state, limits, {}, 100, 700, {kNow});
  EXPECT_NEAR(EstimateTokens(state, silent).input, 100, 2);
  EXPECT_NEAR(EstimateTokens(state, silent).output, 700, 2);
  silent.output_tokens_max = 64;
  EXPECT_EQ(EstimateTokens(state, silent).output, 64U);
}

TEST(TokenLimits, AbsurdWishesDoNotOverflow) {
  DeploymentState state;
  RowLimits limits;
  limits.counts_tokens = true;  // counted, not limited
  RequestControls controls;
  controls.output_tokens_max = INT64_MAX;
  controls.input_tokens_estimate = INT64_MAX;
  std::vector<TokenCounts> held;
  for (int i = 0; i < 5000; ++i) {
    TokenCounts tokens = EstimateTokens(state, controls);
    ASSERT_EQ(ReserveRow(state, limits, tokens, {kNow}), Reservation::kHeld);
    held.push_back(tokens);
  }
  for (const TokenCounts& tokens : held) ReleaseTokens(state, tokens);
  EXPECT_EQ(ReservedTokens(state).input, 0U);
  EXPECT_EQ(ReservedTokens(state).output, 0U);
}

TEST(TokenLimits, NamesOfTheRefusals) {
  struct Case {
    std::optional<int64_t> config::Deployment::*field;
    const char* text;
  };
  for (const Case& c : {Case{&config::Deployment::itpm, "ITPM limit=40, current usage=50"},
                        Case{&config::Deployment::otpm, "OTPM limit=40, current usage=60"},
                        Case{&config::Deployment::tpm, "TPM limit=40, current usage=110"},
                        Case{&config::Deployment::tpd, "TPD limit=40, current usage=110"}}) {
    World world;
    world.Row("g", "g").*c.field = 40;
    world.settings().enforce_model_rate_limits = true;
    world.Build();
    world.Outcomes([](const Candidate&) {
      AttemptOutcome outcome;
      outcome.prompt_tokens = 50;
      outcome.completion_tokens = 60;
      return outcome;
    });
    EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
    const Trace trace = world.Run("g", Always("ok"));
    EXPECT_EQ(trace.status, 429);
    EXPECT_THAT(trace.error.message, ::testing::HasSubstr(c.text));
    EXPECT_GT(trace.error.retry_after_s, 0);
  }
}

TEST(TokenLimits, DayLimitTellsTheSecondsToTheReset) {
  World world;
  config::Deployment& row = world.Row("g", "g");
  row.rpd = 1;
  row.daily_reset_s = 3600;
  world.settings().enforce_model_rate_limits = true;
  world.Build();
  world.state().SetWallClock(world.now(), 1'700'000'000 / 86'400 * 86'400);  // midnight
  EXPECT_EQ(world.Run("g", Always("ok")).status, 200);
  const Trace trace = world.Run("g", Always("ok"));
  EXPECT_THAT(trace.error.message, ::testing::HasSubstr("RPD limit=1, current usage=2"));
  EXPECT_NEAR(trace.error.retry_after_s, 3600, 1);
}

// Every request says truthfully how much it may use: then no interleaving may exceed a limit.
TEST(TokenLimitsThreads, TpmAndRpmAreNeverExceeded) {
  constexpr int kThreads = 4;
  constexpr int64_t kTpm = 5000;
  DeploymentState state;
  RowLimits limits = Limits(kTpm);
  limits.rpm = 200;
  limits.rpd = 450;
  limits.otpm = 3000;
  limits.counts_requests = true;
  int64_t passed = 0;
  for (int minute = 0; minute < 4; ++minute) {
    const LimitClock clock{.now = kNow + minute * (kMinute + std::chrono::seconds(1))};
    std::atomic<int64_t> total{0};
    std::atomic<int64_t> output{0};
    std::atomic<int64_t> requests{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Random random(static_cast<uint64_t>(minute * kThreads + t));
        for (int i = 0; i < 3000; ++i) {
          TokenCounts tokens{.input = static_cast<uint32_t>(random.Next() % 40) + 1,
                             .output = static_cast<uint32_t>(random.Next() % 40) + 1};
          if (ReserveRow(state, limits, tokens, clock) != Reservation::kHeld) continue;
          ++requests;
          const auto used = static_cast<int64_t>(random.Next() % tokens.output) + 1;
          if (random.Next() % 5 == 0) {
            ReleaseTokens(state, tokens);
          } else {
            total += tokens.input + used;
            output += used;
            SettleTokens(state, limits, tokens, tokens.input, used, clock);
          }
          ReleaseSlot(state);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    // One request that is alone may cross by what it uses.
    EXPECT_LE(total.load(), kTpm + 80);
    EXPECT_LE(output.load(), 3000 + 40);
    EXPECT_LE(requests.load(), 200);
    EXPECT_TRUE(requests.load() > 0 || passed == limits.rpd);
    passed += requests.load();
    EXPECT_LE(passed, limits.rpd);
  }
  EXPECT_EQ(state.in_flight.load(), 0);
  EXPECT_EQ(ReservedTokens(state).input, 0U);
}

}  // namespace
}  // namespace gw::routing::testing
