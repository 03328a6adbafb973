// RequestRoute's public face; the state machine behind it is RouteMachine.
#include "routing/route_machine.h"
#include "routing/router.h"

namespace gw::routing {

RequestRoute::RequestRoute(const ModelIndex& index, SharedState& state,
                           const RequestControls& controls, Explanation* why)
    : machine_(std::make_unique<RouteMachine>(index, state, controls, why)) {}

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

void RequestRoute::OnRefusedElsewhere(Reservation reason, Duration trusted, Duration free_in, TimePoint now) {
  if (machine_->OnRefusedElsewhere(reason, trusted, free_in, now)) --attempts_;
}

TokenCounts RequestRoute::reserved() const { return machine_->reserved(); }

void RequestRoute::OnAbandoned() { machine_->OnAbandoned(); }

std::optional<Duration> RequestRoute::HedgeAfter() const { return machine_->HedgeAfter(); }

HedgeOffer RequestRoute::NextHedge(TimePoint now, Random& random) {
  HedgeOffer offer = machine_->NextHedge(now, random);
  if (offer.kind == HedgeOffer::Kind::kPicked) ++attempts_;
  return offer;
}

void RequestRoute::OnOvertaken(Racer loser, Duration waited, const AttemptOutcome* used, TimePoint now) {
  machine_->OnOvertaken(loser, waited, used, now);
}

FailureEffect RequestRoute::OnRacerFailed(Racer who, const Error& error, TimePoint now) {
  return machine_->OnRacerFailed(who, error, now);
}

int RequestRoute::attempted_retries() const { return machine_->attempted_retries(); }

int RequestRoute::max_retries() const { return machine_->max_retries(); }

int RequestRoute::attempted_fallbacks() const { return machine_->has_fallen_back() ? 1 : 0; }

std::vector<FallbackHop> RequestRoute::TakeHops() { return machine_->TakeHops(); }

}  // namespace gw::routing
