#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gw::net {
namespace {

using std::chrono::milliseconds;

struct Probe {
  int fired = 0;
  static void Fire(void* self) { ++static_cast<Probe*>(self)->fired; }
};

class TimerWheelTest : public ::testing::Test {
 protected:
  TimePoint start_{std::chrono::hours(1)};
  TimerWheel wheel_{start_};
  Probe probe_;
};

TEST_F(TimerWheelTest, FiresOnceNotBeforeItsTimeAndAtMostOneTickLate) {
  Deadline deadline(wheel_, &Probe::Fire, &probe_);
  deadline.Arm(start_ + milliseconds(100));
  wheel_.Advance(start_ + milliseconds(99));
  EXPECT_EQ(probe_.fired, 0);
  wheel_.Advance(start_ + milliseconds(108));
  EXPECT_EQ(probe_.fired, 1);
  wheel_.Advance(start_ + milliseconds(500));
  EXPECT_EQ(probe_.fired, 1);
}

TEST_F(TimerWheelTest, MovingLaterKeepsItFromFiringEarly) {
  Deadline deadline(wheel_, &Probe::Fire, &probe_);
  deadline.Arm(start_ + milliseconds(100));
  deadline.Arm(start_ + milliseconds(300));
  wheel_.Advance(start_ + milliseconds(200));
  EXPECT_EQ(probe_.fired, 0);
  wheel_.Advance(start_ + milliseconds(310));
  EXPECT_EQ(probe_.fired, 1);
}

TEST_F(TimerWheelTest, MovingEarlierFiresEarlier) {
  Deadline deadline(wheel_, &Probe::Fire, &probe_);
  deadline.Arm(start_ + milliseconds(3000));
  deadline.Arm(start_ + milliseconds(50));
  wheel_.Advance(start_ + milliseconds(60));
  EXPECT_EQ(probe_.fired, 1);
}

TEST_F(TimerWheelTest, FarDeadlinesSurviveManyTurns) {
  Deadline deadline(wheel_, &Probe::Fire, &probe_);
  deadline.Arm(start_ + std::chrono::seconds(6000));
  for (int s = 1; s < 6000; s += 7) wheel_.Advance(start_ + std::chrono::seconds(s));
  EXPECT_EQ(probe_.fired, 0);
  wheel_.Advance(start_ + std::chrono::seconds(6000) + milliseconds(8));
  EXPECT_EQ(probe_.fired, 1);
}

TEST_F(TimerWheelTest, DisarmedOrDestroyedNeverFires) {
  auto gone = std::make_unique<Deadline>(wheel_, &Probe::Fire, &probe_);
  Deadline disarmed(wheel_, &Probe::Fire, &probe_);
  gone->Arm(start_ + milliseconds(10));
  disarmed.Arm(start_ + milliseconds(10));
  gone.reset();
  disarmed.Disarm();
  wheel_.Advance(start_ + milliseconds(100));
  EXPECT_EQ(probe_.fired, 0);
  EXPECT_FALSE(wheel_.NextWake());
}

// A connection arms and disarms the same deadline for every message.
TEST_F(TimerWheelTest, ArmedAgainAfterADisarmItFiresAtItsNewTimeOnly) {
  Deadline deadline(wheel_, &Probe::Fire, &probe_);
  deadline.Arm(start_ + milliseconds(100));
  deadline.Disarm();
  deadline.Arm(start_ + milliseconds(300));
  wheel_.Advance(start_ + milliseconds(200));
  EXPECT_EQ(probe_.fired, 0);
  wheel_.Advance(start_ + milliseconds(310));
  EXPECT_EQ(probe_.fired, 1);
  deadline.Arm(start_ + milliseconds(900));
  deadline.Disarm();
  deadline.Arm(start_ + milliseconds(400));
  wheel_.Advance(start_ + milliseconds(410));
  EXPECT_EQ(probe_.fired, 2);
  EXPECT_FALSE(wheel_.NextWake());
}

TEST_F(TimerWheelTest, ACallbackMayDisarmAnotherExpiredDeadline) {
  Deadline victim(wheel_, &Probe::Fire, &probe_);
  Deadline first(wheel_, [](void* self) { static_cast<Deadline*>(self)->Disarm(); }, &victim);
  first.Arm(start_ + milliseconds(10));
  victim.Arm(start_ + milliseconds(10));
  wheel_.Advance(start_ + milliseconds(50));
  EXPECT_EQ(probe_.fired, 0);
  victim.Arm(start_ + milliseconds(60));
  wheel_.Advance(start_ + milliseconds(70));
  EXPECT_EQ(probe_.fired, 1);
}

TEST_F(TimerWheelTest, ACallbackMayDestroyAnotherExpiredDeadline) {
  // What broke once in a prototype: the sweep walked into a freed node.
  struct Killer {
    std::unique_ptr<Deadline> victim;
    static void Fire(void* self) { static_cast<Killer*>(self)->victim.reset(); }
  } killer;
  Deadline first(wheel_, &Killer::Fire, &killer);
  killer.victim = std::make_unique<Deadline>(wheel_, &Probe::Fire, &probe_);
  first.Arm(start_ + milliseconds(10));
  killer.victim->Arm(start_ + milliseconds(10));
  wheel_.Advance(start_ + milliseconds(50));
  EXPECT_EQ(probe_.fired, 0);
  EXPECT_EQ(killer.victim, nullptr);
}

TEST_F(TimerWheelTest, NextWakeFindsTheEarliestSlot) {
  Deadline a(wheel_, &Probe::Fire, &probe_), b(wheel_, &Probe::Fire, &probe_);
  a.Arm(start_ + milliseconds(4000));
  b.Arm(start_ + milliseconds(800));
  ASSERT_TRUE(wheel_.NextWake());
  EXPECT_GE(*wheel_.NextWake(), start_ + milliseconds(800));
  EXPECT_LE(*wheel_.NextWake(), start_ + milliseconds(816));
  wheel_.Advance(start_ + milliseconds(900));
  EXPECT_EQ(probe_.fired, 1);
  EXPECT_GE(*wheel_.NextWake(), start_ + milliseconds(4000));
}

TEST_F(TimerWheelTest, SleepingThroughManyTurnsFiresEverything) {
  std::vector<std::unique_ptr<Deadline>> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(std::make_unique<Deadline>(wheel_, &Probe::Fire, &probe_));
    many.back()->Arm(start_ + milliseconds(i * 50));
  }
  wheel_.Advance(start_ + std::chrono::seconds(100));
  EXPECT_EQ(probe_.fired, 1000);
}

}  // namespace
}  // namespace gw::net
