// Which callbacks does a configuration switch on, and what does it say about those that it cannot?
#include "config/callback_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_text_test_kit.h"
#include "config/snapshot.h"

namespace gw::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class CallbackSettingsTest : public testing::Test {
 protected:
  CallbackSettings Read(std::string_view text, const Variables& variables = {}) {
    const Loaded loaded = LoadText(text, variables);
    findings_.clear();
    for (const Finding& finding : loaded.findings) findings_ += finding.path + ": " + finding.message + "\n";
    EXPECT_NE(loaded.snapshot, nullptr) << "a callback never forbids the start: " << findings_;
    return loaded.snapshot == nullptr ? CallbackSettings{} : loaded.snapshot->telemetry.callbacks;
  }

  std::string findings_;
};

TEST_F(CallbackSettingsTest, NothingIsOnByItself) {
  const CallbackSettings settings = Read("litellm_settings: {callbacks: [prometheus]}");
  EXPECT_FALSE(settings.any || settings.wants_content || settings.wants_starts);
}

TEST_F(CallbackSettingsTest, TheListDecidesAboutTheOutcome) {
  const Variables variables = {{"GENERIC_LOGGER_ENDPOINT", "http://h/x"}, {"GENERIC_LOGGER_HEADERS", "a=b, c = d=e,bad"}};
  CallbackSettings settings = Read("litellm_settings: {failure_callback: [generic_api]}", variables);
  ASSERT_EQ(settings.generic.size(), 1u);
  EXPECT_TRUE(settings.generic[0].events.failure && !settings.generic[0].events.success);
  EXPECT_THAT(settings.generic[0].headers, ElementsAre(Pair("a", "b"), Pair("c", "d=e")));
  EXPECT_TRUE(settings.any && settings.wants_content);
  settings = Read("litellm_settings: {callbacks: [generic_api], success_callback: [generic_api]}", variables);
  ASSERT_EQ(settings.generic.size(), 1u) << "named twice, told once";
  EXPECT_TRUE(settings.generic[0].events.failure && settings.generic[0].events.success);
}

TEST_F(CallbackSettingsTest, WhatIsMissingIsNamedAndLeftOut) {
  const CallbackSettings settings =
      Read("litellm_settings: {callbacks: [generic_api, langfuse, datadog, datadog_metrics, s3_v2]}\n"
           "general_settings: {alerting: [slack, ms_teams, webhook]}");
  EXPECT_FALSE(settings.any);
  for (const char* name : {"GENERIC_LOGGER_ENDPOINT", "LANGFUSE_PUBLIC_KEY", "DD_API_KEY", "s3_bucket_name",
                           "SLACK_WEBHOOK_URL", "MS_TEAMS_WEBHOOK_URL", "budget events"}) {
    EXPECT_THAT(findings_, HasSubstr(name));
  }
}

TEST_F(CallbackSettingsTest, NamesOfTheOperator) {
  const CallbackSettings settings = Read(
      "litellm_settings: {callbacks: [mine]}\n"
      "callback_settings:\n"
      "  mine: {callback_type: generic_api, endpoint: \"https://h/x\", headers: {Authorization: os.environ/T},\n"
      "         event_types: [llm_api_failure], log_format: ndjson, max_retries: 0, timeout: 3}",
      {{"T", "Bearer secret"}});
  ASSERT_EQ(settings.generic.size(), 1u) << findings_;
  const GenericApiSettings& mine = settings.generic[0];
  EXPECT_EQ(mine.name, "mine");
  EXPECT_FALSE(mine.events.success);
  EXPECT_EQ(mine.format, GenericApiSettings::Format::kNdjson);
  EXPECT_EQ(mine.retries_max, 0);
  EXPECT_THAT(mine.headers, Contains(Pair("Authorization", "Bearer secret")));
  EXPECT_THAT(findings_, Not(HasSubstr("secret")));
}

TEST_F(CallbackSettingsTest, S3Addresses) {
  const Variables keys = {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}, {"AWS_REGION", "eu-west-1"}};
  const auto url = [&](const std::string& more) {
    const auto settings =
        Read("litellm_settings: {callbacks: [s3], s3_callback_params: {s3_bucket_name: logs" + more + "}}", keys);
    return settings.s3 ? settings.s3->url : findings_;
  };
  EXPECT_EQ(url(""), "https://logs.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url(", s3_region_name: cn-north-1"), "https://logs.s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(url(", s3_endpoint_url: \"http://minio:9000/\""), "http://minio:9000");
  EXPECT_EQ(url(", s3_endpoint_url: \"http://minio:9000\", s3_use_virtual_hosted_style: true"), "http://logs.minio:9000");
  (void)url(", s3_aws_role_name: r");
  EXPECT_THAT(findings_, HasSubstr("s3_aws_role_name: accepted but not implemented"));
}

TEST_F(CallbackSettingsTest, WhatCannotStandInARequestIsNamedAndLeftOut) {
  const CallbackSettings settings = Read(
      "litellm_settings: {callbacks: [mine, langfuse]}\n"
      "callback_settings:\n"
      "  mine: {callback_type: generic_api, endpoint: \"https://h/x\",\n"
      "         headers: {A: os.environ/T, B: os.environ/BAD, Host: v1, content-length: v2, C: plain}}",
      {{"T", " Bearer t1\n"}, {"BAD", "private\r\nx: y"}, {"LANGFUSE_PUBLIC_KEY", "pk\n"},
       {"LANGFUSE_SECRET_KEY", " sk "}, {"GENERIC_LOGGER_HEADERS", "transfer-encoding=chunked,d=e"}});
  ASSERT_EQ(settings.generic.size(), 1u) << findings_;
  EXPECT_THAT(settings.generic[0].headers, ElementsAre(Pair("A", "Bearer t1"), Pair("C", "plain"), Pair("d", "e")));
  EXPECT_THAT(findings_, HasSubstr("callback_settings.mine.headers: the header 'B'"));
  EXPECT_THAT(findings_, HasSubstr("GENERIC_LOGGER_HEADERS: the header 'transfer-encoding'"));
  EXPECT_THAT(findings_, Not(HasSubstr("private")));
  ASSERT_TRUE(settings.langfuse) << findings_;
  EXPECT_EQ(settings.langfuse->public_key + settings.langfuse->secret_key, "pksk");
}

TEST_F(CallbackSettingsTest, UnusableAddressesAreNamedNotShown) {
  const Variables variables = {{"LANGFUSE_PUBLIC_KEY", "pk"},   {"LANGFUSE_SECRET_KEY", "sk"},
                               {"LANGFUSE_HOST", "ftp://priv"}, {"SLACK_WEBHOOK_URL", "hooks/priv"},
                               {"AWS_ACCESS_KEY_ID", "a"},      {"AWS_SECRET_ACCESS_KEY", "b"},
                               {"AWS_REGION", "eu-west-1"}};
  const CallbackSettings settings = Read(
      "litellm_settings: {callbacks: [langfuse, s3], s3_callback_params: {s3_bucket_name: logs,\n"
      "                   s3_endpoint_url: \"minio:9000\", s3_use_virtual_hosted_style: true}}\n"
      "general_settings: {alerting: [slack]}",
      variables);
  EXPECT_FALSE(settings.any) << settings.langfuse.has_value() << settings.s3.has_value() << settings.alerts.has_value();
  for (const char* name : {"LANGFUSE_HOST", "s3_endpoint_url", "SLACK_WEBHOOK_URL"}) {
    EXPECT_THAT(findings_, HasSubstr(name));
  }
  EXPECT_THAT(findings_, Not(HasSubstr("priv")));
}

TEST_F(CallbackSettingsTest, AlertsAndTheirAddresses) {
  const CallbackSettings settings = Read(
      "general_settings:\n"
      "  alerting: [slack]\n"
      "  alerting_threshold: 7\n"
      "  alerting_args: {minor_outage_alert_threshold: 2}\n"
      "  alert_types: [llm_exceptions, budget_alerts, llm_slow]\n"
      "  alert_to_webhook_url: {llm_exceptions: [os.environ/ONE, \"http://two/\"]}",
      {{"ONE", "http://one/secret"}});
  ASSERT_TRUE(settings.alerts) << findings_;
  EXPECT_THAT(settings.alerts->urls_by_type.at("llm_exceptions"), ElementsAre("http://one/secret", "http://two/"));
  EXPECT_EQ(settings.alerts->threshold_s, 7);
  EXPECT_EQ(settings.alerts->minor_outage_threshold, 2);
  EXPECT_FALSE(settings.wants_starts) << "nobody asked for hanging requests";
  EXPECT_FALSE(settings.wants_content) << "alerts quote nothing";
  EXPECT_THAT(findings_, HasSubstr("unknown alert type 'llm_slow'"));
  EXPECT_THAT(findings_, HasSubstr("budget_alerts is never sent"));
  EXPECT_THAT(findings_, Not(HasSubstr("secret")));
  EXPECT_THAT(findings_, Not(HasSubstr("not replaced in a plain list item")));
}

}  // namespace
}  // namespace gw::config
