// Which OTLP messages does a record become? Spans, a log record; and the envelope around many of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "telemetry/otlp_writer.h"
#include "telemetry/record.h"

namespace gw::telemetry {

enum class OtlpSignal : uint8_t { kTraces, kMetrics, kLogs };

// The field of the envelope that holds spans, metrics or log records.
[[nodiscard]] OtlpField ElementsField(OtlpSignal signal);
// The whole body. `resource`: EncodeResource's; `elements`: a list of ElementsField.
[[nodiscard]] std::string EncodeExport(OtlpSignal signal, OtlpFormat format, std::string_view resource,
                                       std::string_view elements);
// Takes the configured attributes and adds what the process knows of itself.
[[nodiscard]] std::string EncodeResource(OtlpFormat format, const config::OtelSettings& settings,
                                         std::string_view instance_id);

struct ContentChoice {
  bool spans = false, logs = false;  // messages of client and model may be told
};
// The request and its attempts, as elements of a list of spans.
struct EncodedSpans {
  std::string elements;
  uint32_t spans = 0;
};
[[nodiscard]] EncodedSpans EncodeSpans(OtlpFormat format, const RequestRecord& record, ContentChoice content);
// One element of a list of log records.
[[nodiscard]] std::string EncodeLogRecord(OtlpFormat format, const RequestRecord& record, ContentChoice content);

}  // namespace gw::telemetry
