// SharedState under several threads: no lost update that matters, no data race (run with TSan).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "routing/cooldown.h"
#include "routing/packed_window.h"
#include "routing/route_test_kit.h"
#include "routing/row_limits.h"

namespace gw::routing::testing {
namespace {

constexpr int kThreads = 4;

template <typename Work>
void OnThreads(Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST(SharedStateThreads, SlotLimitIsNeverExceeded) {
  SharedState state(1);
  config::Deployment row;
  row.max_parallel_requests = 2;
  const RowLimits limits = LimitsOf(row, {});
  std::atomic<int> holders{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  OnThreads([&](int) {
    for (int i = 0; i < 5000; ++i) {
      TokenCounts none;
      if (ReserveRow(state.at(0), limits, none, {.now = TimePoint{}}) != Reservation::kHeld) continue;
      const int now_held = ++holders;
      int seen = most.load();
      while (seen < now_held && !most.compare_exchange_weak(seen, now_held)) {
      }
      ++served;
      --holders;
      ReleaseSlot(state.at(0));
    }
  });
  EXPECT_LE(most.load(), 2);
  EXPECT_GT(served.load(), 0);
  EXPECT_EQ(state.at(0).in_flight.load(), 0);
}

TEST(SharedStateThreads, RpmLetsExactlySoManyPass) {
  SharedState state(1);
  config::Deployment row;
  row.rpm = 1000;
  config::RouterSettings settings;
  settings.enforce_model_rate_limits = true;
  const RowLimits limits = LimitsOf(row, settings);
  std::atomic<int> passed{0};
  OnThreads([&](int) {
    for (int i = 0; i < 1000; ++i) {
      TokenCounts none;
      if (ReserveRow(state.at(0), limits, none, {.now = TimePoint{}}) != Reservation::kHeld) continue;
      ++passed;
      ReleaseSlot(state.at(0));
    }
  });
  EXPECT_EQ(passed.load(), 1000);
}

TEST(SharedStateThreads, NoOutcomeIsLost) {
  SharedState state(1);
  const TimePoint now{std::chrono::hours(1)};
  OnThreads([&](int thread) {
    for (int i = 0; i < 5000; ++i) AddOutcome(state.at(0).window, thread % 2 == 0, now);
  });
  const OutcomeCounts counts = AddOutcome(state.at(0).window, true, now);
  EXPECT_EQ(counts.failures, 10'001U);
  EXPECT_EQ(counts.successes, 10'000U);
}

TEST(SharedStateThreads, OneCooldownStartsOnce) {
  SharedState state(1);
  const config::Deployment row;
  const config::RouterSettings settings;
  const Error error = *ErrorFor("429", "openai");
  const TimePoint now{std::chrono::hours(1)};
  std::atomic<int> starts{0};
  OnThreads([&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      const TimePoint mine = now + std::chrono::microseconds(i * kThreads + thread);
      starts += RecordFailure(state.at(0), row, settings, {}, error, mine).cooldown_started ? 1 : 0;
    }
  });
  EXPECT_EQ(starts.load(), 1);
  EXPECT_EQ(state.CooldownLeft(0, now),
            std::chrono::seconds(5) + std::chrono::microseconds(2000 * kThreads - 1));
}

TEST(SharedStateThreads, WholeRequestsLeaveNoSlotBehind) {
  World world;
  for (const char* id : {"a", "b", "c"}) world.Row("g", id).max_parallel_requests = 3;
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.settings().num_retries = 2;
  world.settings().initial_retry_delay_s = 0;
  world.Build();
  std::atomic<int> answered{0};
  OnThreads([&](int thread) {
    Random random(static_cast<uint64_t>(thread) + 1);
    RequestControls controls;
    controls.model = "g";
    TimePoint now{std::chrono::hours(1)};
    for (int i = 0; i < 1000; ++i) {
      RequestRoute route(world.index(), world.state(), controls);
      while (true) {
        now += std::chrono::milliseconds(1);
        const Step step = route.Next(now, random);
        if (step.kind == Step::Kind::kFail) break;
        if (step.kind == Step::Kind::kWait) continue;
        (void)world.state().HealthAt(step.candidate.deployment->index, now);
        const double dice = random.NextUnit();
        if (dice < 0.1) break;  // destroyed with the attempt running
        if (dice < 0.5) {
          (void)route.OnAttemptFailed(*ErrorFor(dice < 0.2 ? "429" : "500", "openai"), now);
          continue;
        }
        route.OnAttemptSucceeded(now);
        ++answered;
        break;
      }
    }
  });
  EXPECT_GT(answered.load(), 0);
  EXPECT_EQ(world.SlotsInUse(), 0);
}

}  // namespace
}  // namespace gw::routing::testing
