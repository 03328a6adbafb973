// A name that is being resolved: whoever waits can give up at once. The loop never runs here, so
// no answer of the resolver can come in between.
#include "net/dial.h"

#include <gtest/gtest.h>

#include <optional>

namespace gw::net {
namespace {

constexpr auto kSoon = std::chrono::seconds(5);

struct Dialling {
  EventLoop loop{0};
  CancelSlot gone;
  std::optional<DialResult> result;
  Resolver resolver;  // joined first: its late answers are posted to the loop
  DnsCache dns{loop, resolver};
  DialTarget target{.host = "never-resolved.invalid", .port = 80, .tls = nullptr};

  void Begin(TimePoint deadline) { Spawn(Run(*this, deadline)); }
  static Task<void> Run(Dialling& self, TimePoint deadline) {
    self.result = co_await Dial(self.loop, self.dns, self.target, deadline, &self.gone);
  }
};

TEST(Dial, AClientThatLeavesEndsTheLookupAtOnce) {
  Dialling dialling;
  dialling.Begin(SteadyClock::now() + kSoon);
  ASSERT_FALSE(dialling.result.has_value());
  dialling.gone.Fire();
  ASSERT_TRUE(dialling.result.has_value());
  EXPECT_EQ(dialling.result->status, IoStatus::kCancelled);
  EXPECT_EQ(dialling.result->stream, nullptr);
}

TEST(Dial, TheDeadlineEndsTheLookupToo) {
  Dialling dialling;
  const TimePoint deadline = SteadyClock::now() + kSoon;
  dialling.Begin(deadline);
  dialling.loop.timers().Advance(deadline - std::chrono::seconds(1));
  ASSERT_FALSE(dialling.result.has_value());
  dialling.loop.timers().Advance(deadline + std::chrono::seconds(1));
  ASSERT_TRUE(dialling.result.has_value());
  EXPECT_EQ(dialling.result->status, IoStatus::kTimeout);
}

}  // namespace
}  // namespace gw::net
