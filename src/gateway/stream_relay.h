// Upstream events -> client, chunk by chunk, with back-pressure; the head waits for the first
// content, so that everything before it can still fall back.
#pragma once

#include "gateway/run_attempt.h"
#include "translate/translator.h"
#include "upstream/pool.h"

namespace gw::gateway {

struct RelayInput {
  const routing::Candidate* candidate = nullptr;
  translate::Translator* translator = nullptr;
  upstream::PooledConnection* connection = nullptr;
  double gap_s = 0;
  TimePoint first_content_by = TimePoint::max();
  double first_content_s = 0;  // what that deadline was made of; for the message
  bool timeout_by_client = false;
};

[[nodiscard]] net::Task<AttemptReport> RelayStream(RequestContext& context, routing::RequestRoute& route,
                                                   const RelayInput& input);

}  // namespace gw::gateway
