#include "gateway/run_attempt.h"

#include "gateway/attempt.h"
#include "gateway/mock_response.h"

namespace gw::gateway {

namespace {

net::Task<AttemptReport> RunMock(RequestContext& context, routing::RequestRoute& route,
                                 const routing::Candidate& candidate) {
  AttemptReport report;
  context.last_deployment = candidate.deployment;
  context.last_upstream_model = candidate.upstream_model;
  context.timing.attempt_begin = SteadyClock::now();
  if (context.continuing) {
    report.error = CannotContinue(*candidate.deployment);
  } else {
    report = co_await AnswerFromMock(context, route, candidate);
  }
  context.timing.finished = SteadyClock::now();
  co_return report;
}

}  // namespace

net::Task<AttemptReport> RunAttempt(RequestContext& context, routing::RequestRoute& route,
                                    const routing::Candidate& candidate) {
  if (!candidate.deployment->mock_response.empty()) co_return co_await RunMock(context, route, candidate);
  Attempt attempt(context, route, candidate, context.exchange.on_client_gone());
  attempt.BecomeCurrent();
  const bool ready = co_await attempt.Fetch();
  if (ready) {
    co_await attempt.Deliver();
  }
  attempt.Finish();
  co_return std::move(attempt.report());
}

}  // namespace gw::gateway
