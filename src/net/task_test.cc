// What escapes from a task: it is thrown again where the task is awaited, frames unwind, and a
// spawned task ends alone.
#include "net/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gw::net {
namespace {

// Suspends until somebody resumes it by hand.
struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) { waiter = h; }
  void await_resume() const noexcept {}
  void Open() { std::exchange(waiter, {}).resume(); }
};

struct Held {
  explicit Held(int& count) : count_(count) { ++count_; }
  ~Held() { --count_; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  int& count_;
};

Task<int> Fails(Gate* gate, int* held) {
  const Held here(*held);
  if (gate != nullptr) co_await *gate;
  std::string text;
  text.reserve(text.max_size() + 1);  // std::length_error
  co_return 1;
}

Task<int> Passes(Gate* gate, int* held) {
  const Held here(*held);
  const int value = co_await Fails(gate, held);
  co_return value;
}

Task<void> Catches(Gate* gate, int* held, std::vector<std::string>* log) {
  try {
    (void)co_await Passes(gate, held);
    log->push_back("no exception");
  } catch (const std::length_error&) {
    log->push_back("length_error");
  }
  log->push_back("held " + std::to_string(*held));
}

Task<void> FailsVoid(Gate* gate, int* held) {
  const Held here(*held);
  (void)co_await Fails(gate, held);
}

TEST(Task, ThrowsAgainWhereItIsAwaitedAndUnwindsWhatItHeld) {
  int held = 0;
  std::vector<std::string> log;
  Spawn(Catches(nullptr, &held, &log));
  EXPECT_EQ(log, (std::vector<std::string>{"length_error", "held 0"}));
}

TEST(Task, DoesSoAfterAWaitToo) {
  int held = 0;
  Gate gate;
  std::vector<std::string> log;
  Spawn(Catches(&gate, &held, &log));
  EXPECT_EQ(held, 2);
  EXPECT_TRUE(log.empty());
  gate.Open();
  EXPECT_EQ(log, (std::vector<std::string>{"length_error", "held 0"}));
}

TEST(Task, SpawnedEndsAloneAndGivesBackWhatItHeld) {
  int held = 0;
  Gate gate;
  Spawn(FailsVoid(&gate, &held));
  EXPECT_EQ(held, 2);
  gate.Open();  // nothing is thrown here
  EXPECT_EQ(held, 0);
  Spawn(FailsVoid(nullptr, &held));
  EXPECT_EQ(held, 0);
}

TEST(Task, NamesWhatWasThrown) {
  try {
    std::string text;
    text.reserve(text.max_size() + 1);
  } catch (...) {
    EXPECT_NE(WhatOf(std::current_exception()), "");
  }
}

}  // namespace
}  // namespace gw::net
