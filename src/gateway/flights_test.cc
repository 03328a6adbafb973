#include "gateway/flights.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace gw::gateway {
namespace {

using Outcome = Flights::Outcome;

cache::EntryPtr Make(std::string body) {
  auto entry = std::make_shared<cache::Entry>();
  entry->body = std::move(body);
  return entry;
}

// Requests of one loop, run by hand: what they got, in order.
struct Traveller {
  explicit Traveller(net::EventLoop& l) : loop(l) {}
  net::EventLoop& loop;
  net::CancelSlot gone;
  std::atomic<bool> done{false};
  Outcome outcome = Outcome::kAlone;
  std::optional<Flights::Lead> lead;
  cache::EntryPtr entry;
};

net::Task<void> Travel(Flights& flights, std::string key, Traveller& traveller, Duration wait) {
  Flights::Joined joined = co_await flights.Join(std::move(key), traveller.loop, traveller.gone, wait);
  traveller.outcome = joined.outcome;
  if (joined.lead) traveller.lead.emplace(std::move(*joined.lead));
  traveller.entry = joined.entry;
  traveller.done = true;
}

class FlightsTest : public testing::Test {
 protected:
  void Start(Traveller& traveller, Duration wait = std::chrono::seconds(30)) {
    net::Spawn(Travel(flights_, "key", traveller, wait));
  }
  // Runs the loop once: each act after everything that the one before it posted.
  void Play(std::vector<std::function<void()>> acts) {
    acts_ = std::move(acts);
    Step(0);
    loop_.Run();
  }

  net::EventLoop loop_{0};
  Flights flights_;
  Traveller first_{loop_}, second_{loop_}, third_{loop_};

 private:
  void Step(size_t at) {
    if (at == acts_.size()) return loop_.Stop();
    acts_[at]();
    loop_.Post([this, at] { loop_.Post([this, at] { Step(at + 1); }); });
  }
  std::vector<std::function<void()>> acts_;
};

TEST_F(FlightsTest, TheFirstLeadsAndItsAnswerIsEverybodys) {
  Start(first_);
  Start(second_);
  Start(third_);
  ASSERT_EQ(first_.outcome, Outcome::kLead);
  EXPECT_FALSE(second_.done);
  const cache::EntryPtr entry = Make("x");
  Play({[&] { first_.lead->Publish(entry); }});
  EXPECT_EQ(second_.outcome, Outcome::kAnswer);
  EXPECT_EQ(second_.entry, entry);
  EXPECT_EQ(third_.entry, entry);
  EXPECT_EQ(flights_.size(), 0U);
}

TEST_F(FlightsTest, WhenTheLeaderFailsOneFollowerTakesOver) {
  Start(first_);
  Start(second_);
  Start(third_);
  Play({[&] { first_.lead.reset(); },
        [&] {
          ASSERT_EQ(second_.outcome, Outcome::kLead);
          EXPECT_FALSE(third_.done) << "one, not all";
          second_.lead->Publish(Make("y"));
        }});
  ASSERT_NE(third_.entry, nullptr);
  EXPECT_EQ(third_.entry->body, "y");
}

TEST_F(FlightsTest, AFollowerThatLeftIsPassedOver) {
  Start(first_);
  Start(second_);
  Start(third_);
  second_.gone.Fire();
  EXPECT_EQ(second_.outcome, Outcome::kGone);
  Play({[&] { first_.lead.reset(); }, [] {},  // the post to the one that left, then to the next
        [&] {
          EXPECT_EQ(third_.outcome, Outcome::kLead);
          third_.lead.reset();
        }});
  EXPECT_EQ(flights_.size(), 0U);
}

TEST_F(FlightsTest, WhoHasWaitedLongEnoughGoesAlone) {
  Start(first_);
  Start(second_, std::chrono::milliseconds(1));
  loop_.timers().Advance(SteadyClock::now() + std::chrono::seconds(1));
  EXPECT_EQ(second_.outcome, Outcome::kAlone);
  EXPECT_TRUE(second_.done);
  Play({[&] { first_.lead->Publish(Make("late")); }});
  EXPECT_EQ(second_.entry, nullptr);
}

TEST(FlightsAcrossLoops, EveryoneGetsOneOfTheAnswers) {
  constexpr int kLoops = 3, kPerLoop = 300;
  Flights flights;
  std::atomic<int> leads{0}, answers{0};
  struct Run {
    static net::Task<void> One(Flights& f, net::EventLoop& loop, int i, std::atomic<int>& l, std::atomic<int>& a,
                               std::atomic<int>& left) {
      net::CancelSlot gone;
      Flights::Joined joined =
          co_await f.Join("k" + std::to_string(i % 7), loop, gone, std::chrono::seconds(30));
      if (joined.outcome == Outcome::kLead) {
        ++l;
        const bool slept = co_await net::Sleep(loop, std::chrono::milliseconds(i % 3), nullptr);
        if (slept && i % 5 != 0) joined.lead->Publish(Make("k" + std::to_string(i % 7)));
        joined.lead.reset();  // every fifth one fails
      } else {
        EXPECT_EQ(joined.entry->body, "k" + std::to_string(i % 7));
        ++a;
      }
      if (--left == 0) loop.Stop();
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kLoops; ++t) {
    threads.emplace_back([&, t] {
      net::EventLoop loop(static_cast<uint32_t>(t));
      std::atomic<int> left{kPerLoop};
      loop.Post([&] {
        for (int i = 0; i < kPerLoop; ++i) net::Spawn(Run::One(flights, loop, i, leads, answers, left));
      });
      loop.Run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(leads + answers, kLoops * kPerLoop);
  EXPECT_GE(leads, 7);
  EXPECT_EQ(flights.size(), 0U);
}

}  // namespace
}  // namespace gw::gateway
