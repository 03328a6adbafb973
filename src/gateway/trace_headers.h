// W3C Trace Context at the two borders of a request: what the client's head says, what an upstream is told.
#pragma once

#include <string>

#include "base/strings.h"
#include "config/snapshot.h"
#include "gateway/request_context.h"
#include "http/message.h"

namespace gw::gateway {

// The client's tracestate: its lines joined in order (W3C Trace Context 3.3), at most
// limits::kTraceStateLinesBytesMax; lines behind that are left out.
[[nodiscard]] std::string TraceStateOf(const http::Headers& headers);

// For the attempt or side call that was noted last: its span is the parent of what the upstream does; without
// traces of our own the client's headers go on as they came. Nothing unless the operator says so, or when the
// row sends a traceparent of its own.
void AddTraceHeaders(const RequestContext& context, const config::Deployment& deployment, HeaderList& out);

}  // namespace gw::gateway
