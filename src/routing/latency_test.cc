#include "routing/latency.h"

#include <gtest/gtest.h>

#include <thread>

namespace gw::routing {
namespace {

class Latency : public ::testing::Test {
 protected:
  void Whole(double seconds, int64_t tokens = 0, bool is_chat = true) {
    AttemptOutcome outcome;
    outcome.duration = FromSeconds(seconds);
    outcome.completion_tokens = tokens;
    outcome.is_chat = is_chat;
    RecordLatency(state_, rings_, args_, outcome, now_);
  }
  void Stream(double first_token) {
    AttemptOutcome outcome;
    outcome.duration = FromSeconds(10);
    outcome.first_token = FromSeconds(first_token);
    outcome.is_stream = true;
    RecordLatency(state_, rings_, args_, outcome, now_);
  }
  [[nodiscard]] double Of(bool is_stream = false) const {
    return LatencyOf(state_, is_stream, now_);
  }

  config::StrategyArgs args_;
  DeploymentState state_;
  LatencyRings rings_;
  TimePoint now_{std::chrono::hours(9)};
};

TEST_F(Latency, UnknownRowIsZero) {
  EXPECT_EQ(Of(), 0);
  EXPECT_EQ(Of(true), 0);
}

TEST_F(Latency, SecondsPerTokenOnlyForChatsWithTokens) {
  args_.max_latency_list_size = 1;
  Whole(2, 100);
  EXPECT_NEAR(Of(), 0.02, 1e-6);
  Whole(2, 100, false);
  EXPECT_NEAR(Of(), 2, 1e-6);
  Whole(3, 0);
  EXPECT_NEAR(Of(), 3, 1e-6);
}

TEST_F(Latency, NewestSamplesCount) {
  args_.max_latency_list_size = 3;
  for (const double seconds : {100.0, 1.0, 2.0, 3.0}) Whole(seconds);
  EXPECT_NEAR(Of(), 2, 1e-6);
}

TEST_F(Latency, ListSizeBeyondTheRingIsTheRing) {
  args_.max_latency_list_size = 1'000'000;
  for (size_t i = 0; i < kLatencySamplesMax; ++i) Whole(50);
  for (size_t i = 0; i < kLatencySamplesMax; ++i) Whole(1);
  EXPECT_NEAR(Of(), 1, 1e-6);
}

TEST_F(Latency, PercentileOfFirstTokensIsTheRankRoundedUp) {
  struct Case {
    double percentile;
    double expected;
  };
  for (const Case& c : {Case{0.1, 1}, Case{0.25, 1}, Case{0.26, 2}, Case{0.5, 2}, Case{0.75, 3},
                        Case{0.9, 4}, Case{1.0, 4}}) {
    DeploymentState state;
    LatencyRings rings;
    config::StrategyArgs args;
    args.ttft_percentile = c.percentile;
    for (const double seconds : {4.0, 1.0, 3.0, 2.0}) {
      AttemptOutcome outcome;
      outcome.duration = FromSeconds(9);
      outcome.first_token = FromSeconds(seconds);
      RecordLatency(state, rings, args, outcome, now_);
    }
    EXPECT_NEAR(LatencyOf(state, true, now_), c.expected, 1e-6) << c.percentile;
    EXPECT_NEAR(LatencyOf(state, false, now_), 9, 1e-5) << "no percentile of whole answers";
  }
}

TEST_F(Latency, StreamsWithoutFirstTokensCompareWholeAnswers) {
  Whole(5);
  EXPECT_NEAR(Of(true), 5, 1e-6);
  Stream(0.2);
  EXPECT_NEAR(Of(true), 0.2, 1e-6);
}

TEST_F(Latency, TimeoutIsAThousandSecondsForStreamsToo) {
  args_.max_latency_list_size = 2;
  Stream(0.2);
  RecordTimeout(state_, rings_, args_, false, now_);
  EXPECT_NEAR(Of(true), 0.2, 1e-6);
  EXPECT_GT(Of(false), 500);
  RecordTimeout(state_, rings_, args_, true, now_);
  EXPECT_NEAR(Of(true), 500.1, 1e-3);
}

TEST_F(Latency, EverySampleRenewsTheTtlAndIdlenessForgetsAll) {
  args_.ttl_s = 100;
  Whole(5);
  now_ += std::chrono::seconds(99);
  Whole(7);
  now_ += std::chrono::seconds(99);
  EXPECT_NEAR(Of(), 6, 1e-6);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(Of(), 0);
  Whole(1);
  EXPECT_NEAR(Of(), 1, 1e-6) << "the old samples are gone";
}

TEST_F(Latency, NonsenseIsNoSample) {
  Whole(1);
  Whole(-5);
  EXPECT_NEAR(Of(), 1, 1e-6);
}

TEST_F(Latency, ThreadsWriteWithoutHarm) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      AttemptOutcome outcome;
      outcome.duration = FromSeconds(2);
      outcome.first_token = FromSeconds(1);
      for (int i = 0; i < 2000; ++i) {
        RecordLatency(state_, rings_, args_, outcome, now_ + std::chrono::milliseconds(i));
        const double seen = LatencyOf(state_, false, now_);
        EXPECT_TRUE(seen == 0 || (seen > 1.99 && seen < 2.01)) << seen;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NEAR(Of(), 2, 1e-6);
  EXPECT_NEAR(Of(true), 1, 1e-6);
}

}  // namespace
}  // namespace gw::routing
