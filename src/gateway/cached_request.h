// The way of a request while the response cache is on:
//
//   read the question -> look up --hit--> answer from the cache, account
//                          '--miss--> [wait for an identical request] -> route, keep the answer
//
// Embeddings are looked up item by item; only the missing ones go upstream.
#pragma once

#include "gateway/request_context.h"
#include "gateway/worker.h"

namespace gw::gateway {

// core.cache must not be null; the model is known. Answers and accounts, like RunRoute.
[[nodiscard]] net::Task<void> RunCached(RequestContext& context, Worker& worker);

}  // namespace gw::gateway
