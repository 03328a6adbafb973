// One attempt for one client request, whatever the row is: how did it end?
#pragma once

#include <optional>
#include <string>

#include "accounting/cost.h"
#include "api/usage.h"
#include "base/error.h"
#include "gateway/request_context.h"
#include "gateway/worker.h"
#include "routing/router.h"

namespace gw::gateway {

enum class AttemptEnd : uint8_t {
  kAnswered,   // the client has its whole answer
  kFailed,     // nothing has gone out: retry or fallback may follow
  kBroken,     // content had gone out: the client got an in-stream error, or (error->can_continue)
               // it waits for the stream to go on
  kAbandoned,  // the client left
};

struct AttemptReport {
  AttemptEnd end = AttemptEnd::kFailed;
  std::optional<Error> error;  // set with kFailed and kBroken (an Error is costly to move)
  api::Usage usage;        // kAnswered, kBroken, kAbandoned: as far as known
  bool has_usage = false;
  int64_t cached_prompt_tokens = 0;  // of usage: of embeddings that the response cache added
  std::optional<accounting::Cost> cost;  // when the answer's headers told it already
  std::string stream_error;  // kBroken with can_continue: the in-stream error, not sent yet
  double remaining_requests = -1, remaining_tokens = -1;
};

// Of a row that cannot go on with a text that has begun; no upstream is called.
[[nodiscard]] Error CannotContinue(const config::Deployment& deployment);

[[nodiscard]] net::Task<AttemptReport> RunAttempt(RequestContext& context, routing::RequestRoute& route,
                                                  const routing::Candidate& candidate);

}  // namespace gw::gateway
