// RouteMachine, fourth part: a second row beside one that is late. It takes nothing from the retries
// and the fallbacks: both go on with the attempt that is left, as if it had been the only one.
#include <fmt/format.h>

#include <utility>

#include "base/limits.h"
#include "routing/hedge.h"
#include "routing/retry_budget.h"
#include "routing/retry_policy.h"
#include "routing/route_machine.h"

namespace gw::routing {

std::optional<Duration> RouteMachine::HedgeAfter() const {
  const config::Hedging& hedging = settings_.hedging;
  if (!hedging.enabled || running_.row == nullptr || hedge_.row != nullptr) return std::nullopt;
  if (!(controls_.stream ? hedging.streams : hedging.whole_answers)) return std::nullopt;
  if (tries_ >= limits::kAttemptsPerRequestMax || stack_.back().match().deployments.size() < 2) return std::nullopt;
  const HedgeClock* clock = state_.hedge(running_.row->index);
  if (clock == nullptr || !MayHedge(*running_.row)) return std::nullopt;
  return HedgeDelay(*clock, hedging, controls_.stream);
}

HedgeOffer RouteMachine::NextHedge(TimePoint now, Random& random) {
  HedgeOffer offer;
  RetryBudget* cap = state_.hedge_budget();
  if (cap == nullptr || running_.row == nullptr || hedge_.row != nullptr || IsOutOfTime(now, {})) return offer;
  Layer& layer = stack_.back();
  if (!cap->TakeRetry()) {
    offer.kind = HedgeOffer::Kind::kRefusedByCap;
    return offer;
  }
  std::vector<uint32_t> left_out = layer.tried;
  // Only its equals: rows of a later order are for when this level has failed.
  for (const config::Deployment* row : layer.match().deployments) {
    if (!MayHedge(*row) || row->order != running_.row->order) left_out.push_back(row->index);
  }
  const SelectionInput plain = InputOf(layer);
  const SelectionInput input{.rows = plain.rows,
                             .group = plain.group,
                             .settings = plain.settings,
                             .tags = plain.tags,
                             .order = running_.row->order,
                             .tried = left_out,
                             .hopeless = plain.hopeless,
                             .table = plain.table,
                             .controls = plain.controls,
                             .only_untried = true,
                             .why = plain.why};
  const Selection selection = SelectRow(input, state_, now, random);
  if (selection.kind != Selection::Kind::kPicked) {
    cap->PutBack();
    return offer;
  }
  ++tries_;
  hedge_ = {selection.row, selection.held, selection.probe};
  layer.tried.push_back(selection.row->index);
  offer.kind = HedgeOffer::Kind::kPicked;
  offer.candidate = MakeCandidate(layer, *selection.row);
  Note(Explanation::Kind::kHedge, layer, selection.row->id);
  return offer;
}

void RouteMachine::SwapRacers() {
  std::swap(running_, hedge_);
  last_candidate_ = MakeCandidate(stack_.back(), *running_.row);
}

void RouteMachine::OnOvertaken(Racer loser, Duration waited, const AttemptOutcome* used, TimePoint now) {
  if (hedge_.row == nullptr) return;
  if (loser == Racer::kFirst) {
    HedgeClock* clock = state_.hedge(running_.row->index);
    if (clock != nullptr) RecordHedgeTime(*clock, settings_.hedging, controls_.stream, Seconds(waited));
    SwapRacers();
  }
  if (used != nullptr) SettleHeld(hedge_, *used, now);
  GiveBack(hedge_, false);
}

FailureEffect RouteMachine::OnRacerFailed(Racer who, const Error& error, TimePoint now) {
  if (hedge_.row == nullptr) return {};
  if (who == Racer::kFirst) SwapRacers();
  const config::Deployment& row = *hedge_.row;
  GiveBack(hedge_, false);
  if (!IsRetryableError(error, 1)) stack_.back().hopeless.push_back(row.index);
  return RecordRowFailure(row, error, now);
}

void RouteMachine::RecordTime(uint32_t row, const AttemptOutcome& outcome) const {
  HedgeClock* clock = state_.hedge(row);
  if (clock == nullptr) return;
  if (!controls_.stream) {
    RecordHedgeTime(*clock, settings_.hedging, false, Seconds(outcome.duration));
  } else if (outcome.first_token) {
    RecordHedgeTime(*clock, settings_.hedging, true, Seconds(*outcome.first_token));
  }
}

void RouteMachine::ExplainHedge(const Layer& layer) {
  if (!settings_.hedging.enabled) return;
  const auto delay = HedgeAfter();
  Note(Explanation::Kind::kHedge, layer,
       delay ? fmt::format("after {:.3f} s without content a second row would be called", Seconds(*delay))
             : std::string("no second row: switched off for this kind, nobody else to ask, or too few times known"));
}

}  // namespace gw::routing
