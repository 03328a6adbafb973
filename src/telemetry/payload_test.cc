// What stands in a payload, what is redacted, and who is not logged at all?
#include "telemetry/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "telemetry/kept_request.h"
#include "telemetry/langfuse_limits.h"
#include "telemetry/record_test_kit.h"
#include "telemetry/s3_key.h"

namespace gw::telemetry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kGolden = GW_SOURCE_DIR "/tests/golden/telemetry/payload.json";

std::vector<json::Object> Payloads(const RequestRecord& record, const config::CallbackSettings& settings) {
  const LoggedRequest request = ReadLoggedRequest(record, settings);
  std::vector<json::Object> out;
  if (request.no_log) return out;
  for (const LoggedEvent& event : EventsOf(record)) out.push_back(BuildPayload(request, event));
  return out;
}

std::string Text(const json::Object& object) { return json::Serialize(object); }
const json::Object& In(const json::Object& object, std::string_view key) { return object.at(key).get_object(); }

TEST(Payload, IsWhatTheGoldenFileSays) {
  const RecordKit kit;
  std::string text;
  for (const json::Object& payload : Payloads(kit.Chat(), {})) text += Text(payload) + "\n";
  for (const json::Object& payload : Payloads(kit.Failure(), {})) text += Text(payload) + "\n";
  if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) std::ofstream(kGolden) << text;
  std::stringstream golden;
  golden << std::ifstream(kGolden).rdbuf();
  EXPECT_EQ(text, golden.str());
  EXPECT_THAT(text, Not(HasSubstr("sk-never-shown")));
}

TEST(Payload, AFallbackTellsTheFirstFailureAndTheSuccess) {
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.attempts.insert(record.attempts.begin(), kit.Attempt(1, AttemptRecord::Outcome::kFailed, 0, 0.25, 500));
  const auto payloads = Payloads(record, {});
  ASSERT_EQ(payloads.size(), 2u);
  EXPECT_EQ(payloads[0].at("status"), "failure");
  EXPECT_EQ(payloads[0].at("model_id"), "dep-b");
  EXPECT_EQ(In(payloads[0], "error_information").at("error_code"), "500");
  EXPECT_EQ(payloads[1].at("status"), "success");
  EXPECT_EQ(payloads[1].at("model_id"), "dep-a");
  EXPECT_EQ(payloads[0].at("litellm_call_id"), payloads[1].at("litellm_call_id"));
}

TEST(Payload, AHitHasItsOwnIdAndWhatItSaved) {
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.from_cache = true;
  record.cache_key = "key";
  record.cost_usd = 0;
  record.attempts.clear();
  const auto payloads = Payloads(record, {});
  ASSERT_EQ(payloads.size(), 1u);
  EXPECT_EQ(payloads[0].at("cache_hit"), true);
  EXPECT_THAT(std::string(payloads[0].at("id").get_string()), HasSubstr("chatcmpl-1_cache_hit1795878703.5"));
  EXPECT_EQ(payloads[0].at("response_cost"), 0.0);
  EXPECT_GT(payloads[0].at("saved_cache_cost").get_double(), 8e-6);
}

TEST(Payload, RedactionKeepsTheShapeAndNotTheText) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.turn_off_message_logging = true;
  RequestRecord record = kit.Chat();
  const std::string all = Text(Payloads(record, settings)[0]);
  EXPECT_THAT(all, Not(HasSubstr("Hello")));
  EXPECT_THAT(all, Not(HasSubstr("\"hi\"")));
  EXPECT_THAT(all, HasSubstr(R"("messages":[{"role":"user","content":"redacted-by-litellm"}])"));
  EXPECT_THAT(all, HasSubstr(R"("content":"redacted-by-litellm")"));
  record.headers.emplace_back("litellm-disable-message-redaction", "true");
  EXPECT_THAT(Text(Payloads(record, settings)[0]), HasSubstr("Hello")) << "the request's own header wins";
  record.headers.back() = {"litellm-enable-message-redaction", "true"};
  EXPECT_THAT(Text(Payloads(record, {})[0]), Not(HasSubstr("Hello")));
}

TEST(Payload, OtherAnswersAreRedactedToo) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.turn_off_message_logging = true;
  RequestRecord record = kit.Chat();
  record.endpoint = api::Endpoint::kMessages;
  record.response_body = R"({"id":"msg","type":"message","content":[{"type":"text","text":"secret words"}]})";
  EXPECT_EQ(Text(In(Payloads(record, settings)[0], "response")), R"({"text":"redacted-by-litellm"})");
  record.endpoint = api::Endpoint::kChat;
  record.response_body =
      R"({"id":"1","choices":[{"index":0,"message":{"content":null,"reasoning_content":"secret","tool_calls":[)"
      R"({"id":"c","function":{"name":"f","arguments":"secret"}}]},"logprobs":{"content":[{"token":"secret"}]}}]})";
  EXPECT_THAT(Text(In(Payloads(record, settings)[0], "response")), Not(HasSubstr("secret")));
}

TEST(Payload, RedactionLetsNoUnknownMemberThrough) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.turn_off_message_logging = true;
  RequestRecord record = kit.Chat();
  record.request_body =
      R"({"suffix":"private","stop":["private"],"tools":[{"type":"function","function":{"name":"f","description":)"
      R"("private","parameters":{"private":1}}}],"response_format":{"type":"json_schema","json_schema":"private"},)"
      R"("temperature":0.5})";
  record.response_body =
      R"({"id":"1","extra":"private","choices":[{"index":0,"finish_reason":"stop","novel":"private","message":)"
      R"({"role":"assistant","content":"private","annotations":["private"],"provider_fields":{"a":"private"}}}]})";
  const json::Object payload = Payloads(record, settings)[0];
  EXPECT_THAT(Text(payload), Not(HasSubstr("private")));
  EXPECT_EQ(Text(In(payload, "model_parameters")),
            R"({"suffix":"redacted-by-litellm","stop":"redacted-by-litellm","tools":[{"type":"function","function":)"
            R"({"name":"f"}}],"response_format":{"type":"json_schema"},"temperature":5E-1})");
  EXPECT_EQ(json::Serialize(In(payload, "response").at("choices")),
            R"([{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"redacted-by-litellm"}}])");
}

TEST(Payload, ErrorsOfARedactedRequestAreClassAndStatus) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.turn_off_message_logging = true;
  settings.langfuse.emplace();
  RequestRecord record = kit.Failure();
  record.attempts[0].error_message = "cannot read 'private words'";
  const LoggedRequest request = ReadLoggedRequest(record, settings);
  const LoggedEvent event = EventsOf(record)[0];
  const json::Object payload = BuildPayload(request, event);
  EXPECT_EQ(payload.at("error_str"), "InternalServerError, status 500");
  const std::string ids[2] = {"e1", "e2"};
  const LangfuseEvents events = MakeLangfuseEvents(request, event, payload, ids, "");
  EXPECT_THAT(Text(payload) + Text(events.trace) + Text(events.generation), Not(HasSubstr("private")));
}

TEST(Payload, CredentialsOfTheClientGoToNobody) {
  for (const char* name : {"langfuse_secret_key", "litellm-api-key", "x-api-key-2", "x-goog-auth-token", "x-MyCookie",
                           "x-amzn-oidc-accesstoken", "authorization", "x-session-token"}) {
    EXPECT_FALSE(IsLoggedHeader(name)) << name;
  }
  for (const char* name : {"langfuse_trace_id", "litellm-enable-message-redaction", "x-prompt-tokens", "x-litellm-tags"}) {
    EXPECT_TRUE(IsLoggedHeader(name)) << name;
  }
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.request_body = R"({"metadata":{"my_api_key":"private","password":"private","spend_logs_metadata":)"
                        R"({"deep":[{"secret":{"a":"private"}}]},"token_count":5,"team":"red"}})";
  const std::string text = Text(Payloads(record, {})[0]);
  EXPECT_THAT(text, Not(HasSubstr("private")));
  EXPECT_THAT(text, testing::AllOf(HasSubstr(R"("token_count":5)"), HasSubstr(R"("team":"red")")));
}

TEST(KeptRequest, NoLogIsReadFromTheWholeBody) {
  const auto keep = [](std::string_view body, bool ignore = false, api::Endpoint endpoint = api::Endpoint::kChat) {
    RequestRecord record = RecordKit().Chat();
    record.request_body.clear();
    record.endpoint = endpoint;
    std::vector<json::Member> members;
    json::CollectMembers(body, members);
    KeepRequestBody(body, members, ignore, record);
    return record;
  };
  const std::string big(2 << 20, 'x');
  const std::string body = R"({"messages":[{"role":"user","content":")" + big + R"("}],"metadata":{"mask_input":true})";
  RequestRecord record = keep(body + R"(,"no-log":true})");
  EXPECT_TRUE(record.no_log && record.request_body.empty() && record.headers.empty());
  EXPECT_TRUE(Payloads(record, {}).empty());
  EXPECT_FALSE(keep(body + R"(,"no-log":true})", true).no_log);
  EXPECT_FALSE(keep(R"({"no-log":"true"})").no_log) << "a text is none";
  EXPECT_TRUE(keep(R"({"no-log":"true"})", false, api::Endpoint::kTranscriptions).no_log) << "but in a form";
  record = keep(body + R"(,"no\u002dlog":false})");
  EXPECT_TRUE(record.request_is_cut && !record.no_log);
  EXPECT_EQ(record.request_body, R"({"metadata":{"mask_input":true},"no\u002dlog":false})");
  EXPECT_FALSE(ReadLoggedRequest(record, {}).is_redacted);
  record = keep(R"({"metadata":{"tags":[")" + big + R"("]},"messages":[]})");
  EXPECT_TRUE(ReadLoggedRequest(record, {}).is_redacted) << "masks may be among what is missing";
}

TEST(Payload, NoLogExcludesUnlessTheOperatorForbidsIt) {
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.request_body = R"({"model":"group-a","messages":[],"no-log":true})";
  EXPECT_TRUE(Payloads(record, {}).empty());
  config::CallbackSettings settings;
  settings.ignore_no_log = true;
  EXPECT_EQ(Payloads(record, settings).size(), 1u);
}

TEST(Payload, KeyInformationCanBeLeftOut) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.redact_user_api_key_info = true;
  const std::string text = Text(Payloads(kit.Chat(), settings)[0]);
  EXPECT_THAT(text, Not(HasSubstr("user_api_key")));
  EXPECT_THAT(text, Not(HasSubstr("\"hash\"")));
  EXPECT_THAT(text, Not(HasSubstr("enduser")));
}

TEST(Payload, LongBase64IsCutAndBrokenBodiesAreNothing) {
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.request_body = R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":)"
                        R"("data:image/png;base64,)" + std::string(5000, 'A') + R"("}}]}]})";
  const std::string text = Text(Payloads(record, {})[0]);
  EXPECT_THAT(text, HasSubstr("data:image/png;base64,[5000 characters of base64]"));
  record.request_body = R"({"messages":[{"role":)";
  record.request_is_cut = true;
  EXPECT_THAT(Text(Payloads(record, {})[0]), Not(HasSubstr("Hello"))) << "what it says about logging is lost";
  record.request_body = R"({"model":"group-a"})";
  EXPECT_TRUE(Payloads(record, {})[0].at("messages").is_null());
  record.response_body = R"({"id":)";
  record.response_is_cut = true;
  EXPECT_TRUE(Payloads(record, {})[0].at("response").is_string());
}

TEST(Payload, SystemPromptsAndInputsBecomeMessages) {
  const RecordKit kit;
  RequestRecord record = kit.Chat();
  record.endpoint = api::Endpoint::kMessages;
  record.request_body = R"({"system":"be short","messages":[{"role":"user","content":"x"}],"litellm_metadata":{"tags":["a"]}})";
  json::Object payload = Payloads(record, {})[0];
  EXPECT_EQ(json::Serialize(payload.at("messages")),
            R"([{"role":"system","content":"be short"},{"role":"user","content":"x"}])");
  EXPECT_THAT(json::StringsOf(payload.at("request_tags")), ElementsAre("a", "User-Agent: curl", "User-Agent: curl/7.88.1"));
  record.endpoint = api::Endpoint::kEmbeddings;
  record.request_body = R"({"input":["one"]})";
  EXPECT_EQ(json::Serialize(Payloads(record, {})[0].at("messages")), R"([{"role":"user","content":"one"}])");
}

TEST(S3Key, IsTheDayTheTimeAndTheId) {
  const RecordKit kit;
  config::S3Settings settings;
  settings.path = "pre/fix";
  json::Object payload = Payloads(kit.Chat(), {})[0];
  EXPECT_EQ(NameObject(settings, payload, 1795878703'022'489'000).key,
            "pre/fix/2026-11-28/time-15-11-43-022489_chatcmpl-1.json");
  settings.partition_by_hour = settings.use_key_prefix = true;
  settings.path = "";
  payload["id"] = "a/b:c\"\r\n";
  const S3Object object = NameObject(settings, payload, 1795878703'022'489'000);
  EXPECT_EQ(object.key, "alias/2026-11-28/15/time-15-11-43-022489_a_b_c___.json");
  EXPECT_EQ(object.file_name, "time-2026-11-28T15-11-43-022489_a_b_c___.json");
  payload["id"] = std::string(2000, 'x');
  EXPECT_LE(NameObject(settings, payload, 0).key.size(), 1024u);
}

TEST(Langfuse, ATraceAndAGeneration) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.langfuse.emplace().default_tags = {"custom", "cache_hit"};
  RequestRecord record = kit.Chat();
  const LoggedRequest request = ReadLoggedRequest(record, settings);
  const LoggedEvent event = EventsOf(record)[0];
  const std::string ids[2] = {"e1", "e2"};
  const LangfuseEvents events = MakeLangfuseEvents(request, event, BuildPayload(request, event), ids, "");
  const json::Object &trace = In(events.trace, "body"), &generation = In(events.generation, "body");
  EXPECT_EQ(events.trace.at("type"), "trace-create");
  EXPECT_EQ(events.generation.at("type"), "generation-create");
  EXPECT_EQ(trace.at("name"), "from header");
  EXPECT_EQ(trace.at("sessionId"), "sess-1");
  EXPECT_EQ(trace.at("id"), "call-1") << "a session alone names no trace";
  EXPECT_EQ(trace.at("userId"), "enduser");
  EXPECT_THAT(json::StringsOf(trace.at("tags")), testing::IsSupersetOf({"t1", "custom:v", "cache_hit:False"}));
  EXPECT_EQ(generation.at("traceId"), trace.at("id"));
  EXPECT_EQ(generation.at("startTime"), "2026-11-28T15:11:41.750000Z");
  EXPECT_EQ(In(generation, "usageDetails").at("cache_read_input_tokens"), 1);
  EXPECT_EQ(In(generation, "usageDetails").at("input"), 4);
  EXPECT_EQ(In(generation, "costDetails").at("total"), 9e-6);
  EXPECT_EQ(In(generation, "output").at("content"), "Hello");
  EXPECT_EQ(generation.at("level"), "DEFAULT");
}

TEST(Langfuse, WhatIsTooLongIsToldOnceOrShort) {
  LangfuseEvents events;
  const std::string text(1000, 'x');
  for (json::Object* event : {&events.trace, &events.generation}) {
    (*event)["body"] = json::Object{{"id", "i"}, {"input", text}, {"output", text}};
  }
  LangfuseEvents more = events;
  const std::string once = LangfuseItem(events, 3500);
  EXPECT_LE(once.size(), 3500u);
  EXPECT_EQ(In(events.trace, "body").at("input"), json::Value(text));
  EXPECT_THAT(json::Serialize(In(events.generation, "body").at("input")), HasSubstr("see the trace"));
  EXPECT_LE(LangfuseItem(more, 1200).size(), 1200u);
}

TEST(Langfuse, RefusedEventsAreCountedByRecord) {
  EXPECT_EQ(LangfuseRejection(R"({"successes":[{"id":"a","status":201}],"errors":[]})").records, 0u);
  EXPECT_TRUE(LangfuseRejection("not JSON").why.empty());
  const Rejection rejection = LangfuseRejection(
      R"({"errors":[{"id":"a","status":400,"message":"private"},{"id":"a-g","status":400},{"id":"b-g","status":413}]})");
  EXPECT_EQ(rejection.records, 2u);
  EXPECT_EQ(rejection.why, "events refused with status 400 413");
}

TEST(Langfuse, AnExistingTraceIsNotOverwritten) {
  const RecordKit kit;
  config::CallbackSettings settings;
  settings.langfuse.emplace();
  RequestRecord record = kit.Failure();
  record.request_body = R"({"messages":[],"metadata":{"existing_trace_id":"tr","generation_id":"gen","mask_input":true}})";
  const LoggedRequest request = ReadLoggedRequest(record, settings);
  const LoggedEvent event = EventsOf(record)[0];
  const std::string ids[2] = {"e1", "e2"};
  const LangfuseEvents events = MakeLangfuseEvents(request, event, BuildPayload(request, event), ids, "");
  EXPECT_EQ(Text(In(events.trace, "body")), R"({"id":"tr"})");
  EXPECT_EQ(In(events.generation, "body").at("id"), "gen");
  EXPECT_EQ(In(events.generation, "body").at("input"), "redacted-by-litellm");
  EXPECT_EQ(In(events.generation, "body").at("level"), "ERROR");
  EXPECT_EQ(In(events.generation, "body").at("statusMessage"), "InternalServerError")
      << "an upstream's text may quote what is masked";
}

}  // namespace
}  // namespace gw::telemetry
