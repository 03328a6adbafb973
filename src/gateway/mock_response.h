// Rows with litellm_params.mock_response answer by themselves; no upstream is called. And what a
// request with the guarded member mock_timeout gets.
#pragma once

#include "gateway/run_attempt.h"

namespace gw::gateway {

// compat: the text of the row, or the error that it names; usage is always 10/20/30.
[[nodiscard]] net::Task<AttemptReport> AnswerFromMock(RequestContext& context, routing::RequestRoute& route,
                                                      const routing::Candidate& candidate);

// Sleeps as long as the attempt may take.
[[nodiscard]] net::Task<AttemptReport> MockTimeout(RequestContext& context, net::EventLoop& loop,
                                                   const routing::Candidate& candidate);

}  // namespace gw::gateway
