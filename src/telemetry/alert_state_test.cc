// Which records and which silence give an alert, and how often?
#include "telemetry/alert_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "telemetry/alert_fold.h"
#include "telemetry/record_test_kit.h"

namespace gw::telemetry {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AlertStateTest : public testing::Test {
 protected:
  static config::AlertSettings Settings() {
    config::AlertSettings settings;
    settings.types = {"llm_exceptions", "llm_too_slow",        "llm_requests_hanging", "outage_alerts",
                      "daily_reports",  "cooldown_deployment", "region_outage_alerts"};
    settings.threshold_s = 30;
    return settings;
  }
  static auto Is(std::string_view type, std::string_view text) {
    return AllOf(Field(&Alert::type, std::string(type)), Field(&Alert::text, HasSubstr(std::string(text))));
  }
  // Types of what waits.
  std::vector<std::string> Types() { return Types(state_); }
  static std::vector<std::string> Types(AlertState& state) {
    std::vector<std::string> types;
    for (const Alert& alert : state.Take()) types.push_back(alert.type);
    return types;
  }
  void Start(uint64_t id, double at) {
    RequestRecord record = kit_.Chat();
    record.kind = RequestRecord::Kind::kStarted;
    record.id = id;
    record.arrived = At(at);
    state_.OnRecord(record);
  }

  const RecordKit kit_;
  AlertState state_{Settings(), At(0)};
};

TEST_F(AlertStateTest, ARequestThatHangsIsToldOnce) {
  Start(1, 0);
  Start(2, 1);
  RequestRecord end = kit_.Chat();
  end.id = 2;
  state_.OnRecord(end);
  state_.OnTick(At(29.9));
  EXPECT_THAT(state_.Take(), IsEmpty());
  state_.OnTick(At(30));
  EXPECT_THAT(state_.Take(), ElementsAre(AllOf(Is("llm_requests_hanging", "Requests are hanging - 30s+ request time"),
                                               Field(&Alert::text, HasSubstr("Request Model: `group-a`")))));
  state_.OnTick(At(60));
  EXPECT_THAT(state_.Take(), IsEmpty());
}

TEST_F(AlertStateTest, WhatBeganBeforeALossIsNotToldAsHanging) {
  Start(1, 0);
  state_.OnLost();
  Start(2, 1);
  state_.OnTick(At(40));
  EXPECT_THAT(Types(), ElementsAre("llm_requests_hanging"));
}

TEST_F(AlertStateTest, WhatHasEndedTakesNoRoomFromWhatHangs) {
  RequestRecord end = kit_.Chat();
  for (uint64_t id = 1; id <= limits::kTelemetryStartsMax; ++id) {
    Start(id, 0);
    end.id = id;
    state_.OnRecord(end);
  }
  Start(limits::kTelemetryStartsMax + 1, 1);
  state_.OnTick(At(31));
  EXPECT_THAT(Types(), ElementsAre("llm_requests_hanging"));
}

TEST_F(AlertStateTest, TextsOfUpstreamsAreNotToldThoseOfTheGatewayAre) {
  RequestRecord record = kit_.Failure();
  record.error_message = "invalid prompt 'private words'";
  record.requested_model = "a`b\nc";
  state_.OnRecord(record);
  const std::vector<Alert> alerts = state_.Take();
  EXPECT_THAT(alerts, ElementsAre(Is("llm_exceptions", "failed: `InternalServerError: status 500`")));
  EXPECT_THAT(alerts[0].text, AllOf(Not(HasSubstr("private")), HasSubstr("model_group: `ab c`")));
  record.attempts.clear();
  record.error_class = ErrorClassName(ErrorClass::kNoDeployments);
  record.error_message = "No deployments available";
  state_.OnRecord(record);
  EXPECT_THAT(state_.Take(), ElementsAre(Is("llm_exceptions", "No deployments available`")));
}

TEST(AlertFold, TheSameIsOneTextAndAStormIsTen) {
  AlertFold fold;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fold.Add({"llm_too_slow", "Low", "first " + std::to_string(i), "dep"}));
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(fold.Add({"llm_exceptions", "High", "text", std::to_string(i)}));
  const std::vector<AlertFold::Folded> folded = fold.Take();
  ASSERT_EQ(folded.size(), 12u);
  EXPECT_EQ(folded[9].first.text, "text");
  EXPECT_EQ(folded[10].first.text, "and 15 more");
  EXPECT_EQ(folded[10].first.type, "llm_exceptions");
  EXPECT_EQ(folded[11].first.text, "first 0");
  EXPECT_EQ(folded[11].count, 3u);
  EXPECT_TRUE(fold.empty());
}

TEST(SlackText, HoldsNoMentionAndNoLink) {
  EXPECT_EQ(SlackText("Model: `<!channel>` & <http://x|y>"), "Model: `&lt;!channel&gt;` &amp; &lt;http://x|y&gt;");
}

TEST_F(AlertStateTest, ASlowAnswerNamesModelAndAddressButNoMessage) {
  RequestRecord record = kit_.Chat();
  record.finished = At(30);
  state_.OnRecord(record);
  EXPECT_THAT(state_.Take(), IsEmpty()) << "the threshold itself is not above it";
  record.finished = At(40.126);
  state_.OnRecord(record);
  const std::vector<Alert> alerts = state_.Take();
  EXPECT_THAT(alerts, ElementsAre(Is("llm_too_slow", "Responses are slow - 40.13s response time > Alerting threshold: 30s")));
  EXPECT_THAT(alerts[0].text, AllOf(HasSubstr("API Base: `http://upstream/v1`"), Not(HasSubstr("hi"))));
}

TEST_F(AlertStateTest, WhatAClientDidWrongIsNoAlert) {
  RequestRecord record = kit_.Failure();
  record.attempts.clear();
  record.status = 400;
  record.error_class = "ModelNotFoundError";
  state_.OnRecord(record);
  EXPECT_THAT(state_.Take(), IsEmpty());
  record.error_class = ErrorClassName(ErrorClass::kNoDeployments);
  record.status = 429;
  state_.OnRecord(record);
  EXPECT_THAT(Types(), ElementsAre("llm_exceptions"));
  record.outcome = RequestRecord::Outcome::kAbandoned;
  state_.OnRecord(record);
  EXPECT_THAT(state_.Take(), IsEmpty());
}

TEST_F(AlertStateTest, OutagesAreMinorThenMajorAndForgottenAfterTheirTime) {
  for (int i = 0; i < 4; ++i) state_.OnRecord(kit_.Failure(i));
  EXPECT_THAT(Types(), testing::Each("llm_exceptions"));
  state_.OnRecord(kit_.Failure(5));
  EXPECT_THAT(state_.Take(), ElementsAre(Is("outage_alerts", "*Minor Service Outage*"), Is("llm_exceptions", "InternalServerError: status 500")));
  for (int i = 6; i < 10; ++i) state_.OnRecord(kit_.Failure(i));
  (void)state_.Take();
  state_.OnRecord(kit_.Failure(11));
  EXPECT_THAT(state_.Take(), testing::Contains(Is("outage_alerts", "API Errors: 10")));
  for (int i = 100; i < 104; ++i) state_.OnRecord(kit_.Failure(i));
  EXPECT_THAT(Types(), testing::Each("llm_exceptions")) << "a new window begins";
}

TEST_F(AlertStateTest, ARegionIsOutWhenTwoOfItsDeploymentsAre) {
  config::AlertSettings settings = Settings();
  settings.types = {"region_outage_alerts"};
  settings.minor_outage_threshold = 2;
  AlertState state(settings, At(0));
  state.OnRecord(kit_.Failure(1));
  state.OnRecord(kit_.Failure(2));
  EXPECT_THAT(state.Take(), IsEmpty()) << "one bad deployment is no region";
  RequestRecord other = kit_.Failure(3);
  other.attempts = {kit_.Attempt(1, AttemptRecord::Outcome::kFailed, 2.5, 3, 408)};
  state.OnRecord(other);
  EXPECT_THAT(state.Take(), ElementsAre(AllOf(Is("outage_alerts", "*Region Name:* `eu`"),
                                              Field(&Alert::text, HasSubstr("Timeout Errors: 1")))));
}

TEST_F(AlertStateTest, ClientErrorsOfAnUpstreamAreNoOutage) {
  for (int i = 0; i < 10; ++i) {
    RequestRecord record = kit_.Failure(i);
    record.attempts[0].status = 429;
    state_.OnRecord(record);
  }
  EXPECT_THAT(Types(), testing::Each("llm_exceptions"));
}

TEST_F(AlertStateTest, ACooldownIsToldOnceAMinute) {
  RequestRecord record = kit_.Failure();
  record.attempts[0].cooldown_started = true;
  state_.OnRecord(record);
  EXPECT_THAT(state_.Take(), testing::Contains(Is("cooldown_deployment", "model_id: `dep-a`")));
  state_.OnRecord(record);
  EXPECT_THAT(Types(), Not(testing::Contains("cooldown_deployment")));
}

TEST_F(AlertStateTest, TheDailyReportComesWhenItIsDueAndSomethingHappened) {
  state_.OnTick(At(13 * 3600));
  EXPECT_THAT(state_.Take(), IsEmpty());
  RequestRecord record = kit_.Chat();
  state_.OnRecord(record);
  state_.OnTick(At(26 * 3600));
  EXPECT_THAT(state_.Take(), ElementsAre(Is("daily_reports", "Latency per output token: `0.875s/token`")));
}

// After a reload alerting began anew: what hung was forgotten, an outage counted from nothing and a daily
// report never came where reloads are frequent.
TEST_F(AlertStateTest, AReloadForgetsNothingThatItsSettingsStillShape) {
  Start(1, 0);
  Start(2, 1);
  for (int i = 0; i < 4; ++i) state_.OnRecord(kit_.Failure(i));
  RequestRecord cooled = kit_.Chat();
  cooled.attempts[0].cooldown_started = true;
  state_.OnRecord(cooled);
  (void)state_.Take();
  config::AlertSettings settings = Settings();
  settings.flush_interval_s = 1;
  AlertState after(settings, At(10));
  after.Inherit(state_, {"dep-a", "dep-b"});
  RequestRecord end = kit_.Chat();
  end.id = 2;
  end.attempts.clear();
  after.OnRecord(end);
  after.OnRecord(cooled);
  EXPECT_THAT(after.Take(), IsEmpty()) << "the cooldown has been told";
  after.OnRecord(kit_.Failure(5));
  EXPECT_THAT(after.Take(), testing::Contains(Is("outage_alerts", "*Errors:*\nAPI Errors: 5")));
  after.OnTick(At(40));
  EXPECT_THAT(Types(after), ElementsAre("llm_requests_hanging")) << "the one that has not ended";
  after.OnTick(At(12 * 3600));
  EXPECT_THAT(after.Take(), ElementsAre(Is("daily_reports", "Failed Requests: `5`")));
}

TEST_F(AlertStateTest, AReloadForgetsWhatOtherSettingsShapedAndWhoIsGone) {
  const auto errors_told = [&](const config::AlertSettings& settings, const std::set<std::string_view>& ids) {
    AlertState before(Settings(), At(0));
    for (int i = 0; i < 4; ++i) before.OnRecord(kit_.Failure(i));
    AlertState after(settings, At(4));
    after.Inherit(before, ids);
    after.OnRecord(kit_.Failure(5));
    const std::vector<std::string> types = Types(after);
    return std::count(types.begin(), types.end(), "outage_alerts");
  };
  EXPECT_EQ(errors_told(Settings(), {"dep-a"}), 1);
  EXPECT_EQ(errors_told(Settings(), {"dep-b"}), 0);
  config::AlertSettings other = Settings();
  other.outage_ttl_s = 90;
  EXPECT_EQ(errors_told(other, {"dep-a"}), 0);
  other = Settings();
  other.minor_outage_threshold = 4;
  EXPECT_EQ(errors_told(other, {"dep-a"}), 0);
  Start(1, 0);
  other.types = {"llm_requests_hanging"};
  AlertState silent({}, At(1)), again(other, At(2));
  silent.Inherit(state_, {"dep-a"});
  again.Inherit(silent, {"dep-a"});
  again.OnTick(At(60));
  EXPECT_THAT(again.Take(), IsEmpty()) << "nobody was told of ends in between";
}

TEST_F(AlertStateTest, ARegionSurvivesAReloadWithThoseOfItsDeploymentsThatDo) {
  config::AlertSettings settings = Settings();
  settings.types = {"region_outage_alerts"};
  settings.minor_outage_threshold = 2;
  RequestRecord other = kit_.Failure(3);
  other.attempts = {kit_.Attempt(1, AttemptRecord::Outcome::kFailed, 2.5, 3, 408)};
  for (const bool stays : {true, false}) {
    AlertState before(settings, At(0)), after(settings, At(2));
    before.OnRecord(kit_.Failure(1));
    after.Inherit(before, stays ? std::set<std::string_view>{"dep-a", "dep-b"} : std::set<std::string_view>{"dep-b"});
    after.OnRecord(other);
    EXPECT_EQ(Types(after).size(), stays ? 1u : 0u);
  }
}

TEST_F(AlertStateTest, TypesThatAreNotWantedStaySilent) {
  config::AlertSettings settings = Settings();
  settings.types = {"daily_reports"};
  AlertState state(settings, At(0));
  for (int i = 0; i < 20; ++i) state.OnRecord(kit_.Failure(i));
  EXPECT_THAT(state.Take(), IsEmpty());
}

}  // namespace
}  // namespace gw::telemetry
