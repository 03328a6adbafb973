#include "config/otel_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/load_context.h"
#include "config/otel_values.h"
#include "config/yaml_parser.h"

namespace gw::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using Variables = std::map<std::string, std::string, std::less<>>;

struct Read {
  OtelSettings settings;
  std::string warnings;  // "NAME: text" lines, infos left out
};

[[nodiscard]] Read ReadWith(Variables variables, std::vector<std::string> callbacks = {},
                            std::string_view yaml = "{}") {
  LoadContext context{Environment([variables = std::move(variables)](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  })};
  Read out{ReadOtelSettings(context, yaml::Parse(yaml).root, callbacks), {}};
  EXPECT_EQ(context.exit_code(), 0) << "telemetry never forbids the start";
  for (const Finding& finding : context.TakeFindings()) {
    if (finding.severity != Severity::kInfo) out.warnings += finding.path + ": " + finding.message + "\n";
  }
  return out;
}

TEST(OtelSettings, AreOffUnlessAskedFor) {
  const Read read = ReadWith({{"OTEL_SERVICE_NAME", "x"}, {"OTEL_TRACES_SAMPLER", "always_on"}});
  EXPECT_FALSE(read.settings.wants_records());
  EXPECT_FALSE(read.settings.metrics.on);
  EXPECT_EQ(read.warnings, "");
}

TEST(OtelSettings, WhoAsksForWhat) {
  struct Case { Variables variables; std::vector<std::string> callbacks; std::string traces, metrics, logs; };
  const std::string base = "http://c:4318", t = base + "/v1/traces", m = base + "/v1/metrics", l = base + "/v1/logs";
  const std::vector<Case> cases = {
      {{}, {"otel"}, "http://localhost:4318/v1/traces", "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", base + "/"}}, {}, t, "", ""},
      {{{"OTEL_ENDPOINT", base}}, {}, "", "", ""},  // LiteLLM's variables count with its callback alone
      {{{"OTEL_ENDPOINT", base}}, {"otel"}, t, "", ""},
      {{{"OTEL_ENDPOINT", base + "/v1/logs"}}, {"otel"}, t, "", ""},
      {{{"OTEL_TRACES_EXPORTER", "otlp"}}, {}, "http://localhost:4318/v1/traces", "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", base}, {"OTEL_TRACES_EXPORTER", "none"}, {"OTEL_LOGS_EXPORTER", "otlp"}}, {}, "", "", l},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/own/path"}}, {}, "https://t/own/path", "", ""},
      {{{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://t/own"}}, {}, "", "https://t/own", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", base}, {"OTEL_METRICS_EXPORTER", "otlp"}}, {}, t, m, ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", base}, {"LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", "true"},
        {"LITELLM_OTEL_INTEGRATION_ENABLE_EVENTS", "true"}}, {"otel"}, t, m, l},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", base}, {"OTEL_SDK_DISABLED", "true"}}, {"otel"}, "", "", ""},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const OtelSettings s = ReadWith(cases[i].variables, cases[i].callbacks).settings;
    EXPECT_EQ(s.traces.url, cases[i].traces) << i;
    EXPECT_EQ(s.metrics.url, cases[i].metrics) << i;
    EXPECT_EQ(s.logs.url, cases[i].logs) << i;
    EXPECT_EQ(s.traces.on, !cases[i].traces.empty()) << i;
    EXPECT_EQ(s.metrics.on, !cases[i].metrics.empty()) << i;
    EXPECT_EQ(s.logs.on, !cases[i].logs.empty()) << i;
  }
}

TEST(OtelSettings, GrpcFallsBackToHttpOnlyWhereThePortsTell) {
  const auto with = [](std::string endpoint) {
    Variables variables = {{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}};
    if (!endpoint.empty()) variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = std::move(endpoint);
    return ReadWith(variables, {"otel"});
  };
  const Read pair = with("http://collector:4317");
  EXPECT_EQ(pair.settings.traces.url, "http://collector:4318/v1/traces");
  EXPECT_THAT(pair.warnings, HasSubstr("OTEL_EXPORTER_OTLP_PROTOCOL: gRPC is not spoken here: http/protobuf"));
  EXPECT_EQ(with("").settings.traces.url, "http://localhost:4318/v1/traces");
  const Read other = with("https://api.example.com:443");
  EXPECT_FALSE(other.settings.traces.on);
  EXPECT_THAT(other.warnings, HasSubstr("Set it to http/protobuf"));
  const Read litellm = ReadWith({{"OTEL_EXPORTER", "otlp_grpc"}, {"OTEL_ENDPOINT", "https://h:9999"}}, {"otel"});
  EXPECT_FALSE(litellm.settings.traces.on);
  EXPECT_THAT(litellm.warnings, HasSubstr("OTEL_EXPORTER: gRPC"));
}

TEST(OtelSettings, TheSignalsOwnVariableWins) {
  const Read read = ReadWith({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                              {"OTEL_LOGS_EXPORTER", "otlp"},
                              {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                              {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf"},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=abc,x=a%20b"},
                              {"OTEL_EXPORTER_OTLP_LOGS_HEADERS", "y=2"},
                              {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                              {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip"},
                              {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"}});
  const OtelSettings& s = read.settings;
  EXPECT_EQ(s.traces.protocol, OtelProtocol::kHttpJson);
  EXPECT_EQ(s.logs.protocol, OtelProtocol::kHttpProtobuf);
  EXPECT_THAT(s.traces.headers, ElementsAre(Pair("api-key", "abc"), Pair("x", "a b")));
  EXPECT_THAT(s.logs.headers, ElementsAre(Pair("y", "2")));
  EXPECT_EQ(s.traces.timeout_s, 2.5);
  EXPECT_FALSE(s.traces.gzip);
  EXPECT_TRUE(s.logs.gzip);
  EXPECT_EQ(s.logs.ca_file, "/ca.pem");
  EXPECT_EQ(read.warnings, "");
}

TEST(OtelSettings, FindingsNameTheVariableAndNeverASecret) {
  const Read read =
      ReadWith({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                {"OTEL_EXPORTER_OTLP_HEADERS", "sk-secret-1,bad name=sk-secret-2,k=v%0d%0ainjected: sk-secret-3"},
                {"OTEL_EXPORTER_OTLP_TIMEOUT", "10"},
                {"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
                {"OTEL_TRACES_SAMPLER", "xray"},
                {"OTEL_TRACES_SAMPLER_ARG", "7"},
                {"OTEL_BSP_SCHEDULE_DELAY", "soon"},
                {"OTEL_RESOURCE_ATTRIBUTES", "nonsense"},
                {"OTEL_METRICS_EXPORTER", "prometheus"}});
  EXPECT_THAT(read.settings.traces.headers, IsEmpty());
  for (const char* name : {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION",
                           "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_SCHEDULE_DELAY",
                           "OTEL_RESOURCE_ATTRIBUTES", "OTEL_METRICS_EXPORTER"}) {
    EXPECT_THAT(read.warnings, HasSubstr(std::string(name) + ": "));
  }
  EXPECT_EQ(read.warnings.find("sk-secret"), std::string::npos);
  EXPECT_THAT(ReadWith({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"}}).warnings,
              HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT: "));
  EXPECT_FALSE(ReadWith({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"}}).settings.traces.on);
}

TEST(OtelSettings, ResourceSamplerAndBatches) {
  const OtelSettings none = ReadWith({}, {"otel"}).settings;
  EXPECT_THAT(none.resource, ElementsAre(Pair("service.name", "litellm")));
  EXPECT_EQ(none.sampler, 3);
  const OtelSettings s = ReadWith({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=x%2Cy"},
                                   {"OTEL_SERVICE_NAME", "b"},
                                   {"OTEL_ENVIRONMENT_NAME", "staging"},
                                   {"OTEL_TRACES_SAMPLER", "traceidratio"},
                                   {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                                   {"OTEL_BSP_SCHEDULE_DELAY", "200"},
                                   {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7"},
                                   {"OTEL_BLRP_SCHEDULE_DELAY", "300"},
                                   {"OTEL_METRIC_EXPORT_INTERVAL", "500"}},
                                  {"otel"}).settings;
  EXPECT_THAT(s.resource, ElementsAre(Pair("service.name", "b"), Pair("team", "x,y"),
                                      Pair("deployment.environment", "staging")));
  EXPECT_EQ(s.sampler, 2);
  EXPECT_EQ(s.sample_ratio, 0.25);
  EXPECT_EQ(s.batch_delay_s, 0.2);
  EXPECT_EQ(s.batch_items_max, 7u);
  EXPECT_EQ(s.log_batch_delay_s, 0.3);
  EXPECT_EQ(s.metric_interval_s, 0.5);
}

TEST(OtelSettings, ContentIsOffUntilSomebodySaysSo) {
  constexpr const char* kVariable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  struct Case { std::string variable, yaml; bool spans, logs; };
  const std::vector<Case> cases = {
      {"", "{}", false, false},
      {"true", "{}", true, true},
      {"SPAN_ONLY", "{}", true, false},
      {"event_only", "{}", false, true},
      {"maybe", "{}", false, false},
      {"", "callback_settings: {otel: {message_logging: true}}", true, false},
      {"", "callback_settings: {otel: {message_logging: false}}", false, false},
      {"NO_CONTENT", "callback_settings: {otel: {message_logging: true}}", false, false},
      {"true", "litellm_settings: {turn_off_message_logging: true}", false, false},
  };
  for (const Case& one : cases) {
    const OtelSettings s = ReadWith({{kVariable, one.variable}, {"OTEL_LOGS_EXPORTER", "otlp"}}, {"otel"}, one.yaml).settings;
    EXPECT_EQ(s.content_in_spans, one.spans) << one.variable << one.yaml;
    EXPECT_EQ(s.content_in_logs, one.logs) << one.variable << one.yaml;
    EXPECT_EQ(s.capture_content, one.spans || one.logs);
  }
  EXPECT_FALSE(ReadWith({{kVariable, "true"}}).settings.capture_content) << "nothing is sent anywhere";
}

TEST(OtelValues, UrlsOfSignals) {
  EXPECT_EQ(OtlpUrl("http://c:4318/", "logs"), "http://c:4318/v1/logs");
  EXPECT_EQ(OtlpUrl("http://c/otlp", "traces"), "http://c/otlp/v1/traces");
  EXPECT_EQ(OtlpUrl("http://c/v1/traces", "metrics"), "http://c/v1/metrics");
  EXPECT_EQ(OtlpUrl("https://i/v2/trace/otlp", "traces"), "https://i/v2/trace/otlp");
}

}  // namespace
}  // namespace gw::config
