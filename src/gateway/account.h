// The one place where a request ends: metrics and spend, exactly once for success, error, client
// disconnect and refusal.
#pragma once

#include <string_view>

#include "accounting/cost.h"
#include "api/usage.h"
#include "gateway/request_context.h"

namespace gw::gateway {

struct AnsweredBy {
  const routing::Candidate* candidate = nullptr;
  double remaining_requests = -1, remaining_tokens = -1;  // x-ratelimit-remaining-* of the answer
  bool from_cache = false;                               // no attempt was made
};

// The answer has gone out completely.
void AccountSuccess(RequestContext& context, const AnsweredBy& answered, const api::Usage& usage,
                    const accounting::Cost& cost);
// The client got an error (or, mid-stream, an error event).
void AccountFailure(RequestContext& context, const Error& error);
// Books the tokens of an answer that did not reach its end: they were used all the same.
void BillUnfinished(RequestContext& context, const routing::Candidate& candidate, const api::Usage& usage,
                    double duration_s);
// The client left: counted as 499; tokens so far are billed.
void AccountAbandoned(RequestContext& context, const routing::Candidate* candidate, const api::Usage* usage);
// Before the router hears of a failed attempt: whose failure the client and the metrics will see.
void NoteFailedRow(RequestContext& context, const routing::Candidate& candidate, Error& error);
// One failed attempt; `cooled` when it started a cooldown.
void AccountAttemptFailure(RequestContext& context, const routing::Candidate& candidate, const Error& error,
                           bool cooled);
// Of two racing attempts: the one that was aborted. `outcome`: "hedged_away", or "cancelled" when
// the client left. What is known of its usage is billed.
void AccountAborted(RequestContext& context, const routing::Candidate& candidate, std::string_view outcome,
                    const api::Usage* usage, double duration_s);
// outcome: "won", "lost" or "refused_by_cap".
void AccountHedge(RequestContext& context, const routing::Candidate& candidate, std::string_view outcome);
// An embedding made for the semantic cache: no request of a client, but an attempt whose tokens and
// spend are the caller's. `took_s`: its duration.
[[nodiscard]] accounting::Cost AccountEmbedding(RequestContext& context, const routing::Candidate& candidate,
                                                const api::Usage& usage, double took_s);
void AccountEmbeddingFailure(RequestContext& context, const routing::Candidate& candidate, const Error& error,
                             bool cooled);
// Fallback hops whose fate is known.
void AccountHops(RequestContext& context, routing::RequestRoute& route);

}  // namespace gw::gateway
