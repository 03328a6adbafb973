// The traffic of a captured LiteLLM exposition, event by event; the sample sets must agree.
//
// Deployments (group -> provider model, id): gpt-ok -> gpt-4o-mini, ok-1 (rpm 100, tpm 100000);
// emb -> text-embedding-3-small, emb-1; vllm-qwen -> fail500-qwen, vllm-1 (always 500);
// ollama-qwen -> qwen-ollama, ollama-1; bad400/bad429/bad500 (that status); slow (timeout).
#include <gtest/gtest.h>

#include "metrics/litellm_metrics.h"
#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

constexpr std::string_view kBase = "http://127.0.0.1:4102/v1";
constexpr std::string_view kChat = "/v1/chat/completions";

CallerLabels Master() {
  CallerLabels caller;
  caller.hashed_api_key = "litellm_proxy_master_key";
  caller.user = "default_user_id";
  caller.client_ip = "127.0.0.1";
  caller.user_agent = "golden/1.0";
  return caller;
}

DeploymentLabels Deployment(std::string_view group, std::string_view model, std::string_view id) {
  return {group, model, id, kBase, "openai"};
}

const DeploymentLabels kOk = Deployment("gpt-ok", "gpt-4o-mini", "ok-1");
const DeploymentLabels kEmb = Deployment("emb", "text-embedding-3-small", "emb-1");
const DeploymentLabels kVllm = Deployment("vllm-qwen", "fail500-qwen", "vllm-1");
const DeploymentLabels kOllama = Deployment("ollama-qwen", "qwen-ollama", "ollama-1");
const DeploymentLabels kBad400 = Deployment("bad400", "fail400", "bad400-1");
const DeploymentLabels kBad429 = Deployment("bad429", "fail429", "bad429-1");
const DeploymentLabels kBad500 = Deployment("bad500", "fail500", "bad500-1");
const DeploymentLabels kSlow = Deployment("slow", "slow", "slow-1");

LitellmMetricsOptions TwoWorkers() {
  LitellmMetricsOptions options;
  options.registry.workers = 2;
  return options;
}

LiveState Live() {
  LiveState live;
  live.in_flight_requests = [] { return 1.0; };
  live.deployments = [](const std::function<void(const LiveState::Deployment&)>& visit) {
    for (const DeploymentLabels& up : {kOk, kEmb, kOllama}) visit({up, 0, 0});
    for (const DeploymentLabels& down : {kVllm, kBad400, kBad429, kBad500, kSlow}) {
      visit({down, 1, 0});
    }
  };
  return live;
}

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() : metrics_(TwoWorkers(), Live()) {}

  // Answered requests go to both workers in turn.
  uint32_t NextWorker() { return ++turn_ % 2; }

  void Chat(const DeploymentLabels& deployment, std::string_view requested, bool stream) {
    SuccessRecord record;
    record.caller = Master();
    record.deployment = deployment;
    record.requested_model = requested;
    record.route = kChat;
    record.stream = stream;
    record.queue_time_s = 0.01;
    record.total_s = 0.1;
    record.llm_api_s = 0.08;
    record.overhead_s = stream ? 0 : 0.02;
    record.prompt_tokens = 10;
    record.completion_tokens = 5;
    record.total_tokens = 15;
    record.cached_tokens = 4;
    record.reasoning_tokens = 2;
    if (!stream) {
      record.remaining_requests = 99;
      record.remaining_tokens = 9999;
    }
    if (deployment.model_id == "ok-1") {
      record.spend_usd = 4.2e-6;
      record.rpm_limit = 100;
      record.tpm_limit = 100000;
    }
    metrics_.OnSuccess(NextWorker(), record);
  }

  void Embedding() {
    SuccessRecord record;
    record.caller = Master();
    record.deployment = kEmb;
    record.requested_model = "emb";
    record.route = "/v1/embeddings";
    record.overhead_s = 0.02;
    record.prompt_tokens = record.total_tokens = 4;
    record.spend_usd = 8e-8;
    metrics_.OnSuccess(NextWorker(), record);
  }

  void FailedAttempt(const DeploymentLabels& deployment, std::string_view status,
                     std::string_view exception_class) {
    AttemptFailureRecord record;
    record.caller = Master();
    record.deployment = deployment;
    record.requested_model = deployment.model_group;
    record.model = deployment.litellm_model_name;
    record.exception_status = status;
    record.exception_class = exception_class;
    metrics_.OnAttemptFailure(NextWorker(), record);
  }

  void FailedRequest(const DeploymentLabels& last, int status, std::string_view exception_class) {
    ClientFailureRecord record;
    record.caller = Master();
    record.requested_model = last.model_group;
    record.route = kChat;
    record.model_id = last.model_id;
    record.api_provider = last.api_provider;
    record.status = status;
    record.exception_class = exception_class;
    metrics_.OnClientFailure(NextWorker(), record);
  }

  void Fallback(std::string_view from, std::string_view to, bool succeeded) {
    FallbackRecord record;
    record.caller = Master();
    record.requested_model = from;
    record.fallback_model = to;
    record.exception_status = "500";
    record.exception_class = "Openai.InternalServerError";
    record.succeeded = succeeded;
    metrics_.OnFallback(NextWorker(), record);
  }

  void UnknownModel() {
    AttemptFailureRecord attempt;
    attempt.caller = Master();
    attempt.requested_model = "other";
    attempt.model = "nosuchmodel";
    attempt.exception_status = "400";
    attempt.exception_class = "ProxyModelNotFoundError";
    metrics_.OnAttemptFailure(0, attempt);
    ClientFailureRecord client;
    client.caller = Master();
    client.requested_model = "other";
    client.route = kChat;
    client.model_id_is_empty = true;
    client.status = 400;
    client.exception_class = "ProxyModelNotFoundError";
    metrics_.OnClientFailure(0, client);
  }

  void UnknownKey() {
    CallerLabels stranger;
    stranger.hashed_api_key =
        "250fde4203a9f7eeb9d7ebc4953dcb64d9ad7bd2a18775b38ef6e037aed22a09";
    AttemptFailureRecord attempt;
    attempt.caller = stranger;
    attempt.deployment.model_group = "gpt-ok";
    attempt.requested_model = "gpt-ok";
    attempt.model = "gpt-ok";
    attempt.exception_status = "400";
    attempt.exception_class = "ProxyException";
    metrics_.OnAttemptFailure(0, attempt);
    stranger.client_ip = "127.0.0.1";
    stranger.user_agent = "golden/1.0";
    ClientFailureRecord client;
    client.caller = stranger;
    client.requested_model = "gpt-ok";
    client.route = kChat;
    client.model_id = "ok-1";
    client.api_provider = "openai";
    client.status = 400;
    client.exception_class = "ProxyException";
    metrics_.OnClientFailure(0, client);
  }

  void PlayAll() {
    for (int i = 0; i < 5; ++i) Chat(kOk, "gpt-ok", false);
    for (int i = 0; i < 3; ++i) Chat(kOk, "gpt-ok", true);
    for (int i = 0; i < 2; ++i) Embedding();
    for (int i = 0; i < 3; ++i) {
      FailedAttempt(kVllm, "500", "Openai.InternalServerError");
      Fallback("vllm-qwen", "ollama-qwen", true);
      Chat(kOllama, "vllm-qwen", i == 2);
    }
    for (int i = 0; i < 2; ++i) {
      FailedAttempt(kBad400, "400", "Openai.BadRequestError");
      FailedRequest(kBad400, 400, "Openai.BadRequestError");
    }
    FailedAttempt(kBad429, "429", "Openai.RateLimitError");
    FailedRequest(kBad429, 429, "Openai.RateLimitError");
    FailedAttempt(kBad500, "500", "Openai.InternalServerError");
    Fallback("bad500", "bad400", false);
    FailedRequest(kBad500, 500, "Openai.InternalServerError");
    UnknownModel();
    UnknownKey();
    Chat(kOk, "gpt-ok", false);
    FailedAttempt(kSlow, "408", "Openai.Timeout");
    FailedRequest(kSlow, 408, "Openai.Timeout");
  }

  // What the golden file keeps of an exposition.
  std::map<std::string, double> Reduced() {
    std::map<std::string, double> kept;
    for (const auto& [sample, value] : test::ParseSamples(test::Rendered(metrics_.registry()))) {
      const std::string name = sample.substr(0, sample.find('{'));
      if (name.ends_with("_bucket") || name.ends_with("_sum") || name.ends_with("_created") ||
          name.starts_with("process_") || name.starts_with("litellm_gw_") ||
          name == "litellm_build_info") {
        continue;
      }
      kept[sample] = value;
    }
    return kept;
  }

  LitellmMetrics metrics_;
  uint32_t turn_ = 0;
};

TEST_F(ReplayTest, SampleSetsEqualTheCapture) {
  PlayAll();
  const auto expected =
      test::ParseSamples(test::ReadSource("tests/golden/metrics/after-traffic.txt"));
  ASSERT_GT(expected.size(), 70U);
  const auto actual = Reduced();
  for (const auto& [sample, value] : expected) {
    const auto found = actual.find(sample);
    if (found == actual.end()) {
      ADD_FAILURE() << "missing " << sample;
    } else {
      EXPECT_DOUBLE_EQ(found->second, value) << sample;
    }
  }
  for (const auto& [sample, value] : actual) {
    EXPECT_TRUE(expected.contains(sample)) << "surplus " << sample << " " << value;
  }
}

}  // namespace
}  // namespace gw::metrics
