// What is written: fields byte by byte, then spans and log records read back from their JSON form. That
// protobuf says the same is shown by tests/integration/test_otel.py with the official classes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/json_tree.h"
#include "telemetry/genai_metrics.h"
#include "telemetry/otel_attributes.h"
#include "telemetry/otel_content.h"
#include "telemetry/otlp_answer.h"
#include "telemetry/otlp_encode.h"

namespace gw::telemetry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr OtlpFormat kProtobuf = OtlpFormat::kHttpProtobuf, kJson = OtlpFormat::kHttpJson;

TEST(OtlpWriter, WritesProtobuf) {
  OtlpWriter writer(kProtobuf);
  writer.String({1, "a"}, "hi");
  writer.Fixed64({2, "b"}, 0x0102);
  writer.Int64({3, "c"}, -1);
  writer.Bool({4, "d"}, true);
  writer.Fixed32({16, "e"}, 7);
  const std::string wanted(
      "\x0a\x02hi"
      "\x11\x02\x01\0\0\0\0\0\0"
      "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
      "\x20\x01"
      "\x85\x01\x07\0\0\0",
      4 + 9 + 11 + 2 + 6);
  EXPECT_EQ(writer.Encoded(), wanted);
}

TEST(OtlpWriter, WritesJsonAsOtlpWantsIt) {
  OtlpWriter writer(kJson);
  writer.String({1, "text"}, "a\"\xFF\xE2\x82");
  writer.Id({1, "traceId"}, SpanIdFrom(0xABCD));
  writer.Fixed64({2, "time"}, 18446744073709551615ULL);
  writer.Int64({3, "count"}, -5);
  writer.Enum({3, "kind"}, 2);
  writer.Double({3, "infinite"}, std::numeric_limits<double>::infinity());
  const double bounds[] = {0.5, 1};
  writer.PackedDouble({3, "bounds"}, bounds);
  writer.PackedFixed64({3, "none"}, {});
  OtlpList list(kJson, {4, "list"});
  list.Add("{}");
  list.Append(R"({"x":1})");
  writer.List(list);
  EXPECT_EQ(writer.Encoded(),
            "{\"text\":\"a\\\"\uFFFD\uFFFD\uFFFD\",\"traceId\":\"000000000000abcd\",\"time\":\"18446744073709551615\","
            "\"count\":\"-5\",\"kind\":2,\"infinite\":\"Infinity\",\"bounds\":[0.5,1.0],\"none\":[],"
            "\"list\":[{},{\"x\":1}]}");
  EXPECT_EQ(OtlpWriter(kJson).Encoded(), "{}");
}

// ---------------------------------------------------------------- records
struct World {
  config::Deployment slow, quick;
  RequestRecord record;

  World() {
    for (config::Deployment* d : {&slow, &quick}) {
      d->provider = "mistral";
      d->origin.host = "upstream";
      d->origin.port = 443;
    }
    slow.id = "slow";
    quick.id = "quick";
    record.trace = BeginTrace("", "", Sampler::kAlwaysOn, 1, {1, 2, 3});
    record.is_traced = true;
    record.method = "POST";
    record.route = "/v1/chat/completions";
    record.finished_unix_ns = 1'000'000'000'000;
    record.arrived = At(0);
    record.finished = At(100);
    record.outcome = RequestRecord::Outcome::kSuccess;
    record.status = 200;
  }
  [[nodiscard]] static TimePoint At(int ms) { return TimePoint{} + milliseconds(1000 + ms); }
  AttemptRecord& Attempt(const config::Deployment& on, int begin, int end, AttemptRecord::Outcome outcome) {
    AttemptRecord& attempt = record.attempts.emplace_back();
    attempt.deployment = &on;
    attempt.model_group = on.id + "-group";
    attempt.upstream_model = "m";
    attempt.span_id = SpanIdFrom(100 + record.attempts.size());
    attempt.begin = At(begin);
    attempt.end = At(end);
    attempt.outcome = outcome;
    return attempt;
  }
  [[nodiscard]] json::Array Spans(ContentChoice content = {}) const {
    return json::ParseTree("[" + EncodeSpans(kJson, record, content).elements + "]")->get_array();
  }
};

[[nodiscard]] std::vector<std::string> EventsOf(const json::Value& span) {
  std::vector<std::string> names;
  const json::Value* events = json::Get(span.get_object(), "events");
  if (events == nullptr) return names;
  for (const json::Value& event : events->get_array()) {
    names.push_back(std::string(json::GetString(event.get_object(), "name")) + "@" +
                    std::string(json::GetString(event.get_object(), "timeUnixNano")));
  }
  return names;
}

TEST(OtlpSpans, TellWhatLayBetweenTheAttempts) {
  World world;
  AttemptRecord& failed = world.Attempt(world.slow, 10, 20, AttemptRecord::Outcome::kFailed);
  failed.error_class = "Timeout";
  failed.error_message = "late";
  failed.cooldown_started = true;
  world.Attempt(world.slow, 30, 60, AttemptRecord::Outcome::kHedgedAway);
  world.Attempt(world.slow, 40, 60, AttemptRecord::Outcome::kFailed);
  world.Attempt(world.quick, 60, 90, AttemptRecord::Outcome::kSuccess).is_fallback = true;
  const json::Array spans = world.Spans();
  ASSERT_EQ(spans.size(), 5u);
  EXPECT_THAT(EventsOf(spans[0]), ElementsAre("litellm.cooldown@999920000000", "litellm.retry@999930000000",
                                              "litellm.hedge@999940000000", "litellm.fallback@999960000000"));
  const std::string first = json::Serialize(spans[1]);
  EXPECT_THAT(first, HasSubstr(R"("status":{"message":"late","code":2})"));
  EXPECT_THAT(first, HasSubstr(R"("parentSpanId":"0000000000000003")"));
  EXPECT_THAT(first, HasSubstr(R"("name":"chat m","kind":3,"startTimeUnixNano":"999910000000","endTimeUnixNano":"999920000000")"));
  EXPECT_THAT(first, HasSubstr(R"({"key":"gen_ai.provider.name","value":{"stringValue":"mistral_ai"}})"));
  EXPECT_THAT(json::Serialize(spans[2]), Not(HasSubstr("status\":")));
  EXPECT_THAT(json::Serialize(spans[0]), Not(HasSubstr("parentSpanId")));
}

TEST(OtlpSpans, TheServerSpanIsAnErrorOnlyForTheServersFault) {
  for (const auto& [status, is_error] : {std::pair(500, true), std::pair(404, false), std::pair(429, false)}) {
    World world;
    world.record.outcome = RequestRecord::Outcome::kFailure;
    world.record.status = status;
    const std::string span = json::Serialize(world.Spans()[0]);
    EXPECT_EQ(span.find(R"("status":{"code":2})") != std::string::npos, is_error) << status;
    EXPECT_THAT(span, HasSubstr(R"({"key":"error.type","value":{"stringValue":")" + std::to_string(status)));
  }
}

TEST(OtlpSpans, HoldMessagesOnlyWhenTheyMay) {
  World world;
  world.Attempt(world.slow, 0, 10, AttemptRecord::Outcome::kFailed);
  world.Attempt(world.quick, 20, 90, AttemptRecord::Outcome::kSuccess);
  world.record.request_body =
      R"({"temperature":0.5,"max_tokens":9,"stop":"x","messages":[{"role":"system","content":"be brief"},)"
      R"({"role":"user","content":[{"type":"text","text":"private"},{"type":"image_url","image_url":{"url":"data:"}}]},)"
      R"({"role":"tool","tool_call_id":"t","content":"42"}]})";
  world.record.response_body = R"({"id":"r1","model":"m2","choices":[{"index":0,"finish_reason":"tool_calls","message":)"
                               R"({"content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}}]})";
  const std::string closed = EncodeSpans(kJson, world.record, {}).elements;
  EXPECT_THAT(closed, Not(HasSubstr("private")));
  EXPECT_THAT(closed, HasSubstr(R"({"key":"gen_ai.request.max_tokens","value":{"intValue":"9"}})"));
  EXPECT_THAT(closed, HasSubstr(R"({"key":"gen_ai.response.finish_reasons","value":{"arrayValue":{"values":[{"stringValue":"tool_calls"}]}}})"));
  const json::Array open = world.Spans({true, false});
  EXPECT_THAT(json::Serialize(open[1]), Not(HasSubstr("private")));  // once
  const std::string last = json::Serialize(open[2]);
  EXPECT_THAT(last, HasSubstr(R"({\"type\":\"text\",\"content\":\"private\"},{\"type\":\"image_url\"})"));
  EXPECT_THAT(last, HasSubstr(R"({\"type\":\"tool_call_response\",\"id\":\"t\",\"response\":\"42\"})"));
  EXPECT_THAT(last, HasSubstr(R"({\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"})"));
}

TEST(OtlpLogs, CarryTheTraceAndTheSeverity) {
  World world;
  world.record.outcome = RequestRecord::Outcome::kAbandoned;
  world.record.status = 499;
  const std::string log = EncodeLogRecord(kJson, world.record, {});
  EXPECT_THAT(log, HasSubstr(R"("timeUnixNano":"1000000000000")"));
  EXPECT_THAT(log, HasSubstr(R"("severityNumber":13,"severityText":"WARN")"));
  EXPECT_THAT(log, HasSubstr(R"("traceId":"00000000000000010000000000000002","spanId":"0000000000000003","flags":1)"));
}

// ---------------------------------------------------------------- answers
TEST(ParseAnswer, ReadsBothSchemasAndTheirStreams) {
  const std::string openai =
      "data: "
      "{\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
      "\"Hel\"}}]}\n\n"
      "data: {\"id\":\"a\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"two\"},\"finish_reason\":\"length\"},"
      "{\"index\":0,\"delta\":{\"content\":\"lo\",\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":"
      "\"f\",\"arguments\":\"{\"}}]}}]}\r\n\r\n"
      "data: "
      "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]},"
      "\"finish_reason\":\"stop\"}]}\n\n"
      "data: "
      "{\"choices\":[{\"index\":-1,\"delta\":{}},{\"index\":99999999,\"delta\":{\"content\":\"far\"}}]}\n\ndata: "
      "[DONE]\n\n";
  const ParsedAnswer chat = ParseAnswer(openai);
  EXPECT_EQ(chat.id + chat.model, "am");
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.messages[0].text, "Hello");
  EXPECT_EQ(chat.messages[0].finish_reason, "stop");
  EXPECT_EQ(chat.messages[0].tool_calls.at(0).arguments, "{}");
  EXPECT_EQ(chat.messages[1].finish_reason, "length");

  const std::string anthropic =
      "event: message_start\ndata: "
      "{\"type\":\"message_start\",\"message\":{\"id\":\"b\",\"model\":\"c\",\"content\":[]}}\n\n"
      "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
      "data: "
      "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\","
      "\"input\":{}}}\n\n"
      "data: "
      "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":1}"
      "\"}}\n\n"
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n";
  const ParsedAnswer streamed = ParseAnswer(anthropic);
  const ParsedAnswer whole = ParseAnswer(
      R"({"id":"b","type":"message","model":"c","content":[{"type":"text","text":"Hi"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use"})");
  for (const ParsedAnswer* answer : {&streamed, &whole}) {
    EXPECT_EQ(answer->id + answer->model, "bc");
    ASSERT_EQ(answer->messages.size(), 1u);
    EXPECT_EQ(answer->messages[0].text, "Hi");
    EXPECT_EQ(answer->messages[0].finish_reason, "tool_use");
    EXPECT_EQ(answer->messages[0].tool_calls.at(0).arguments, R"({"a":1})");
  }
  for (const char* nothing : {"", "{", "data: {\"choices\"", "[]", "data: 7"})
    EXPECT_TRUE(ParseAnswer(nothing).messages.empty());
}

TEST(ParseExportAnswer, ReadsPartialSuccessOfBothFormats) {
  const PartialSuccess json = ParseExportAnswer(R"({"partialSuccess":{"rejectedSpans":"5","errorMessage":"too\nold"}})", true);
  EXPECT_EQ(json.rejected, 5);
  EXPECT_EQ(json.message, "too old");
  const PartialSuccess binary = ParseExportAnswer(std::string("\x0a\x09\x08\x96\x01\x12\x04late", 11), false);
  EXPECT_EQ(binary.rejected, 150);
  EXPECT_EQ(binary.message, "late");
  for (const std::string& broken :
       {std::string("\x0a\xff"), std::string("\x0a"), std::string(12, '\xff'), std::string()}) {
    EXPECT_EQ(ParseExportAnswer(broken, false).rejected, 0);
    EXPECT_EQ(ParseExportAnswer(broken, true).rejected, 0);
  }
}

// ---------------------------------------------------------------- metrics
TEST(GenAiMetrics, AreBoundedAndCountIntoTheBucketsOfTheConventions) {
  World world;
  world.record.stream = true;
  world.record.first_chunk = World::At(30);
  world.record.usage.prompt_tokens = 4;
  world.record.usage.completion_tokens = 11;
  world.Attempt(world.quick, 10, 90, AttemptRecord::Outcome::kSuccess).first_content = World::At(40);
  GenAiMetrics metrics(1);
  metrics.Observe(world.record);
  std::string text;
  metrics.Encode(kJson, 2, [&text](const std::string& metric, uint32_t) { text += metric; });
  EXPECT_THAT(text, HasSubstr(R"("count":"1","sum":0.03,"bucketCounts":["0","0","0","0","1",)"));  // first token: (0.02, 0.04]
  EXPECT_THAT(text, HasSubstr(R"("count":"1","sum":0.005,"bucketCounts":["1",)"));             // 50 ms for ten tokens
  EXPECT_THAT(text, HasSubstr(R"("count":"1","sum":4.0,"bucketCounts":["0","1","0",)"));       // a bound belongs to its bucket
  for (size_t i = 0; i < 2 * kGenAiSeriesMax; ++i) {
    world.record.model_group = "a client's text " + std::to_string(i);
    metrics.Observe(world.record);
  }
  uint32_t before = 0;
  metrics.Encode(kProtobuf, 2, [&before](const std::string&, uint32_t points) { before = std::max(before, points); });
  EXPECT_LE(before, 2U);  // input and output tokens: a client's own words make no series
  world.record.deployment = &world.quick;
  for (size_t i = 0; i < 2 * kGenAiSeriesMax; ++i) {
    world.quick.model_name = "group-" + std::to_string(i);
    metrics.Observe(world.record);
  }
  uint32_t most = 0;
  metrics.Encode(kProtobuf, 2, [&most](const std::string&, uint32_t points) { most = std::max(most, points); });
  EXPECT_EQ(most, kGenAiSeriesMax + 1);
}

TEST(OtlpMetrics, SplitLargeFamilies) {
  metrics::Registry registry({});
  metrics::Family* family = registry.Add({"many", "", metrics::Type::kCounter, {"n"}, {}});
  for (size_t i = 0; i < 2 * kPointsPerMetricMax + 1; ++i) {
    const std::string text = "v\"" + std::to_string(i);
    const std::string_view value[] = {text};
    family->With(value)->Add(0, 1);
  }
  std::vector<uint32_t> parts;
  std::string last;
  EncodeRegistry(kJson, registry, 1, 2, [&](std::string metric, uint32_t points) {
    parts.push_back(points);
    last = std::move(metric);
  });
  EXPECT_THAT(parts, ElementsAre(kPointsPerMetricMax, kPointsPerMetricMax, 1));
  EXPECT_THAT(last, HasSubstr(R"({"name":"many_total","description":"","sum":{"dataPoints":[{"startTimeUnixNano":")"));
  EXPECT_THAT(last, HasSubstr(R"("asDouble":1.0)"));
}

}  // namespace
}  // namespace gw::telemetry
