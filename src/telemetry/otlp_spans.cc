// The spans of a request: one of the server, below it one per attempt; what lies between attempts as events.
#include <algorithm>

#include "telemetry/otel_attributes.h"
#include "telemetry/otel_content.h"
#include "telemetry/otlp_encode.h"

namespace gw::telemetry {
namespace {

namespace field {
constexpr OtlpField kTraceId{1, "traceId"}, kSpanId{2, "spanId"}, kTraceState{3, "traceState"},
    kParentSpanId{4, "parentSpanId"}, kName{5, "name"}, kKind{6, "kind"}, kStart{7, "startTimeUnixNano"},
    kEnd{8, "endTimeUnixNano"}, kAttributes{9, "attributes"}, kEvents{11, "events"}, kStatus{15, "status"},
    kFlags{16, "flags"};
constexpr OtlpField kEventTime{1, "timeUnixNano"}, kEventName{2, "name"}, kEventAttributes{3, "attributes"};
constexpr OtlpField kStatusMessage{2, "message"}, kStatusCode{3, "code"};
}  // namespace field

constexpr int kKindServer = 2, kKindClient = 3, kStatusError = 2;
// Bits of Span.flags beside W3C's: it is known whether the parent is another process, and it is.
constexpr uint32_t kHasRemoteFlag = 0x100, kIsRemoteFlag = 0x200;

class SpanEncoder {
 public:
  SpanEncoder(OtlpFormat format, const RequestRecord& record)
      : format_(format), record_(record), span_(format), events_(format, field::kEvents) {}

  void Ids(const SpanId& span, const SpanId& parent, bool parent_is_remote) {
    span_.Id(field::kTraceId, record_.trace.trace_id);
    span_.Id(field::kSpanId, span);
    if (!record_.trace.tracestate.empty()) span_.String(field::kTraceState, record_.trace.tracestate);
    if (parent != SpanId{}) span_.Id(field::kParentSpanId, parent);
    span_.Fixed32(field::kFlags, record_.trace.flags() | kHasRemoteFlag | (parent_is_remote ? kIsRemoteFlag : 0));
  }
  void Shape(std::string_view name, int kind, TimePoint begin, TimePoint end) {
    span_.String(field::kName, name);
    span_.Enum(field::kKind, kind);
    span_.Fixed64(field::kStart, Nanoseconds(begin));
    span_.Fixed64(field::kEnd, Nanoseconds(std::max(begin, end)));
  }
  void Event(std::string_view name, TimePoint at, const Attributes& attributes) {
    OtlpWriter event(format_);
    event.Fixed64(field::kEventTime, Nanoseconds(at));
    event.String(field::kEventName, name);
    event.List(EncodeAttributes(format_, field::kEventAttributes, attributes));
    events_.Add(event.Encoded());
  }
  void Error(std::string_view message) {
    OtlpWriter status(format_);
    if (!message.empty()) status.String(field::kStatusMessage, message);
    status.Enum(field::kStatusCode, kStatusError);
    span_.Message(field::kStatus, status);
  }
  [[nodiscard]] std::string Finish(const Attributes& attributes) {
    span_.List(EncodeAttributes(format_, field::kAttributes, attributes));
    span_.List(events_);
    return span_.Encoded();
  }

 private:
  [[nodiscard]] uint64_t Nanoseconds(TimePoint point) const {
    return static_cast<uint64_t>(std::max<int64_t>(0, record_.UnixNs(point)));
  }

  const OtlpFormat format_;
  const RequestRecord& record_;
  OtlpWriter span_;
  OtlpList events_;
};

[[nodiscard]] TimePoint EndOf(const RequestRecord& record, const AttemptRecord& attempt) {
  return attempt.end == TimePoint{} ? record.finished : attempt.end;
}

// What led to the attempt after `before`.
void AddTransition(SpanEncoder& span, const RequestRecord& record, const AttemptRecord& before,
                   const AttemptRecord& next) {
  const TimePoint ended = EndOf(record, before);
  Attributes attributes;
  if (next.begin < ended) {
    attributes.push_back({"litellm.hedge.delay_s", Seconds(next.begin - before.begin)});
    return span.Event("litellm.hedge", next.begin, attributes);
  }
  attributes.push_back({"litellm.delay_s", Seconds(next.begin - ended)});
  if (std::string type = ErrorTypeOf(before); !type.empty()) attributes.push_back({"error.type", std::move(type)});
  if (next.is_fallback && next.model_group != before.model_group) {
    attributes.push_back({"litellm.fallback.from", before.model_group});
    attributes.push_back({"litellm.fallback.to", next.model_group});
    return span.Event("litellm.fallback", next.begin, attributes);
  }
  span.Event("litellm.retry", next.begin, attributes);
}

void AddEvents(SpanEncoder& span, const RequestRecord& record) {
  const AttemptRecord* before = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (before != nullptr && !attempt.is_side_call) AddTransition(span, record, *before, attempt);
    if (!attempt.is_side_call) before = &attempt;
    if (attempt.cooldown_started && attempt.deployment != nullptr) {
      const Attributes attributes = {{"litellm.deployment.id", attempt.deployment->id},
                                     {"litellm.model_group", attempt.model_group}};
      span.Event("litellm.cooldown", EndOf(record, attempt), attributes);
    }
  }
  if (record.stream && record.first_chunk > record.arrived) span.Event("first_token", record.first_chunk, {});
}

[[nodiscard]] std::string EncodeServer(OtlpFormat format, const RequestRecord& record) {
  SpanEncoder span(format, record);
  span.Ids(record.trace.span_id, record.trace.parent_id, record.trace.has_parent());
  TimePoint end = record.finished;
  for (const AttemptRecord& attempt : record.attempts) end = std::max(end, attempt.end);
  const std::string name = record.route.empty() ? record.method : record.method + " " + record.route;
  span.Shape(name, kKindServer, record.arrived, end);
  // HTTP conventions: what the client did wrong (4xx) is no error of the server.
  if (record.outcome == RequestRecord::Outcome::kFailure && record.status >= 500) span.Error(record.error_message);
  AddEvents(span, record);
  return span.Finish(RequestAttributes(record));
}

[[nodiscard]] std::string EncodeAttempt(OtlpFormat format, const RequestRecord& record, const AttemptRecord& attempt,
                                        const ParsedContent& content, ContentChoice choice) {
  SpanEncoder span(format, record);
  span.Ids(attempt.span_id, record.trace.span_id, false);
  span.Shape(std::string(OperationName(EndpointOf(record, attempt))) + " " + attempt.upstream_model, kKindClient, attempt.begin,
             EndOf(record, attempt));
  if (!ErrorTypeOf(attempt).empty()) span.Error(attempt.error_message);
  if (attempt.first_content > attempt.begin) span.Event("first_token", attempt.first_content, {});
  Attributes attributes = AttemptAttributes(record, attempt);
  if (attempt.is_side_call) return span.Finish(attributes);
  content.AddRequestParameters(attributes);
  if (attempt.outcome == AttemptRecord::Outcome::kSuccess) content.AddResponse(attributes);
  // Once: with the attempt that the client got its answer from, or the last.
  if (choice.spans && &attempt == &record.attempts.back()) content.AddMessages(attributes);
  return span.Finish(attributes);
}

}  // namespace

EncodedSpans EncodeSpans(OtlpFormat format, const RequestRecord& record, ContentChoice choice) {
  const ParsedContent content(record);
  OtlpList spans(format, ElementsField(OtlpSignal::kTraces));
  spans.Add(EncodeServer(format, record));
  uint32_t count = 1;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.span_id == SpanId{}) continue;
    spans.Add(EncodeAttempt(format, record, attempt, content, choice));
    ++count;
  }
  return {spans.text(), count};
}

}  // namespace gw::telemetry
