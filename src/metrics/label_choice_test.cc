#include "metrics/label_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "metrics/litellm_metrics.h"
#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

using test::ParseSamples;
using test::Rendered;
using Labels = std::vector<std::string>;

const FamilyRow& Row(std::string_view name) { return *FindSelectable(name); }

LitellmMetricsOptions Options(LabelChoice choice) {
  LitellmMetricsOptions options;
  options.registry.created_series = false;
  options.choice = std::move(choice);
  return options;
}

SuccessRecord Success() {
  SuccessRecord record;
  record.caller.hashed_api_key = "key";
  record.caller.user_agent = "curl/8";
  record.deployment = {"group", "model", "id-1", "http://h/v1", "openai"};
  record.requested_model = "group";
  record.prompt_tokens = 2000;
  record.completion_tokens = record.total_tokens = 1;
  return record;
}

// The samples of one family, their labels as printed.
std::map<std::string, double> SamplesOf(LitellmMetrics& metrics, std::string_view name) {
  auto samples = ParseSamples(Rendered(metrics.registry()));
  std::erase_if(samples, [&](const auto& entry) { return entry.first.substr(0, entry.first.find('{')) != name; });
  return samples;
}

TEST(LabelChoice, NamesAreSanitized) {
  EXPECT_EQ(CustomLabelName("metadata.foo-bar"), "metadata_foo_bar");
  EXPECT_EQ(CustomLabelName("1st"), "_1st");
  EXPECT_EQ(TagLabelName("User-Agent: curl/*"), "tag_User_Agent__curl__");
}

TEST(LabelChoice, OptionalLabelsStandBeforeTheOrganisation) {
  LabelChoice choice;
  choice.metadata_labels = {"metadata.team.name", "team"};  // the second one is there already
  choice.tags = {"prod"};
  choice.input_sequence_length = true;
  const Labels labels = OfferedLabels(Row("litellm_llm_api_latency_metric"), choice);
  const auto org = std::find(labels.begin(), labels.end(), "org_id");
  EXPECT_EQ(Labels(org - 3, labels.end()),
            (Labels{"metadata_team_name", "tag_prod", "input_sequence_length", "org_id", "org_alias"}));
  EXPECT_EQ(std::count(labels.begin(), labels.end(), "team"), 1);
}

TEST(LabelChoice, GaugesAndOurOwnFamiliesTakeNoCustomLabels) {
  LabelChoice choice;
  choice.metadata_labels = {"who"};
  for (const std::string_view name : {"litellm_deployment_state", "litellm_remaining_requests_metric",
                                      "litellm_gw_deployment_attempts", "litellm_callback_logging_failures_metric"}) {
    EXPECT_EQ(OfferedLabels(Row(name), choice), ExpandLabels(Row(name).labels)) << name;
  }
}

TEST(LabelChoice, CallerIdentityReplacesOrFollowsTheAlias) {
  LabelChoice choice;
  choice.caller = LabelChoice::Caller::kEmail;
  const Labels email = OfferedLabels(Row("litellm_deployment_total_requests"), choice);
  EXPECT_EQ(std::count(email.begin(), email.end(), "api_key_alias"), 0);
  EXPECT_EQ(std::count(email.begin(), email.end(), "user_email"), 1);
  choice.caller = LabelChoice::Caller::kBoth;
  const Labels both = OfferedLabels(Row("litellm_overhead_latency_metric"), choice);
  const auto alias = std::find(both.begin(), both.end(), "api_key_alias");
  EXPECT_EQ(*(alias + 1), "user_email");
  EXPECT_EQ(OfferedLabels(Row("litellm_overhead_with_guardrails_latency_metric"), choice),
            ExpandLabels(Row("litellm_overhead_with_guardrails_latency_metric").labels));
}

TEST(LabelChoice, OnlySelectedFamiliesExistAndTheLastSelectionWins) {
  LabelChoice choice;
  choice.has_selections = true;
  choice.selections = {{"litellm_requests_metric", Labels{"model"}},
                       {"litellm_requests_metric", Labels{"hashed_api_key", "model"}}};
  LitellmMetrics metrics(Options(choice), {});
  metrics.OnSuccess(0, Success());
  const std::string text = Rendered(metrics.registry());
  EXPECT_EQ(SamplesOf(metrics, "litellm_requests_metric_total"),
            (std::map<std::string, double>{{R"(litellm_requests_metric_total{hashed_api_key="key",model="model"})", 1}}));
  EXPECT_EQ(text.find("litellm_spend_metric"), std::string::npos);
  // What the choice does not reach, and what is ours.
  for (const std::string_view kept : {"process_open_fds", "litellm_in_flight_requests", "litellm_gw_config_reloads"}) {
    EXPECT_NE(text.find(kept), std::string::npos) << kept;
  }
}

TEST(LabelChoice, AStarSelectsEveryFamily) {
  LabelChoice choice;
  choice.has_selections = true;
  choice.selections = {{"*", std::nullopt}};
  choice.exclude_metrics = {"litellm_spend_metric", "litellm_gw_stream_aborted_total"};
  for (const FamilyRow& row : FamilyTable()) {
    const bool is_out = row.name == "litellm_spend_metric" || row.name == "litellm_gw_stream_aborted";
    if (row.shown != Shown::kAlways) continue;
    EXPECT_EQ(IsChosen(row, choice), !is_out) << row.name;
  }
}

TEST(LabelChoice, SamplesThatBecomeEqualAreMerged) {
  LabelChoice choice;
  choice.exclude_labels = {"user_agent", "model_id"};
  LiveState live;
  live.deployments = [](const std::function<void(const LiveState::Deployment&)>& visit) {
    visit({{"group", "model", "id-1", "http://h", "openai"}, 2, 0});
    visit({{"group", "model", "id-2", "http://h", "openai"}, 1, 0});
  };
  LitellmMetrics metrics(Options(choice), live);
  SuccessRecord record = Success();
  metrics.OnSuccess(0, record);
  record.caller.user_agent = "wget/1";
  metrics.OnSuccess(0, record);
  const auto requests = SamplesOf(metrics, "litellm_requests_metric_total");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.begin()->second, 2);
  EXPECT_EQ(requests.begin()->first.find("user_agent"), std::string::npos);
  EXPECT_EQ(SamplesOf(metrics, "litellm_deployment_state").size(), 1U);
}

TEST(LabelChoice, CustomLabelsSplitSeriesOnEveryPath) {
  LabelChoice choice;
  choice.metadata_labels = {"metadata.team"};
  choice.tags = {"prod", "test"};
  LitellmMetrics metrics(Options(choice), {});
  CustomLabels red{{"red"}, 0b01}, blue{{"blue"}, 0b10};
  SuccessRecord record = Success();
  metrics.OnSuccess(0, record);
  for (const CustomLabels* custom : {&red, &blue, &blue}) {
    record.caller.custom = custom;
    metrics.OnSuccess(0, record);
  }
  const auto samples = SamplesOf(metrics, "litellm_requests_metric_total");
  ASSERT_EQ(samples.size(), 3U);
  for (const auto& [text, value] : samples) {
    if (text.find("metadata_team=\"blue\"") == std::string::npos) continue;
    EXPECT_EQ(value, 2);
    EXPECT_NE(text.find(R"(tag_prod="false",tag_test="true")"), std::string::npos) << text;
  }
  ClientFailureRecord failure;
  failure.caller.custom = &red;
  metrics.OnClientFailure(0, failure);
  AttemptFailureRecord attempt;
  attempt.caller.custom = &red;
  metrics.OnAttemptFailure(0, attempt);
  metrics.OnCooldown(0, {"g", "id-1", "http://h", "openai", "429", &red});
  for (const std::string_view name : {"litellm_proxy_failed_requests_metric_total", "litellm_deployment_cooled_down_total",
                                      "litellm_deployment_failure_responses_total"}) {
    const auto failed = SamplesOf(metrics, name);
    ASSERT_EQ(failed.size(), 1U) << name;
    EXPECT_NE(failed.begin()->first.find(R"(metadata_team="red")"), std::string::npos) << name;
  }
}

TEST(LabelChoice, PromptSizesAreClasses) {
  LabelChoice choice;
  choice.input_sequence_length = true;
  LitellmMetrics metrics(Options(choice), {});
  for (const int64_t tokens : {0, 999, 1000, 15999, 16000, 64000}) {
    SuccessRecord record = Success();
    record.prompt_tokens = tokens;
    metrics.OnSuccess(0, record);
  }
  const auto counts = SamplesOf(metrics, "litellm_request_total_latency_metric_count");
  EXPECT_EQ(counts.size(), 6U);
  for (const std::string_view size : {"unknown", "0-1k", "1k-4k", "4k-16k", "16k-64k", "64k+"}) {
    const std::string label = "input_sequence_length=\"" + std::string(size) + "\"";
    EXPECT_TRUE(std::any_of(counts.begin(), counts.end(),
                            [&](const auto& entry) { return entry.first.find(label) != std::string::npos; })) << size;
  }
}

TEST(LabelChoice, OlderNamesAreTheSameSeriesPrintedAgain) {
  LabelChoice choice;
  choice.legacy_names = true;
  LitellmMetrics metrics(Options(choice), {});
  metrics.OnSuccess(0, Success());
  const std::string text = Rendered(metrics.registry());
  for (const std::string_view line : {"# TYPE litellm_total_tokens_total counter\n", "# TYPE litellm_requests_metric untyped\n",
                                      "# TYPE deployment_state gauge\n", "# TYPE litellm_total_tokens untyped\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(SamplesOf(metrics, "litellm_requests_metric").size(), 1U);
  EXPECT_EQ(SamplesOf(metrics, "litellm_total_tokens_total").begin()->second, 1);
  EXPECT_EQ(Rendered(metrics.registry(), ExpositionFormat::kOpenMetrics).find("untyped"), std::string::npos);
}

TEST(LabelChoice, ServicesAreTimedOnlyWhenAsked) {
  LitellmMetrics off(Options({}), {});
  off.OnService(0, Service::kSelf, 1);
  EXPECT_EQ(Rendered(off.registry()).find("litellm_self_latency"), std::string::npos);
  LabelChoice choice;
  choice.services = true;
  LitellmMetrics metrics(Options(choice), {});
  metrics.OnService(0, Service::kSelf, 0.5);
  metrics.OnServiceFailure(0, Service::kAuth, "ProxyException", "user_api_key_auth");
  EXPECT_EQ(SamplesOf(metrics, "litellm_self_latency_sum")[R"(litellm_self_latency_sum{self="self"})"], 0.5);
  EXPECT_EQ(SamplesOf(metrics, "litellm_auth_total_requests_total").begin()->second, 1);
  EXPECT_EQ(SamplesOf(metrics, "litellm_auth_failed_requests_total")
                [R"(litellm_auth_failed_requests_total{auth="auth",error_class="ProxyException",)"
                 R"(function_name="user_api_key_auth"})"], 1);
  EXPECT_EQ(Rendered(metrics.registry()).find("litellm_postgres"), std::string::npos);
}

TEST(LabelChoice, NamesThatAConfigurationMayUse) {
  EXPECT_NE(FindSelectable("litellm_spend_metric"), nullptr);
  EXPECT_EQ(FindSelectable("litellm_spend_metric_total"), FindSelectable("litellm_spend_metric"));
  for (const std::string_view name : {"litellm_in_flight_requests", "process_open_fds", "litellm_redis_latency", "x", "*"}) {
    EXPECT_EQ(FindSelectable(name), nullptr) << name;
  }
  EXPECT_TRUE(IsKnownLabel("guardrail_name", {}));
  EXPECT_FALSE(IsKnownLabel("stream", {}));
  LabelChoice choice;
  choice.stream = true;
  EXPECT_TRUE(IsKnownLabel("stream", choice));
}

}  // namespace
}  // namespace gw::metrics
