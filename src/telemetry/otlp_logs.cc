// The log record of a request: what the access log says, with the ids of its trace.
#include "telemetry/otel_attributes.h"
#include "telemetry/otel_content.h"
#include "telemetry/otlp_encode.h"

namespace gw::telemetry {
namespace {

namespace field {
constexpr OtlpField kTime{1, "timeUnixNano"}, kSeverityNumber{2, "severityNumber"}, kSeverityText{3, "severityText"},
    kBody{5, "body"}, kAttributes{6, "attributes"}, kFlags{8, "flags"}, kTraceId{9, "traceId"}, kSpanId{10, "spanId"},
    kObservedTime{11, "observedTimeUnixNano"}, kEventName{12, "eventName"};
}  // namespace field

struct Severity {
  int number;
  std::string_view text;
};

[[nodiscard]] Severity SeverityOf(const RequestRecord& record) {
  if (record.outcome == RequestRecord::Outcome::kSuccess) return {9, "INFO"};
  const bool is_ours = record.outcome == RequestRecord::Outcome::kFailure && record.status >= 500;
  return is_ours ? Severity{17, "ERROR"} : Severity{13, "WARN"};
}

// Where no spans are sent, the client's own span is the one to join.
void AddTrace(OtlpWriter& log, const RequestRecord& record) {
  if (!record.is_traced) return;
  const bool has_spans = !record.snapshot || record.snapshot->telemetry.otel.traces.on;
  if (!has_spans && !record.trace.has_parent()) return;
  log.Id(field::kTraceId, record.trace.trace_id);
  log.Id(field::kSpanId, has_spans ? record.trace.span_id : record.trace.parent_id);
  log.Fixed32(field::kFlags, record.trace.flags());
}

}  // namespace

std::string EncodeLogRecord(OtlpFormat format, const RequestRecord& record, ContentChoice content) {
  OtlpWriter log(format);
  const auto time = static_cast<uint64_t>(record.finished_unix_ns);
  log.Fixed64(field::kTime, time);
  log.Fixed64(field::kObservedTime, time);
  const Severity severity = SeverityOf(record);
  log.Enum(field::kSeverityNumber, severity.number);
  log.String(field::kSeverityText, severity.text);
  log.String(field::kEventName, "litellm.request");
  const std::string line = record.method + " " + record.route + " " + std::to_string(record.status);
  log.Message(field::kBody, EncodeText(format, line));
  Attributes attributes = RequestAttributes(record);
  attributes.push_back({"litellm.duration_s", record.DurationSeconds()});
  if (!record.error_message.empty()) attributes.push_back({"error.message", record.error_message});
  if (content.logs) ParsedContent(record).AddMessages(attributes);
  log.List(EncodeAttributes(format, field::kAttributes, attributes));
  AddTrace(log, record);
  return log.Encoded();
}

}  // namespace gw::telemetry
