// RequestRoute's public face; the state machine behind it is RouteMachine.
#include "routing/route_machine.h"
#include "routing/router.h"

namespace gw::routing {

RequestRoute::RequestRoute(const ModelIndex& index, SharedState& state,
                           const RequestControls& controls)
    : machine_(std::make_unique<RouteMachine>(index, state, controls)) {}

RequestRoute::~RequestRoute() = default;

Step RequestRoute::Next(TimePoint now, Random& random) {
  Step step = machine_->Next(now, random);
  if (step.kind == Step::Kind::kAttempt) ++attempts_;
  return step;
}

FailureEffect RequestRoute::OnAttemptFailed(const Error& error, TimePoint now) {
  return machine_->OnAttemptFailed(error, now);
}

void RequestRoute::OnAttemptSucceeded(TimePoint now) {
  machine_->OnAttemptSucceeded(now, nullptr);
}

void RequestRoute::OnAttemptSucceeded(TimePoint now, const AttemptOutcome& outcome) {
  machine_->OnAttemptSucceeded(now, &outcome);
}

void RequestRoute::Settle(const AttemptOutcome& outcome, TimePoint now) {
  machine_->Settle(outcome, now);
}

void RequestRoute::OnAbandoned() { machine_->OnAbandoned(); }

int RequestRoute::attempted_retries() const { return machine_->attempted_retries(); }

int RequestRoute::max_retries() const { return machine_->max_retries(); }

int RequestRoute::attempted_fallbacks() const { return machine_->has_fallen_back() ? 1 : 0; }

std::vector<FallbackHop> RequestRoute::TakeHops() { return machine_->TakeHops(); }

}  // namespace gw::routing
