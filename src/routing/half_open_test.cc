#include "routing/half_open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/cooldown.h"
#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

using ::testing::ElementsAre;

class HalfOpenRow : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.Row("g", "g");
    world_.Row("f", "f");
    world_.Fallback("g", {"f"});
    world_.settings().half_open_probes = true;
    world_.settings().allowed_fails = 0;
    world_.Build();
    controls_.model = "g";
    (void)world_.Run("g", Answers("g=500"));
    EXPECT_TRUE(IsCoolingDown(world_.state().at(0), world_.now()));
    world_.Advance(6);
  }
  std::unique_ptr<RequestRoute> Begin(std::string_view expected) {
    auto route = std::make_unique<RequestRoute>(world_.index(), world_.state(), controls_);
    const Step step = route->Next(world_.now(), world_.random());
    EXPECT_EQ(step.kind, Step::Kind::kAttempt);
    if (step.candidate.deployment != nullptr) {
      EXPECT_EQ(step.candidate.deployment->id, expected);
    }
    return route;
  }
  World world_;
  RequestControls controls_;
};

TEST_F(HalfOpenRow, OthersGoToTheFallbackWhileOneProbes) {
  const auto probe = Begin("g");
  const auto other = Begin("f");
  EXPECT_EQ(world_.state().HealthAt(0, world_.now()), Health::kCompleteOutage);
  probe->OnAttemptSucceeded(world_.now());
  const auto one = Begin("g");
  const auto two = Begin("g");
}

TEST_F(HalfOpenRow, FailedProbeCoolsAtOnceWhateverTheRulesAllow) {
  world_.settings().allowed_fails = 100;
  EXPECT_THAT(world_.Run("g", Answers("g=500")).calls, ElementsAre("g", "f"));
  EXPECT_THAT(world_.Run("g", Always("ok")).calls, ElementsAre("f"));
  world_.Advance(6);
  EXPECT_THAT(world_.Run("g", Always("ok")).calls, ElementsAre("g"));
}

TEST_F(HalfOpenRow, ProbeThatSaysNothingLetsTheNextOneTry) {
  Begin("g")->OnAbandoned();
  Begin("g").reset();
  (void)Begin("g")->OnAttemptFailed(*ErrorFor("400", "openai"), world_.now());
  const auto probe = Begin("g");
  const auto other = Begin("f");
  EXPECT_TRUE(IsHalfOpen(world_.state().at(0)));
}

TEST_F(HalfOpenRow, LongProbeIsNotWaitedForForEver) {
  const auto slow = Begin("g");
  world_.Advance(11);
  const auto next = Begin("g");
  const auto other = Begin("f");
  slow->OnAbandoned();  // must not end the probe of the other request
  const auto another = Begin("f");
  next->OnAttemptSucceeded(world_.now());
  const auto free = Begin("g");
}

TEST(HalfOpenOff, FullTrafficReturns) {
  World world;
  world.Row("g", "g");
  world.settings().allowed_fails = 0;
  world.Row("f", "f");
  world.Fallback("g", {"f"});
  world.Build();
  (void)world.Run("g", Answers("g=500"));
  world.Advance(6);
  EXPECT_FALSE(IsHalfOpen(world.state().at(0)));
}

}  // namespace
}  // namespace gw::routing::testing
