// A client's traceparent and tracestate may say anything: there is always a trace with sound ids, and what is
// passed on is read back as it was meant.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/trace_context.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gw::telemetry;
  // Memory of its own, so that the sanitizer sees every read beyond its end.
  const std::vector<char> copy(data, data + size);
  const std::string_view text(copy.data(), copy.size());
  const size_t line = text.find('\n');
  const std::string_view parent = text.substr(0, line);
  const std::string_view state = line == std::string_view::npos ? "" : text.substr(line + 1);
  const TraceContext context = BeginTrace(parent, state, Sampler::kParentRatio, 0.5, {1, 2, 3});
  if (context.trace_id == TraceId{} || context.span_id == SpanId{} || context.tracestate.size() > 512) abort();
  if (context.tracestate.find_first_of("\r\n") != std::string::npos) abort();
  if (context.has_parent() && parent.find(Hex(context.trace_id)) == std::string_view::npos) abort();
  const TraceContext next = BeginTrace(TraceParent(context, context.span_id), context.tracestate, Sampler::kParentAlwaysOff, 0, {4, 5, 6});
  if (next.trace_id != context.trace_id || next.parent_id != context.span_id) abort();
  if (next.random_id != context.random_id) abort();
  if (next.sampled != context.sampled || next.tracestate != context.tracestate) abort();
  return 0;
}
