#include "api/route_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gw::api {
namespace {

struct Hit {
  const char* method;
  const char* path;
  RouteId id;
  const char* model;
  const char* label;
};

class RouteTableHit : public testing::TestWithParam<Hit> {};

TEST_P(RouteTableHit, FindsTheRoute) {
  const Hit& hit = GetParam();
  const RouteMatch match = MatchRoute(hit.method, hit.path);
  ASSERT_EQ(match.verdict, RouteVerdict::kFound) << hit.path;
  EXPECT_EQ(match.id, hit.id) << hit.path;
  EXPECT_EQ(match.model, hit.model) << hit.path;
  EXPECT_EQ(match.label, hit.label) << hit.path;
}

INSTANTIATE_TEST_SUITE_P(
    Inference, RouteTableHit,
    testing::Values(Hit{"POST", "/v1/chat/completions", RouteId::kChat, "", "/v1/chat/completions"},
                    Hit{"POST", "/chat/completions", RouteId::kChat, "", "/chat/completions"},
                    Hit{"POST", "/v1/completions", RouteId::kCompletions, "", "/v1/completions"},
                    Hit{"POST", "/completions", RouteId::kCompletions, "", "/completions"},
                    Hit{"POST", "/v1/embeddings", RouteId::kEmbeddings, "", "/v1/embeddings"},
                    Hit{"POST", "/embeddings", RouteId::kEmbeddings, "", "/embeddings"},
                    Hit{"POST", "/v1/messages", RouteId::kMessages, "", "/v1/messages"},
                    Hit{"POST", "/engines/vllm-ok/chat/completions", RouteId::kChat, "vllm-ok",
                        "/engines/{model}/chat/completions"},
                    Hit{"POST", "/engines/vllm-ok/completions", RouteId::kCompletions, "vllm-ok",
                        "/engines/{model}/completions"},
                    Hit{"POST", "/engines/e/embeddings", RouteId::kEmbeddings, "e",
                        "/engines/{model}/embeddings"},
                    Hit{"POST", "/openai/deployments/gpt-4o/chat/completions", RouteId::kChat,
                        "gpt-4o", "/openai/deployments/{model}/chat/completions"},
                    Hit{"POST", "/openai/deployments/gpt-4o/completions", RouteId::kCompletions,
                        "gpt-4o", "/openai/deployments/{model}/completions"},
                    Hit{"POST", "/openai/deployments/e/embeddings", RouteId::kEmbeddings, "e",
                        "/openai/deployments/{model}/embeddings"}));

INSTANTIATE_TEST_SUITE_P(
    ModelsWithSlashesAndEscapes, RouteTableHit,
    testing::Values(Hit{"POST", "/engines/org/name-7b/chat/completions", RouteId::kChat,
                        "org/name-7b", "/engines/{model}/chat/completions"},
                    Hit{"POST", "/openai/deployments/a/b/c/embeddings", RouteId::kEmbeddings,
                        "a/b/c", "/openai/deployments/{model}/embeddings"},
                    Hit{"POST", "/engines/org%2Fname%3A7b/completions", RouteId::kCompletions,
                        "org%2Fname%3A7b", "/engines/{model}/completions"},
                    Hit{"GET", "/v1/models/wild/exact", RouteId::kModel, "wild/exact",
                        "/v1/models/{model}"},
                    Hit{"GET", "/models/gpt-4o", RouteId::kModel, "gpt-4o", "/models/{model}"},
                    Hit{"GET", "/v1/models/qwen2.5%3A3b", RouteId::kModel, "qwen2.5%3A3b",
                        "/v1/models/{model}"}));

INSTANTIATE_TEST_SUITE_P(
    Management, RouteTableHit,
    testing::Values(Hit{"GET", "/v1/models", RouteId::kModels, "", "/v1/models"},
                    Hit{"GET", "/models", RouteId::kModels, "", "/models"},
                    Hit{"HEAD", "/v1/models", RouteId::kModels, "", "/v1/models"},
                    Hit{"GET", "/model/info", RouteId::kModelInfo, "", "/model/info"},
                    Hit{"GET", "/v1/model/info", RouteId::kModelInfo, "", "/v1/model/info"},
                    Hit{"GET", "/model_group/info", RouteId::kModelGroupInfo, "",
                        "/model_group/info"},
                    Hit{"GET", "/health", RouteId::kHealth, "", "/health"},
                    Hit{"GET", "/health/liveliness", RouteId::kLiveness, "", "/health/liveliness"},
                    Hit{"GET", "/health/liveness", RouteId::kLiveness, "", "/health/liveness"},
                    Hit{"GET", "/health/readiness", RouteId::kReadiness, "", "/health/readiness"},
                    Hit{"HEAD", "/health/readiness", RouteId::kReadiness, "", "/health/readiness"},
                    Hit{"GET", "/health/readiness/details", RouteId::kReadinessDetails, "",
                        "/health/readiness/details"},
                    Hit{"GET", "/health/backlog", RouteId::kBacklog, "", "/health/backlog"},
                    Hit{"GET", "/metrics", RouteId::kMetrics, "", "/metrics"},
                    Hit{"GET", "/metrics/", RouteId::kMetrics, "", "/metrics/"},
                    Hit{"HEAD", "/metrics/", RouteId::kMetrics, "", "/metrics/"},
                    Hit{"POST", "/metrics/", RouteId::kMetrics, "", "/metrics/"},
                    Hit{"GET", "/metrics/anything/below", RouteId::kMetrics, "", "/metrics/"},
                    Hit{"GET", "/routes", RouteId::kRoutes, "", "/routes"},
                    Hit{"GET", "/test", RouteId::kTest, "", "/test"},
                    Hit{"GET", "/", RouteId::kRoot, "", "/"}));

TEST(RouteTable, UnknownPathsAreNotFoundUnderOneLabel) {
  for (const char* path : {"",
                           "/nope",
                           "/v1",
                           "/v1/nothing-here",
                           "//v1/chat/completions",
                           "/v1//chat/completions",
                           "/v1/chat/completions/extra",
                           "/V1/chat/completions",
                           "/engines/completions",
                           "/v1/models//x",
                           "/engines/m//completions",
                           "//",
                           "/engines//chat/completions",
                           "/openai/deployments//chat/completions",
                           "/engines/m",
                           "/engines/m/responses",
                           "/metricsx",
                           "/v1/models2",
                           "v1/models",
                           "*"}) {
    const RouteMatch match = MatchRoute("GET", path);
    EXPECT_EQ(match.verdict, RouteVerdict::kNotFound) << path;
    EXPECT_EQ(match.label, "other") << path;
  }
}

TEST(RouteTable, WrongMethodNamesTheAllowedOnes) {
  struct Row {
    const char* method;
    const char* path;
    const char* allow;
  };
  for (const Row& row :
       std::initializer_list<Row>{{"GET", "/v1/chat/completions", "POST"},
                                  {"OPTIONS", "/v1/chat/completions", "POST"},
                                  {"GET", "/engines/m/embeddings", "POST"},
                                  {"POST", "/v1/models", "GET, HEAD"},
                                  {"DELETE", "/v1/models/gpt", "GET, HEAD"},
                                  {"POST", "/health/liveliness", "GET, HEAD, OPTIONS"},
                                  {"PUT", "/metrics", "GET, HEAD, POST"},
                                  {"get", "/v1/models", "GET, HEAD"}}) {
    const RouteMatch match = MatchRoute(row.method, row.path);
    EXPECT_EQ(match.verdict, RouteVerdict::kMethodNotAllowed) << row.method << row.path;
    EXPECT_EQ(match.allow, row.allow) << row.method << row.path;
    EXPECT_NE(match.label, "other");
  }
}

TEST(RouteTable, ProbesAnswerABareOptions) {
  for (const char* path : {"/health/liveliness", "/health/liveness", "/health/readiness"}) {
    const RouteMatch match = MatchRoute("OPTIONS", path);
    EXPECT_EQ(match.verdict, RouteVerdict::kOptions) << path;
    EXPECT_EQ(match.allow, "GET, HEAD, OPTIONS");
  }
}

TEST(RouteTable, TrailingSlashIsRedirectedOnce) {
  RouteMatch match = MatchRoute("GET", "/v1/models/");
  EXPECT_EQ(match.verdict, RouteVerdict::kRedirect);
  EXPECT_EQ(match.location, "/v1/models");
  match = MatchRoute("POST", "/engines/m/chat/completions/");
  EXPECT_EQ(match.verdict, RouteVerdict::kRedirect);
  EXPECT_EQ(match.location, "/engines/m/chat/completions");
  EXPECT_EQ(MatchRoute("GET", "/v1/nothing/").verdict, RouteVerdict::kNotFound);
  EXPECT_EQ(MatchRoute("GET", "//").verdict, RouteVerdict::kNotFound);
  EXPECT_EQ(MatchRoute("GET", "//evil.example/").verdict, RouteVerdict::kNotFound);
}

TEST(RouteTable, ViewsPointIntoTheCallersPathOrStaticText) {
  const std::string path = "/engines/abc/completions";
  const RouteMatch match = MatchRoute("POST", path);
  EXPECT_EQ(match.model.data(), path.data() + 9);
}

TEST(RouteTable, RootPathIsCutOffWhenPresent) {
  EXPECT_EQ(StripRootPath("/llm/v1/models", "/llm"), "/v1/models");
  EXPECT_EQ(StripRootPath("/llm/v1/models", "/llm/"), "/v1/models");
  EXPECT_EQ(StripRootPath("/llm", "/llm"), "/");
  EXPECT_EQ(StripRootPath("/llm/", "/llm"), "/");
  EXPECT_EQ(StripRootPath("/llmx/v1/models", "/llm"), "/llmx/v1/models");
  EXPECT_EQ(StripRootPath("/v1/models", "/llm"), "/v1/models");
  EXPECT_EQ(StripRootPath("/v1/models", ""), "/v1/models");
  EXPECT_EQ(StripRootPath("/v1/models", "/"), "/v1/models");
}

TEST(RouteTable, EveryListedRouteIsReachableByEachOfItsMethods) {
  std::set<std::string_view> seen;
  for (const RouteRow& row : AllRoutes()) {
    EXPECT_TRUE(seen.insert(row.path).second) << row.path << " is listed twice";
    EXPECT_FALSE(MethodList(row.methods).empty()) << row.path;
    std::string path(row.path);
    if (const size_t at = path.find("{model}"); at != std::string::npos)
      path.replace(at, 7, "some/model");
    const char* method = (row.methods & kMethodPost) != 0 ? "POST" : "GET";
    const RouteMatch match = MatchRoute(method, path);
    EXPECT_EQ(match.verdict, RouteVerdict::kFound) << path;
    EXPECT_EQ(match.id, row.id) << path;
    EXPECT_EQ(match.label, row.path);
  }
}

TEST(RouteTable, OnlyInferenceRoutesHaveAnEndpoint) {
  EXPECT_EQ(EndpointOf(RouteId::kChat), Endpoint::kChat);
  EXPECT_EQ(EndpointOf(RouteId::kMessages), Endpoint::kMessages);
  EXPECT_EQ(EndpointOf(RouteId::kEmbeddings), Endpoint::kEmbeddings);
  EXPECT_EQ(EndpointOf(RouteId::kCompletions), Endpoint::kCompletions);
  for (const RouteId id : {RouteId::kModels, RouteId::kHealth, RouteId::kMetrics, RouteId::kRoot}) {
    EXPECT_EQ(EndpointOf(id), std::nullopt);
  }
}

}  // namespace
}  // namespace gw::api
