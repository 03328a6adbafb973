// The way of a request while the semantic cache is on:
//
//   text of the prompt -> embedding -> nearest entry --near enough--> answer from the cache, account
//       |                    |             '--miss--> [wait for an identical request] -> route, keep
//       '--- none -----------'--- none, late, Redis away ---> route, nothing is kept
#pragma once

#include "gateway/cached_steps.h"
#include "gateway/request_context.h"
#include "gateway/worker.h"

namespace gw::gateway {

// core.cache must be a semantic one. Answers and accounts, like RunRoute.
[[nodiscard]] net::Task<void> RunSemantic(RequestContext& context, Worker& worker, const Inquiry& inquiry);

}  // namespace gw::gateway
