// The record of a request for access log, traces and callbacks: begun with it, filled where it is
// accounted, handed over at its end. Everything here returns at once when nobody wants records, and
// throws nothing: without memory it is the record that is lost.
#pragma once

#include <string_view>

#include "base/error.h"
#include "gateway/request_context.h"
#include "telemetry/record.h"

namespace gw::gateway {

// After the head is read.
void BeginRecord(RequestContext& context, Worker& worker);
// The body is valid, model and caller are known.
void NoteRequest(RequestContext& context, std::string_view body);
// An attempt begins now (its span id may go upstream).
void NoteAttempt(RequestContext& context, const routing::Candidate& candidate, TimePoint begin);
// The same for a call of the gateway's own.
void NoteSideCall(RequestContext& context, const routing::Candidate& candidate, TimePoint begin);
// It ended; one that never began here (a mock) began at timing.attempt_begin. `error` may be null.
void NoteAttemptEnd(RequestContext& context, const routing::Candidate& candidate,
                    telemetry::AttemptRecord::Outcome outcome, const Error* error, bool cooled);
// Tokens that were paid for at this row.
void NoteBilled(RequestContext& context, const routing::Candidate& candidate, const api::Usage& usage, double usd);
// The request is over; what is known of it has been noted. `error` may be null.
void EndRecord(RequestContext& context, telemetry::RequestRecord::Outcome outcome, int status, const Error* error);

void KeepAnswerBytes(RequestContext& context, std::string_view bytes);
// Bytes of the answer as they go to the client.
inline void NoteAnswer(RequestContext& context, std::string_view bytes) {
  if (context.record == nullptr) return;
  if (context.core.snapshot->telemetry.wants_content) KeepAnswerBytes(context, bytes);
}

}  // namespace gw::gateway
