#include "admin/health_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/test_snapshot.h"

namespace gw::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr RuntimeFacts kFacts{
    .compat_version = "1.109.1", .log_level = "INFO", .detailed_debug = false};

TestSnapshot TwoTiers() {
  TestSnapshot snapshot;
  snapshot.Add("vllm-qwen", "openai/ok.qwen", "tier1");
  snapshot.Add("ollama-qwen", "ollama_chat/ok:8b", "tier2");
  return snapshot;
}

TEST(Health, LivenessIsTheReferencesText) {
  EXPECT_EQ(LivenessAnswer(false).status, 200);
  EXPECT_EQ(LivenessAnswer(false).body, R"("I'm alive!")");
  EXPECT_EQ(LivenessAnswer(true).status, 503);
}

TEST(Health, ReadinessSaysHealthyUntilItDrains) {
  TestSnapshot snapshot;
  const Answer ready = ReadinessAnswer(*snapshot, kFacts, false);
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"status":"healthy","db":"Not connected"})");
  const Answer draining = ReadinessAnswer(*snapshot, kFacts, true);
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.body, R"({"status":"shutting down"})");
}

TEST(Health, DetailsHaveEveryMemberOfTheReference) {
  TestSnapshot snapshot;
  snapshot->proxy.callbacks = {"prometheus"};
  const auto tree = json::ParseTree(ReadinessDetailsAnswer(*snapshot, kFacts, false).body);
  ASSERT_TRUE(tree.has_value());
  for (const char* member : {"cache", "db", "is_detailed_debug", "litellm_version", "log_level",
                             "show_env_credential_login_warning", "show_no_redis_warning", "status",
                             "success_callbacks", "use_aiohttp_transport"}) {
    EXPECT_TRUE(tree->as_object().contains(member)) << member;
  }
  EXPECT_EQ(json::Serialize(tree->at("success_callbacks")), R"(["prometheus"])");
}

TEST(Health, PublicDetailsReplaceTheShortReadinessBody) {
  TestSnapshot snapshot;
  snapshot->general.public_readiness_details = true;
  EXPECT_THAT(ReadinessAnswer(*snapshot, kFacts, false).body, HasSubstr("litellm_version"));
  EXPECT_EQ(ReadinessAnswer(*snapshot, kFacts, true).status, 503);
}

TEST(Health, BacklogCountsWhatIsInside) {
  EXPECT_EQ(BacklogAnswer(3).body, R"({"in_flight_requests":3,"admitted_requests":0,)"
                                   R"("queued_requests":0,"rejected_requests":0})");
}

TEST(Health, FilterSelectsByPublicNameLitellmModelOrId) {
  TestSnapshot snapshot = TwoTiers();
  const auto ids = [&snapshot](std::string_view query) {
    std::string out;
    for (const config::Deployment* d : SelectForHealth(*snapshot, query)) out += d->id + " ";
    return out;
  };
  EXPECT_EQ(ids(""), "tier1 tier2 ");
  EXPECT_EQ(ids("model=ollama-qwen"), "tier2 ");
  EXPECT_EQ(ids("model=ollama_chat%2Fok:8b"), "tier2 ");
  EXPECT_EQ(ids("model_id=tier1"), "tier1 ");
  EXPECT_EQ(ids("model=vllm-qwen&model_id=tier2"), "");
  EXPECT_EQ(ids("model="), "tier1 tier2 ");
  EXPECT_EQ(ids("model=nope"), "");
}

TEST(Health, OneHealthyEndpointAnswersAsTheGoldenFile) {
  TestSnapshot snapshot = TwoTiers();
  snapshot->deployments[1].api_base = "http://127.0.0.1:4133";
  const std::vector<ProbeOutcome> outcomes = {{&snapshot->deployments[1], true, ""}};
  const Answer answer = HealthAnswer(*snapshot, outcomes, "model=ollama-qwen");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"healthy_endpoints":[{"api_base":"http://127.0.0.1:4133","model":"ollama_chat/ok:8b",)"
      R"("model_id":"tier2"}],"unhealthy_endpoints":[],"healthy_count":1,"unhealthy_count":0})");
}

TEST(Health, IsServiceUnavailableOnlyWhenNothingIsHealthy) {
  TestSnapshot snapshot = TwoTiers();
  const config::Deployment* one = &snapshot->deployments[0];
  const config::Deployment* two = &snapshot->deployments[1];
  const std::vector<ProbeOutcome> half = {{one, false, "refused"}, {two, true, ""}};
  EXPECT_EQ(HealthAnswer(*snapshot, half, "").status, 200);
  const std::vector<ProbeOutcome> none = {{one, false, "refused"}, {two, false, "timed out"}};
  EXPECT_EQ(HealthAnswer(*snapshot, none, "").status, 503);
  EXPECT_EQ(HealthAnswer(*snapshot, {}, "").status, 200);
  EXPECT_EQ(HealthAnswer(*snapshot, {}, "model=nope").status, 503);
}

TEST(Health, ErrorIsOneShortLine) {
  TestSnapshot snapshot = TwoTiers();
  const std::string page = "the upstream answered 502\nTraceback: /usr/lib/secret.py\n";
  const std::string euros = [] {
    std::string out;
    for (int i = 0; i < 200; ++i) out += "\xE2\x82\xAC";
    return out;
  }();
  const std::vector<ProbeOutcome> outcomes = {{&snapshot->deployments[0], false, page},
                                              {&snapshot->deployments[1], false, euros}};
  const Answer answer = HealthAnswer(*snapshot, outcomes, "");
  EXPECT_THAT(answer.body, HasSubstr(R"("error":"the upstream answered 502")"));
  EXPECT_THAT(answer.body, Not(HasSubstr("Traceback")));
  EXPECT_LT(answer.body.size(), 1200U);
  EXPECT_TRUE(json::ParseTree(answer.body).has_value());
}

TEST(Health, WithoutDetailsOnlyTheIdsAreShown) {
  TestSnapshot snapshot = TwoTiers();
  snapshot->general.health_check_details = false;
  const std::vector<ProbeOutcome> outcomes = {{&snapshot->deployments[0], true, ""},
                                              {&snapshot->deployments[1], false, "http://secret"}};
  EXPECT_EQ(
      HealthAnswer(*snapshot, outcomes, "").body,
      R"({"healthy_endpoints":[{"model_id":"tier1"}],"unhealthy_endpoints":[{"model_id":"tier2"}],)"
      R"("healthy_count":1,"unhealthy_count":1})");
}

TEST(Health, CachedOutcomesAreFilteredByTheQuery) {
  TestSnapshot snapshot = TwoTiers();
  const std::vector<ProbeOutcome> outcomes = {{&snapshot->deployments[0], false, "refused"},
                                              {&snapshot->deployments[1], true, ""}};
  const Answer answer = CachedHealthAnswer(*snapshot, outcomes, "model=vllm-qwen");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("tier1"));
  EXPECT_THAT(answer.body, Not(HasSubstr("tier2")));
  EXPECT_EQ(CachedHealthAnswer(*snapshot, outcomes, "").status, 200);
}

}  // namespace
}  // namespace gw::admin
