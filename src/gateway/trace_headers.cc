#include "gateway/trace_headers.h"

#include "base/limits.h"

namespace gw::gateway {

std::string TraceStateOf(const http::Headers& headers) {
  return headers.Joined("tracestate", limits::kTraceStateLinesBytesMax);
}

void AddTraceHeaders(const RequestContext& context, const config::Deployment& deployment, HeaderList& out) {
  const config::OtelSettings& otel = context.core.snapshot->telemetry.otel;
  if (!otel.forward_traceparent) [[likely]] return;
  for (const auto& [name, value] : deployment.extra_headers) {
    if (EqualsIgnoreCase(name, "traceparent")) return;
  }
  const telemetry::RequestRecord* record = context.record.get();
  if (otel.traces.on && record != nullptr && !record->attempts.empty()) {
    out.emplace_back("traceparent", telemetry::TraceParent(record->trace, record->attempts.back().span_id));
    if (!record->trace.tracestate.empty()) out.emplace_back("tracestate", record->trace.tracestate);
    return;
  }
  const http::Headers& headers = context.exchange.head().headers;
  const std::string_view parent = headers.Get("traceparent");
  if (parent.empty()) return;
  out.emplace_back("traceparent", std::string(parent));
  if (std::string state = TraceStateOf(headers); !state.empty()) out.emplace_back("tracestate", std::move(state));
}

}  // namespace gw::gateway
