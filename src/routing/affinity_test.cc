#include "routing/affinity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/limits.h"
#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

constexpr Duration kHour = std::chrono::hours(1);

uint64_t Key(uint64_t i) { return (i + 1) * 0x9E3779B97F4A7C15U; }

class Table : public ::testing::Test {
 protected:
  AffinityTable table_{1024};
  TimePoint now_{std::chrono::hours(5)};
};

TEST_F(Table, FindsWhatWasPutUntilItIsTooOld) {
  table_.Put(Key(1), 7, true, kHour, now_);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_), 7U);
  EXPECT_EQ(table_.Find(Key(2), kHour, now_), std::nullopt);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_ + std::chrono::minutes(59)), 7U);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_ + std::chrono::minutes(61)), std::nullopt);
}

TEST_F(Table, UseRenewsTheAge) {
  for (int i = 0; i < 5; ++i) {
    table_.Put(Key(1), 7, true, kHour, now_);
    now_ += std::chrono::minutes(50);
    EXPECT_EQ(table_.Find(Key(1), kHour, now_), 7U);
  }
}

TEST_F(Table, AnotherRowReplacesOnlyIfItMay) {
  table_.Put(Key(1), 7, true, kHour, now_);
  table_.Put(Key(1), 8, true, kHour, now_);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_), 7U);
  table_.Put(Key(1), 8, false, kHour, now_);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_), 8U);
  table_.Put(Key(1), 9, true, kHour, now_ + std::chrono::minutes(61));
  EXPECT_EQ(table_.Find(Key(1), kHour, now_ + std::chrono::minutes(61)), 9U);
}

TEST_F(Table, StaysBoundedAndForgetsTheIdlest) {
  ASSERT_EQ(table_.capacity(), 1024U);
  for (uint64_t i = 0; i < 100; ++i) table_.Put(Key(i), 1, true, kHour, now_);
  now_ += std::chrono::minutes(10);
  for (uint64_t i = 1000; i < 11'000; ++i) table_.Put(Key(i), 2, true, kHour, now_);
  size_t newest = 0;
  for (uint64_t i = 10'500; i < 11'000; ++i) newest += table_.Find(Key(i), kHour, now_) ? 1 : 0;
  size_t oldest = 0;
  for (uint64_t i = 0; i < 100; ++i) oldest += table_.Find(Key(i), kHour, now_) ? 1 : 0;
  EXPECT_EQ(oldest, 0U);
  EXPECT_GT(newest, 100U);
}

TEST_F(Table, RowsBeyondTheFieldAreNotPinned) {
  table_.Put(Key(1), uint32_t{1} << 20, true, kHour, now_);
  EXPECT_EQ(table_.Find(Key(1), kHour, now_), std::nullopt);
}

TEST_F(Table, ThreadsNeverSeeARowThatNobodyPut) {
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (uint64_t i = 0; i < 20'000; ++i) {
        const uint64_t id = i % 3000;
        table_.Put(Key(id), static_cast<uint32_t>(id), false, kHour, now_);
        const auto row = table_.Find(Key((id + 7) % 3000), kHour, now_);
        if (row.has_value()) {
          EXPECT_EQ(*row, (id + 7) % 3000);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class Pins : public ::testing::Test {
 protected:
  void Build(uint8_t kinds) {
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) world_.Row("g", id);
    for (const char* id : {"h1", "h2", "h3", "h4"}) world_.Row("h", id);
    world_.settings().affinity = kinds;
    world_.Build();
    controls_.model = "g";
  }
  std::string Ask(const Script& script = Always("ok")) {
    const Trace trace = world_.Run(controls_, script);
    return trace.calls.empty() ? "none" : trace.calls.back();
  }
  // How many of 20 requests went where the first one went?
  int Returns() {
    const std::string home = Ask();
    int same = 0;
    for (int i = 0; i < 20; ++i) same += Ask() == home ? 1 : 0;
    return same;
  }
  World world_;
  RequestControls controls_;
};

TEST_F(Pins, OnlyWhatIsConfiguredPins) {
  Build(config::kDeploymentAffinity);
  controls_.session_id = "s";
  EXPECT_LT(Returns(), 15);
  controls_.user_key = "hash of a key";
  EXPECT_EQ(Returns(), 20);
}

TEST_F(Pins, PrefixPinsForFiveMinutes) {
  Build(config::kPromptCaching);
  controls_.prefix_hash = 0x1234567;
  EXPECT_EQ(Returns(), 20);
  world_.Advance(310);
  std::vector<std::string> homes;
  for (int i = 0; i < 12; ++i) {
    homes.push_back(Ask());
    world_.Advance(310);
  }
  EXPECT_THAT(homes, ::testing::Not(::testing::Each(homes.front())));
}

TEST_F(Pins, SessionIsStrongerThanKey) {
  Build(config::kSessionAffinity | config::kDeploymentAffinity);
  controls_.user_key = "k";
  const std::string home_of_key = Ask();
  // Find a session that was led elsewhere while it had no key.
  controls_.user_key.clear();
  std::string home = home_of_key;
  for (int i = 0; home == home_of_key; ++i) {
    controls_.session_id = "s" + std::to_string(i);
    home = Ask();
  }
  controls_.user_key = "k";
  EXPECT_EQ(Ask(), home);
}

TEST_F(Pins, GroupsAreApart) {
  Build(config::kSessionAffinity);
  controls_.session_id = "s";
  const std::string home = Ask();
  controls_.model = "h";
  EXPECT_TRUE(Ask().starts_with("h"));
  controls_.model = "g";
  EXPECT_EQ(Ask(), home);
}

TEST_F(Pins, GroupConfigReplacesTheGlobalOne) {
  world_.settings().group_affinity = {{"h", config::kSessionAffinity}, {"g", 0}};
  Build(config::kSessionAffinity);
  controls_.session_id = "s";
  EXPECT_LT(Returns(), 15);
  controls_.model = "h";
  EXPECT_EQ(Returns(), 20);
}

TEST_F(Pins, SessionReturnsToItsRowAfterACooldown) {
  Build(config::kSessionAffinity);
  controls_.session_id = "s";
  const std::string home = Ask();
  world_.settings().num_retries = 1;
  EXPECT_NE(Ask(Answers(home + "=429")), home);
  EXPECT_NE(Ask(), home) << "it is cooling down";
  world_.Advance(6);
  EXPECT_EQ(Ask(), home);
}

TEST_F(Pins, RepinnedSessionStaysWhereItWasServed) {
  world_.settings().session_affinity_repin = true;
  Build(config::kSessionAffinity);
  controls_.session_id = "s";
  const std::string home = Ask();
  world_.settings().num_retries = 1;
  const std::string next = Ask(Answers(home + "=429"));
  world_.Advance(6);
  EXPECT_EQ(Ask(), next);
}

TEST_F(Pins, FullRowDoesNotHoldItsSessionUp) {
  world_.Row("p", "p1").max_parallel_requests = 1;
  world_.Row("p", "p2").max_parallel_requests = 1;
  Build(config::kSessionAffinity);
  controls_.model = "p";
  controls_.session_id = "s";
  const std::string home = Ask();
  RequestRoute holder(world_.index(), world_.state(), controls_);
  ASSERT_EQ(holder.Next(world_.now(), world_.random()).candidate.deployment->id, home);
  EXPECT_EQ(Ask(), home == "p1" ? "p2" : "p1");
}

}  // namespace
}  // namespace gw::routing::testing
