// What does a request say about its own logging, and what is there to tell?
#include "telemetry/logged_request.h"

#include "base/strings.h"
#include "telemetry/stream_answer.h"

namespace gw::telemetry {
namespace {

json::Object ParseObject(std::string_view text) {
  auto value = json::ParseTree(text);
  return value && value->is_object() ? std::move(value->get_object()) : json::Object{};
}

// An object, or the text of one.
json::Object MetadataOf(const json::Object& body, std::string_view key) {
  const json::Value* value = json::Get(body, key);
  if (value == nullptr) return {};
  if (value->is_object()) return value->get_object();
  return value->is_string() ? ParseObject(json::GetString(body, key)) : json::Object{};
}

// A client's credential in its metadata is for nobody else. Numbers ("token_count") are none.
void DropCredentials(json::Value& value);
void DropCredentials(json::Object& object) {
  for (auto it = object.begin(); it != object.end();) {
    const bool holds_text = !it->value().is_number() && !it->value().is_bool() && !it->value().is_null();
    if (holds_text && IsCredentialName(std::string_view(it->key().data(), it->key().size()))) {
      it = object.erase(it);
    } else {
      DropCredentials(it->value());
      ++it;
    }
  }
}
void DropCredentials(json::Value& value) {
  if (value.is_object()) DropCredentials(value.get_object());
  if (!value.is_array()) return;
  for (json::Value& item : value.get_array()) DropCredentials(item);
}

std::string TextOf(const json::Value* value) {
  if (value == nullptr || value->is_null() || value->is_object() || value->is_array()) return "";
  if (!value->is_string()) return json::Serialize(*value);
  return {value->get_string().data(), value->get_string().size()};
}

// compat: the session comes before the trace (1.109.1 without request_correlation_in_logs).
std::string TraceIdOf(const LoggedRequest& request) {
  const std::string found[] = {TextOf(json::Get(request.body, "litellm_session_id")),
                               std::string(request.Header("x-litellm-session-id")),
                               TextOf(json::Get(request.body, "litellm_trace_id")),
                               std::string(request.Header("x-litellm-trace-id")),
                               TextOf(json::Get(request.metadata, "session_id")),
                               TextOf(json::Get(request.metadata, "trace_id"))};
  for (const std::string& text : found) {
    if (!text.empty()) return text;
  }
  return request.record.call_id;
}

void AddTags(std::vector<std::string>& tags, const json::Value* value) {
  if (value == nullptr) return;
  for (std::string& tag : json::StringsOf(*value)) tags.push_back(std::move(tag));
}

std::vector<std::string> TagsOf(const LoggedRequest& request) {
  std::vector<std::string> tags;
  AddTags(tags, json::Get(request.metadata, "tags"));
  AddTags(tags, json::Get(request.body, "tags"));
  for (const std::string_view tag : Split(request.Header("x-litellm-tags"), ',')) {
    if (!Trim(tag).empty()) tags.emplace_back(Trim(tag));
  }
  const std::string& agent = request.record.user_agent;
  if (!request.settings.user_agent_tags || agent.empty()) return tags;
  if (const size_t slash = agent.find('/'); slash != std::string::npos) {
    tags.push_back("User-Agent: " + agent.substr(0, slash));
  }
  tags.push_back("User-Agent: " + agent);
  return tags;
}

// compat: any value of the header counts, also "false".
bool IsRedacted(const LoggedRequest& request) {
  if (!request.Header("litellm-disable-message-redaction").empty()) return false;
  return request.settings.turn_off_message_logging || !request.Header("litellm-enable-message-redaction").empty() ||
         !request.Header("x-litellm-enable-message-redaction").empty();
}

json::Value AnswerOf(const RequestRecord& record) {
  if (record.response_body.empty()) return nullptr;
  if (record.endpoint == api::Endpoint::kSpeech) return "speech-output";
  if (record.stream) return AssembleStream(record.endpoint, record.response_body, record.usage);
  if (auto value = json::ParseTree(record.response_body)) return std::move(*value);
  if (record.response_is_cut) return "not logged: the answer is larger than what is kept";
  return json::Value(record.response_body);  // a transcription as text
}

bool HasFailed(const AttemptRecord& attempt) {
  return attempt.outcome == AttemptRecord::Outcome::kFailed || attempt.outcome == AttemptRecord::Outcome::kBroken;
}

const AttemptRecord* FirstFailed(const RequestRecord& record) {
  for (const AttemptRecord& attempt : record.attempts) {
    if (HasFailed(attempt)) return &attempt;
  }
  return nullptr;
}

LoggedEvent FailureOf(const RequestRecord& record, const AttemptRecord* attempt) {
  LoggedEvent event;
  event.attempt = attempt;
  event.begin = attempt == nullptr ? record.arrived : attempt->begin;
  event.end = attempt == nullptr || attempt->end == TimePoint{} ? record.finished : attempt->end;
  event.first_content = event.end;
  const bool own = attempt != nullptr && !attempt->error_class.empty();
  event.status = own ? attempt->status : record.status;
  event.error_class = own ? std::string_view(attempt->error_class) : std::string_view(record.error_class);
  event.error_message = own ? std::string_view(attempt->error_message) : std::string_view(record.error_message);
  return event;
}

LoggedEvent SuccessOf(const RequestRecord& record) {
  LoggedEvent event;
  event.success = true;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.outcome == AttemptRecord::Outcome::kSuccess) event.attempt = &attempt;
  }
  event.status = record.status;
  event.begin = event.attempt == nullptr ? record.arrived : event.attempt->begin;
  event.end = record.finished;
  const bool streamed = record.stream && record.first_chunk != TimePoint{};
  event.first_content = streamed ? record.first_chunk : event.end;
  return event;
}

}  // namespace

std::string_view LoggedRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : record.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

std::string LoggedRequest::EndUser() const {
  if (!record.end_user.empty()) return record.end_user;
  return TextOf(json::Get(body, "user"));
}

std::string LoggedRequest::ErrorText(const LoggedEvent& event) const {
  if (!is_redacted || event.error_message.empty()) return std::string(event.error_message);
  return std::string(event.error_class) + ", status " + std::to_string(event.status);
}

LoggedRequest ReadLoggedRequest(const RequestRecord& record, const config::CallbackSettings& settings) {
  LoggedRequest out{record, settings, ParseObject(record.request_body), {}, nullptr, {}, "", false, false};
  out.metadata = MetadataOf(out.body, "metadata");
  if (record.endpoint == api::Endpoint::kMessages) {
    for (auto& member : MetadataOf(out.body, "litellm_metadata")) out.metadata[member.key()] = member.value();
  }
  DropCredentials(out.metadata);
  out.no_log = record.no_log || (json::IsTrue(out.body, "no-log") && !settings.ignore_no_log);
  if (out.no_log) return out;
  // What a cut body says about its logging is not known: nothing is told then.
  out.is_redacted = IsRedacted(out) || (record.request_is_cut && out.body.empty());
  out.trace_id = TraceIdOf(out);
  out.tags = TagsOf(out);
  if (record.outcome == RequestRecord::Outcome::kSuccess) out.answer = AnswerOf(record);
  return out;
}

std::vector<LoggedEvent> EventsOf(const RequestRecord& record) {
  std::vector<LoggedEvent> events;
  const AttemptRecord* failed = FirstFailed(record);
  if (record.outcome == RequestRecord::Outcome::kSuccess) {
    if (failed != nullptr) events.push_back(FailureOf(record, failed));
    events.push_back(SuccessOf(record));
  } else if (record.outcome == RequestRecord::Outcome::kAbandoned) {
    LoggedEvent event = FailureOf(record, nullptr);
    if (event.error_class.empty()) {
      event.error_class = "ClientDisconnected";
      event.error_message = "the client closed the connection";
    }
    if (!record.attempts.empty()) event.attempt = &record.attempts.back();
    event.begin = record.attempts.empty() ? record.arrived : record.attempts.back().begin;
    events.push_back(event);
  } else {
    events.push_back(FailureOf(record, failed));
  }
  return events;
}

}  // namespace gw::telemetry
