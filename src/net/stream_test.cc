// A write that does not end is cut off by its guard; one that is done at once costs none.
#include "net/stream.h"

#include <gtest/gtest.h>

#include <optional>

#include "net/task.h"

namespace gw::net {
namespace {

// A peer that takes everything or nothing.
class Peer final : public Stream {
 public:
  explicit Peer(bool takes) : takes_(takes) {}
  bool StartRead(std::span<char>, IoOp&) override { return false; }
  bool StartWrite(std::span<const std::string_view> pieces, IoOp& op) override {
    waiting_ = takes_ ? nullptr : &op;
    if (takes_) op.result = {pieces[0].size(), IoStatus::kOk};
    return takes_;
  }
  void Cancel() override { std::exchange(waiting_, nullptr)->Complete({0, IoStatus::kCancelled}); }
  [[nodiscard]] const std::string& peer_address() const override { return address_; }

 private:
  const bool takes_;
  IoOp* waiting_ = nullptr;
  std::string address_;
};

struct Writing {
  explicit Writing(bool takes) : peer(takes) {}
  const TimePoint begin{};
  TimerWheel wheel{begin};
  Peer peer;
  Deadline guard{wheel, [](void* self) { static_cast<Writing*>(self)->peer.Cancel(); }, this};
  std::optional<IoResult> result;

  static Task<void> Run(Writing& self) {
    const std::string_view piece = "abc";
    WriteAll writing(self.peer, {&piece, 1});
    writing.Guard(self.guard, self.begin + std::chrono::seconds(2));
    self.result = co_await writing;
    self.guard.Disarm();
  }
};

TEST(WriteAll, TheGuardEndsAWriteThatNobodyTakes) {
  Writing writing(false);
  Spawn(Writing::Run(writing));
  ASSERT_TRUE(writing.guard.armed());
  writing.wheel.Advance(writing.begin + std::chrono::seconds(1));
  ASSERT_FALSE(writing.result.has_value());
  writing.wheel.Advance(writing.begin + std::chrono::seconds(3));
  ASSERT_TRUE(writing.result.has_value());
  EXPECT_EQ(writing.result->status, IoStatus::kCancelled);
}

TEST(WriteAll, WhatIsTakenAtOnceNeedsNoGuard) {
  Writing writing(true);
  Spawn(Writing::Run(writing));
  ASSERT_TRUE(writing.result.has_value());
  EXPECT_EQ(writing.result->bytes, 3U);
  EXPECT_FALSE(writing.guard.armed());
  writing.wheel.Advance(writing.begin + std::chrono::seconds(3));
}

}  // namespace
}  // namespace gw::net
