// Does loading honour defaults, environment and file in their order?
#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace gw::config {
namespace {

using testing::HasSubstr;
using testing::Not;
using Variables = std::map<std::string, std::string, std::less<>>;

class LoaderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("gw_loader_" + std::to_string(getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    variables_["LITELLM_MASTER_KEY"] = "sk-test";
    options_.read_dotenv = false;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  Loaded LoadText(std::string_view text) {
    options_.config_file = Write("config.yaml", text);
    return LoadOptionsNow();
  }
  Loaded LoadOptionsNow() {
    options_.env = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    return Load(options_);
  }

  std::filesystem::path folder_;
  Variables variables_;
  LoadOptions options_;
};

std::string RowWith(std::string_view params) {
  return "model_list: [{model_name: m, litellm_params: {model: openai/m, api_base: 'http://a/v1'" +
         std::string(params) + "}}]";
}

TEST_F(LoaderTest, WithoutFileTheEnvironmentIsEnough) {
  const Loaded loaded = LoadOptionsNow();
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_EQ(loaded.snapshot->general.master_key, "sk-test");
  EXPECT_TRUE(loaded.snapshot->deployments.empty());
}

TEST_F(LoaderTest, MissingMasterKeyForbidsTheStart) {
  variables_.clear();
  const Loaded loaded = LoadOptionsNow();
  EXPECT_EQ(loaded.exit_code, 3);
  EXPECT_EQ(loaded.snapshot, nullptr);
}

TEST_F(LoaderTest, EnvironmentMayPermitAMissingMasterKey) {
  variables_ = {{"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true"}};
  const Loaded loaded = LoadOptionsNow();
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_EQ(loaded.snapshot->general.master_key, "");
}

TEST_F(LoaderTest, MissingFileEndsWithOne) {
  options_.config_file = (folder_ / "none.yaml").string();
  const Loaded loaded = LoadOptionsNow();
  EXPECT_EQ(loaded.exit_code, 1);
  ASSERT_EQ(loaded.findings.size(), 1U);
  EXPECT_THAT(loaded.findings[0].message, HasSubstr("Config file not found: "));
}

TEST_F(LoaderTest, GeneratedIdSurvivesRestartsKeyRotationAndReordering) {
  variables_["KEY"] = "one";
  const std::string first =
      LoadText(RowWith(", api_key: os.environ/KEY, timeout: 1")).snapshot->deployments[0].id;
  variables_["KEY"] = "two";
  EXPECT_EQ(first,
            LoadText(RowWith(", timeout: 1, api_key: os.environ/KEY")).snapshot->deployments[0].id);
  EXPECT_NE(first,
            LoadText(RowWith(", timeout: 2, api_key: os.environ/KEY")).snapshot->deployments[0].id);
  EXPECT_EQ(first.size(), 64U);
}

TEST_F(LoaderTest, KeyComesFromRowThenProviderVariableThenDummy) {
  variables_["HOSTED_VLLM_API_KEY"] = "from-env";
  const auto key_of = [this](std::string_view params) {
    return LoadText(
               "model_list: [{model_name: m, litellm_params: {model: hosted_vllm/m, api_base: "
               "'http://a'" +
               std::string(params) + "}}]")
        .snapshot->deployments[0]
        .api_key;
  };
  EXPECT_EQ(key_of(", api_key: own"), "own");
  EXPECT_EQ(key_of(", api_key: os.environ/UNSET"), "from-env");
  variables_.erase("HOSTED_VLLM_API_KEY");
  EXPECT_EQ(key_of(""), "fake-api-key");
}

TEST_F(LoaderTest, OpenAiBaseAndOrganizationComeFromTheEnvironment) {
  variables_["OPENAI_API_BASE"] = "http://proxy:81/v1/";
  variables_["OPENAI_ORGANIZATION"] = "org-env";
  const Loaded loaded = LoadText("model_list: [{model_name: m, litellm_params: {model: gpt-4o}}]");
  const Deployment& d = loaded.snapshot->deployments.at(0);
  EXPECT_EQ(d.api_base, "http://proxy:81/v1");
  EXPECT_EQ(d.origin.host, "proxy");
  EXPECT_EQ(d.origin.port, 81);
  EXPECT_EQ(d.origin.host_header, "proxy:81");
  EXPECT_EQ(d.origin.base_path, "/v1");
  EXPECT_EQ(d.organization, "org-env");
}

TEST_F(LoaderTest, RouterConstantsComeFromTheEnvironment) {
  variables_.insert({{"DEFAULT_COOLDOWN_TIME_SECONDS", "7"},
                     {"ROUTER_MAX_FALLBACKS", "2"},
                     {"JITTER", "abc"},
                     {"REQUEST_TIMEOUT", "11"},
                     {"DEFAULT_FAILURE_THRESHOLD_PERCENT", "0.25"}});
  const Loaded loaded = LoadText("router_settings: {retry_after: 1}");
  const RouterSettings& router = loaded.snapshot->router;
  EXPECT_EQ(router.cooldown_time_s, 7);
  EXPECT_EQ(router.max_fallbacks, 2);
  EXPECT_EQ(router.retry_jitter_s, 0.75);
  EXPECT_EQ(router.request_timeout_s, 11);
  EXPECT_EQ(router.failure_threshold_percent, 0.25);
  EXPECT_THAT(FormatFindings(loaded.findings, false),
              HasSubstr("JITTER: environment variable is not a number"));
}

TEST_F(LoaderTest, FileWinsOverTheEnvironmentsTimeouts) {
  variables_["REQUEST_TIMEOUT"] = "11";
  const Loaded loaded = LoadText(
      "litellm_settings: {request_timeout: 5}\nrouter_settings: {cooldown_time: 0, timeout: 0}");
  EXPECT_EQ(loaded.snapshot->router.request_timeout_s, 5);
  EXPECT_EQ(loaded.snapshot->router.cooldown_time_s, 0);
  EXPECT_FALSE(loaded.snapshot->router.timeout_s.has_value());
}

TEST_F(LoaderTest, AllowedFailsOfLitellmSettingsCountsOnlyWhenItIsADecision) {
  EXPECT_FALSE(LoadText("litellm_settings: {allowed_fails: 3}").snapshot->router.allowed_fails);
  EXPECT_EQ(LoadText("litellm_settings: {allowed_fails: 0}").snapshot->router.allowed_fails, 0);
  EXPECT_EQ(LoadText("router_settings: {allowed_fails: 3}").snapshot->router.allowed_fails, 3);
}

TEST_F(LoaderTest, PoliciesAreReadByClass) {
  const Loaded loaded = LoadText(
      "router_settings:\n  retry_policy: {TimeoutErrorRetries: 3, DefaultRetries: 1}\n"
      "  allowed_fails_policy: {RateLimitErrorAllowedFails: 9}\n"
      "  model_group_retry_policy: {g: {BadRequestErrorRetries: 2}}\n");
  const RouterSettings& router = loaded.snapshot->router;
  EXPECT_EQ(router.retry_policy.timeout, 3);
  EXPECT_EQ(router.retry_policy.default_value, 1);
  EXPECT_EQ(router.retry_policy.bad_request, -1);
  EXPECT_EQ(router.allowed_fails_policy.rate_limit, 9);
  ASSERT_EQ(router.model_group_retry_policy.size(), 1U);
  EXPECT_EQ(router.model_group_retry_policy[0].second.bad_request, 2);
}

TEST_F(LoaderTest, MetricsEndpointIsOpenUnlessLiterallyClosed) {
  const auto closed = [this](std::string_view value) {
    return LoadText(
               "litellm_settings: {callbacks: prometheus, require_auth_for_metrics_endpoint: " +
               std::string(value) + "}")
        .snapshot->metrics.require_auth;
  };
  EXPECT_TRUE(closed("true"));
  EXPECT_TRUE(closed("yes"));  // the same value in YAML 1.1
  EXPECT_FALSE(closed("'true'"));
  EXPECT_FALSE(closed("1"));
  EXPECT_FALSE(closed("~"));
}

TEST_F(LoaderTest, ServerOptionsComeFromTheEnvironment) {
  variables_.insert({{"PORT", "8080"},
                     {"HOST", "127.0.0.1"},
                     {"SERVER_ROOT_PATH", "gw/"},
                     {"NUM_WORKERS", "3"},
                     {"PROMETHEUS_METRICS_PORT", "9100"}});
  const Loaded loaded = LoadOptionsNow();
  EXPECT_EQ(loaded.snapshot->server.port, 8080);
  EXPECT_EQ(loaded.snapshot->server.host, "127.0.0.1");
  EXPECT_EQ(loaded.snapshot->server.root_path, "/gw");
  EXPECT_EQ(loaded.snapshot->server.num_workers, 3);
  EXPECT_EQ(loaded.snapshot->metrics.separate_port, 9100);
}

TEST_F(LoaderTest, FlagsWinOverEverything) {
  variables_["PORT"] = "8080";
  options_.apply_flags = [](Snapshot& snapshot) { snapshot.server.port = 1; };
  EXPECT_EQ(LoadOptionsNow().snapshot->server.port, 1);
}

TEST_F(LoaderTest, GeneralSettingsReachTheSnapshot) {
  const Loaded loaded = LoadText(
      "general_settings: {max_request_size_mb: 2, completion_model: m, public_routes: [/x], "
      "background_health_checks: true, health_check_interval: 30, health_check_concurrency: 4, "
      "litellm_key_header_name: X-Key, always_include_stream_usage: true}");
  const GeneralSettings& general = loaded.snapshot->general;
  EXPECT_EQ(general.request_bytes_max, 2U << 20);
  EXPECT_EQ(general.completion_model, "m");
  EXPECT_THAT(general.public_routes, testing::ElementsAre("/x"));
  EXPECT_TRUE(general.background_health_checks);
  EXPECT_EQ(general.health_check_interval_s, 30);
  EXPECT_EQ(general.health_check_concurrency, 4);
  EXPECT_EQ(general.litellm_key_header_name, "X-Key");
  EXPECT_TRUE(general.always_include_stream_usage);
}

TEST_F(LoaderTest, TlsSettingsGoFromGlobalToRow) {
  const Loaded loaded = LoadText(
      "litellm_settings: {ssl_verify: /ca.pem}\nmodel_list:\n"
      "- {model_name: a, litellm_params: {model: openai/m, api_base: 'https://a'}}\n"
      "- {model_name: b, litellm_params: {model: openai/m, api_base: 'https://a', ssl_verify: "
      "false}}\n");
  const auto& rows = loaded.snapshot->deployments;
  EXPECT_TRUE(rows[0].tls_verify);
  EXPECT_EQ(rows[0].ca_file, "/ca.pem");
  EXPECT_FALSE(rows[1].tls_verify);
}

TEST_F(LoaderTest, PriceMapFileReplacesBuiltInRows) {
  options_.price_map_file = Write(
      "prices.json",
      R"({"sample_spec": {}, "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "max_tokens": "99", "input_cost_per_token": 1e-3}})");
  const Loaded loaded =
      LoadText("model_list: [{model_name: m, litellm_params: {model: gpt-4o, api_key: k}}]");
  const ModelFacts* facts = loaded.snapshot->deployments.at(0).facts;
  ASSERT_NE(facts, nullptr);
  EXPECT_EQ(facts->price.input_cost_per_token, 1e-3);
  EXPECT_EQ(facts->max_tokens, 99);
  EXPECT_FALSE(facts->price.output_cost_per_token);
}

TEST_F(LoaderTest, BrokenPriceMapIsReportedAndTheBuiltInOneServes) {
  options_.price_map_file = Write("prices.json", "[1");
  const Loaded loaded =
      LoadText("model_list: [{model_name: m, litellm_params: {model: gpt-4o, api_key: k}}]");
  EXPECT_NE(loaded.snapshot->deployments.at(0).facts, nullptr);
  EXPECT_THAT(FormatFindings(loaded.findings, false), HasSubstr("not a JSON object of models"));
}

TEST_F(LoaderTest, CustomPricesOfParamsWinOverThoseOfModelInfo) {
  const Loaded loaded = LoadText(
      "model_list: [{model_name: m, litellm_params: {model: gpt-4o, api_key: k, "
      "input_cost_per_token: '1e-05'},"
      " model_info: {input_cost_per_token: 5, output_cost_per_token: 2}}]");
  const Deployment& d = loaded.snapshot->deployments.at(0);
  EXPECT_TRUE(d.has_custom_price);
  EXPECT_EQ(d.price.input_cost_per_token, 1e-05);
  EXPECT_EQ(d.price.output_cost_per_token, 2);
  EXPECT_FALSE(d.price.cache_read_input_token_cost);
}

TEST_F(LoaderTest, RowLimitsCountOnlyForUsageStrategies) {
  const std::string row =
      "model_list: [{model_name: m, rpm: 5, litellm_params: {model: openai/m, api_base: "
      "'http://a'}}]\n";
  EXPECT_FALSE(LoadText(row).snapshot->deployments[0].rpm);
  EXPECT_EQ(LoadText(row + "router_settings: {routing_strategy: usage-based-routing-v2}")
                .snapshot->deployments[0]
                .rpm,
            5);
}

TEST_F(LoaderTest, CheckPrintsEveryKeyWithItsLine) {
  const Loaded loaded = LoadText("litellm_settings:\n  drop_params: true\n  telemetry: false\n");
  const std::string all = FormatFindings(loaded.findings, true);
  EXPECT_THAT(all, HasSubstr("config.yaml:2: [effective] litellm_settings.drop_params: "));
  EXPECT_THAT(all,
              HasSubstr("config.yaml:3: [ignored] litellm_settings.telemetry: no effect here: "));
  EXPECT_EQ(FormatFindings(loaded.findings, false), "");
}

TEST_F(LoaderTest, ControlCharactersInKeysDropTheRow) {
  const Loaded loaded = LoadText(RowWith(", api_key: \"sk-x\\n\""));
  EXPECT_TRUE(loaded.snapshot->deployments.empty());
  EXPECT_THAT(FormatFindings(loaded.findings, false), Not(HasSubstr("sk-x")));
}

}  // namespace
}  // namespace gw::config
