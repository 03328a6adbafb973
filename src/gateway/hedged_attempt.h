// An attempt that gets company when it is late: a second row of the group is called as well, the
// first of the two to have something to say answers, the other is aborted. ADR 0011.
//
//   first --------- delay passes ---- silent -----> aborted ("hedged_away")
//                        '-- second --- content --> answers
//
// Fails one while the other runs, the other goes on alone, as its retry would have done. Nothing is
// sent to the client before it is decided who answers.
#pragma once

#include <optional>

#include "gateway/request_context.h"
#include "gateway/run_attempt.h"
#include "routing/router.h"

namespace gw::gateway {

// How long the attempt that the route has just named is waited for; nullopt: it runs alone.
[[nodiscard]] inline std::optional<Duration> HedgeDelay(const RequestContext& context,
                                                        const routing::RequestRoute& route) {
  if (!context.core.snapshot->router.hedging.enabled || context.continuing) [[likely]] return std::nullopt;
  // A second row would have to be asked for among all replicas first, and this is no time to wait.
  if (context.view.shared_redis != nullptr && context.core.index.table().any_shared()) return std::nullopt;
  return route.HedgeAfter();
}

// Afterwards `candidate` is the row that the report is about: the route has ended the other one.
[[nodiscard]] net::Task<AttemptReport> RunHedged(RequestContext& context, Worker& worker,
                                                 routing::RequestRoute& route, routing::Candidate& candidate,
                                                 Duration delay);

}  // namespace gw::gateway
