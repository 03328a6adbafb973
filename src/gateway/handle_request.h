// THE way of an inference request:
//
//   authenticate -> read body -> validate -> controls -> route -> [ attempt -> relay ]* -> account
//
// Each phase is one call below; no phase calls the next one itself. Failure edges all lead to
// Refuse(), so that every request is answered and accounted exactly once. The page about it:
// docs/life-of-a-request.md.
#pragma once

#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "api/route_table.h"
#include "base/result.h"
#include "gateway/request_context.h"
#include "gateway/worker.h"
#include "http/server_connection.h"

namespace gw::gateway {

struct InferenceCall {
  api::Endpoint endpoint = api::Endpoint::kChat;
  api::RouteId route = api::RouteId::kChat;
  std::string_view route_label;  // for metrics; bounded
  std::string path_model;        // of /engines/{model}/..., decoded; may be empty
};

[[nodiscard]] net::Task<void> HandleInference(Worker& worker, const View& view, http::ServerExchange& exchange,
                                              InferenceCall call);

// The second half of it: retries and fallbacks around RunAttempt, then the answer and its
// accounting. The route decides, this only acts. The model is known.
[[nodiscard]] net::Task<void> RunRoute(RequestContext& context, Worker& worker);

}  // namespace gw::gateway
