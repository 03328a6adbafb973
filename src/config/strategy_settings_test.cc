#include "config/strategy_settings.h"

#include <gtest/gtest.h>

namespace gw::config {
namespace {

TEST(Periods, UnitsOfLiteLlm) {
  EXPECT_EQ(ParsePeriod("30s"), 30);
  EXPECT_EQ(ParsePeriod("2m"), 120);
  EXPECT_EQ(ParsePeriod("12h"), 43'200);
  EXPECT_EQ(ParsePeriod("1d"), 86'400);
  EXPECT_EQ(ParsePeriod("1mo"), 30 * 86'400.0);
  for (const char* bad : {"", "d", "0d", "-1d", "1", "1y", "1 d", "1.5d", "999999999999999999d"}) {
    EXPECT_FALSE(ParsePeriod(bad).has_value()) << bad;
  }
}

TEST(TimeOfDay, HoursAndMinutes) {
  EXPECT_EQ(ParseTimeOfDay("00:00"), 0);
  EXPECT_EQ(ParseTimeOfDay("7:30"), 27'000);
  EXPECT_EQ(ParseTimeOfDay("23:59"), 86'340);
  for (const char* bad : {"", "24:00", "12:60", "1200", "12:5", ":30", "123:00", "12:-1", "a:bc"}) {
    EXPECT_FALSE(ParseTimeOfDay(bad).has_value()) << bad;
  }
}

TEST(Affinity, NamesOfTheChecks) {
  EXPECT_EQ(AffinityOf("session_affinity"), kSessionAffinity);
  EXPECT_EQ(AffinityOf("deployment_affinity"), kDeploymentAffinity);
  EXPECT_EQ(AffinityOf("prompt_caching"), kPromptCaching);
  EXPECT_EQ(AffinityOf("enforce_model_rate_limits"), 0);
}

}  // namespace
}  // namespace gw::config
