#include "routing/route_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "routing/affinity.h"
#include "routing/cooldown.h"
#include "routing/engine_fleet.h"
#include "routing/elsewhere.h"
#include "routing/half_open.h"
#include "routing/latency.h"
#include "routing/provider_budget.h"
#include "routing/retry_budget.h"
#include "routing/route_errors.h"
#include "routing/row_limits.h"

namespace gw::routing {
namespace {

// Fills each '*' of the row's upstream model with what the pattern's '*' stood for.
std::string FillUpstreamModel(const config::Deployment& row, const ModelIndex::Match& match) {
  if (match.captured.empty() || row.upstream_model.find('*') == std::string::npos) {
    return row.upstream_model;
  }
  std::string filled;
  size_t star = 0;
  for (const char c : row.upstream_model) {
    if (c != '*') {
      filled += c;
      continue;
    }
    std::string_view text = match.captured[std::min(star++, match.captured.size() - 1)];
    // compat: behind "*" the client may name the provider itself; it does not go upstream.
    if (match.pattern == "*" && !row.provider.empty() && text.size() > row.provider.size() &&
        text.starts_with(row.provider) && text[row.provider.size()] == '/') {
      text.remove_prefix(row.provider.size() + 1);
    }
    filled += text;
  }
  return filled;
}

}  // namespace

RouteMachine::RouteMachine(const ModelIndex& index, SharedState& state,
                           const RequestControls& controls, Explanation* why)
    : index_(index),
      state_(state),
      controls_(controls),
      settings_(index.snapshot().router),
      why_(why) {
  Push(controls_.model, nullptr, {}, std::nullopt);
}

Step RouteMachine::Next(TimePoint now, Random& random) {
  if (!started_) started_ = now;
  if (why_ != nullptr) why_->now = now;
  OnAbandoned();  // a caller that forgot the outcome must not leak the slot
  if (is_over_ && !final_error_) return Fail();
  while (!final_error_) {
    Layer& layer = stack_.back();
    std::optional<Step> step = layer.mode == Mode::kSelect   ? Select(layer, now, random)
                               : layer.mode == Mode::kFailed ? Decide(layer, now, random)
                                                             : Leave(layer, now);
    if (step.has_value()) return std::move(*step);
  }
  Step step;
  step.error = *final_error_;
  step.candidate = last_candidate_;
  return step;
}

std::optional<Step> RouteMachine::Select(Layer& layer, TimePoint now, Random& random) {
  if (!layer.is_known) {
    layer.last_error = ModelNotFound(layer.name);
    layer.mode = Mode::kOver;
    // compat: a name that the client made up gets no fallback, not even the default one.
    if (stack_.size() == 1) return Fail();
    return std::nullopt;
  }
  if (tries_ >= limits::kAttemptsPerRequestMax || IsOutOfTime(now, {})) {
    if (!layer.last_error) layer.last_error = NothingToCall(layer.match().group);
    return Fail();
  }
  if (Pretend(layer)) return std::nullopt;
  Selection selection = SelectRow(InputOf(layer), state_, now, random);
  if (selection.kind == Selection::Kind::kPicked) {
    ++tries_;
    running_ = {nullptr, selection.held, selection.probe};
    return Attempt(layer, *selection.row);
  }
  Note(Explanation::Kind::kRefused, layer, selection.error.message);
  if (auto wait = WaitForRoom(layer, selection, now, random)) return wait;
  if (auto wait = WaitForCooldown(layer, selection, now, random)) return wait;
  // An upstream's own error says more than ours: it stays if a row was called before.
  if (!layer.last_error) layer.last_error = selection.error;
  layer.mode = Mode::kOver;
  if (selection.row != nullptr && last_candidate_.deployment == nullptr) {
    last_candidate_.deployment = selection.row;
    last_candidate_.model_group = layer.group();
  }
  if (selection.kind == Selection::Kind::kSlotsFull) {
    ++tries_;
    layer.failed_row = selection.row;
    layer.failure = std::move(selection.error);
    layer.refused_by_us = true;
    layer.mode = Mode::kFailed;
  }
  return std::nullopt;
}

SelectionInput RouteMachine::InputOf(const Layer& layer) const {
  const ModelIndex::Match& match = layer.match();
  return {.rows = match.deployments,
          .group = match.group,
          .settings = match.settings != nullptr ? *match.settings : settings_,
          .tags = controls_.tags,
          .order = layer.order,
          .tried = layer.tried,
          .hopeless = layer.hopeless,
          .table = index_.table(),
          .controls = controls_,
          .only_untried = layer.in_failover,
          .why = why_};
}

bool RouteMachine::Pretend(Layer& layer) {
  using Mock = RequestControls::Mock;
  if (controls_.mock == Mock::kNone || has_pretended_) return false;
  has_pretended_ = true;
  layer.last_error = MockError(controls_.mock, layer.group());
  layer.failure = layer.last_error;
  // compat: only the rate limit is a failed attempt; the others go straight to their list.
  layer.mode = controls_.mock == Mock::kRateLimit ? Mode::kFailed : Mode::kOver;
  Note(Explanation::Kind::kOutcome, layer, layer.failure->message);
  return true;
}

std::optional<Step> RouteMachine::Decide(Layer& layer, TimePoint now, Random& random) {
  const ModelIndex::Match& match = layer.match();
  const RetrySituation situation{.error = *layer.failure,
                                 .controls = controls_,
                                 .settings = settings_,
                                 .group = layer.name,
                                 .row_group = match.deployments.front()->model_name,
                                 .row = layer.failed_row,
                                 .rows = match.deployments.size(),
                                 .healthy_rows = CountHealthy(match.deployments, state_, now),
                                 .retries_done = layer.retries_done,
                                 .refused_by_us = layer.refused_by_us};
  RetryDecision decision = DecideRetry(situation);
  layer.max_retries = decision.max_retries;
  layer.mode = Mode::kOver;
  if (layer.in_failover) return std::nullopt;  // each of the other rows once
  Duration pause{};
  if (decision.retry) {
    decision.retry = MayGoOn(decision.why);
    if (decision.retry) pause = ComputePause(situation, random);
    if (decision.retry && IsOutOfTime(now, pause)) {
      decision.retry = false;
      decision.why = "the client would be gone by then";
    }
    if (decision.retry) decision.retry = MayRetry(decision.why);
  }
  if (why_ != nullptr) {
    Note(Explanation::Kind::kRetry, layer,
         fmt::format("{}: {} ({} of {} made)", decision.retry ? "yes" : "no", decision.why,
                     layer.retries_done, decision.max_retries));
  }
  if (!decision.retry) return std::nullopt;
  ++layer.retries_done;
  ++extras_;
  layer.mode = Mode::kSelect;
  if (pause <= Duration::zero()) return std::nullopt;
  return WaitStep(pause, "before the retry");
}

bool RouteMachine::MayGoOn(std::string_view& why) const {
  if (tries_ >= limits::kAttemptsPerRequestMax) {
    why = "no request makes more attempts";
    return false;
  }
  if (settings_.num_retries_per_request && extras_ >= *settings_.num_retries_per_request) {
    why = "num_retries_per_request is reached";
    return false;
  }
  return true;
}

bool RouteMachine::MayRetry(std::string_view& why) {
  RetryBudget* budget = state_.retry_budget();
  if (budget == nullptr || budget->TakeRetry()) return true;
  why = "the retry budget of the process is used up";
  return false;
}

Step RouteMachine::Attempt(Layer& layer, const config::Deployment& row) {
  layer.mode = Mode::kRunning;
  layer.failed_row = nullptr;
  layer.refused_by_us = false;
  // Once, also when the first row is refused elsewhere and another one is tried.
  if (!std::exchange(layer.is_counted, true)) {
    if (RetryBudget* budget = state_.retry_budget()) {
      budget->OnFirstAttempt(settings_.retry_budget.value_or(0));
    }
    if (RetryBudget* budget = state_.hedge_budget()) budget->OnFirstAttempt(settings_.hedging.cost_cap);
  }
  layer.tried.push_back(row.index);
  if (row.order.has_value()) {
    layer.order_seen = std::max(layer.order_seen.value_or(*row.order), *row.order);
  }
  running_.row = &row;
  Step step;
  step.kind = Step::Kind::kAttempt;
  Candidate& candidate = step.candidate = MakeCandidate(layer, row);
  last_candidate_ = candidate;
  Note(Explanation::Kind::kPick, layer, row.id);
  if (why_ != nullptr) ExplainHedge(layer);
  mirrors_now_ = !row.silent_model.empty() && !is_mirrored_;
  if (mirrors_now_) {
    is_mirrored_ = true;
    candidate.mirror_model = row.silent_model;
    Note(Explanation::Kind::kMirror, layer, row.silent_model);
  }
  return step;
}

Candidate RouteMachine::MakeCandidate(const Layer& layer, const config::Deployment& row) const {
  Candidate candidate;
  candidate.deployment = &row;
  candidate.upstream_model = FillUpstreamModel(row, layer.match());
  candidate.model_group = layer.match().group;
  if (layer.target != nullptr && !layer.target->overrides.empty()) candidate.target = layer.target;
  candidate.is_fallback = stack_.size() > 1 || layer.level_hop.has_value();
  return candidate;
}

FailureEffect RouteMachine::RecordRowFailure(const config::Deployment& row, const Error& error, TimePoint now) {
  const Layer& layer = stack_.back();
  const GroupFacts group{.is_single = index_.GroupSize(row.index) <= 1,
                         .has_fallbacks = HasGenericFallbacks(settings_, NamesOf(layer))};
  const FailureEffect effect =
      RecordFailure(state_.at(row.index), row, settings_, group, error, now);
  if (why_ != nullptr) {
    why_->now = now;
    ExplainOutcome(&error, effect);
  }
  LatencyRings* rings = state_.latency(row.index);
  const config::StrategyArgs& strategy_args = InputOf(layer).settings.strategy_args;
  if (rings != nullptr && error.cls == ErrorClass::kTimeout) {
    RecordTimeout(state_.at(row.index), *rings, strategy_args, controls_.stream, now);
  }
  return effect;
}

FailureEffect RouteMachine::OnAttemptFailed(const Error& error, TimePoint now) {
  if (running_.row == nullptr) return {};
  const config::Deployment& row = *running_.row;
  Release();
  Layer& layer = stack_.back();
  const FailureEffect effect = RecordRowFailure(row, error, now);
  if (error.mid_stream && !error.can_continue) {
    // The client has text already. The fallbacks on the way did their work: they gave a stream.
    SettleAllHops(true);
    final_error_ = error;
    return effect;
  }
  if (!IsRetryableError(error, 1)) layer.hopeless.push_back(row.index);
  layer.failed_row = &row;
  layer.failure = error;
  layer.last_error = error;
  layer.mode = Mode::kFailed;
  return effect;
}

void RouteMachine::OnAttemptSucceeded(TimePoint now, const AttemptOutcome* outcome) {
  if (running_.row == nullptr) return;
  const uint32_t row = running_.row->index;
  RecordSuccess(state_.at(row), now);
  if (outcome != nullptr) {
    Settle(*outcome, now);
    const config::StrategyArgs& strategy_args = InputOf(stack_.back()).settings.strategy_args;
    if (LatencyRings* rings = state_.latency(row)) {
      RecordLatency(state_.at(row), *rings, strategy_args, *outcome, now);
    }
    RecordTime(row, *outcome);
  }
  if (outcome != nullptr && state_.engines() != nullptr) state_.engines()->OnFinished(row, controls_.prompt, *outcome);
  PinRow(state_, settings_, controls_, stack_.back().match().group, row, now);
  if (why_ != nullptr) {
    why_->now = now;
    ExplainOutcome(nullptr, {});
  }
  Release(true);
  is_over_ = true;
  SettleAllHops(true);
}

void RouteMachine::Settle(const AttemptOutcome& outcome, TimePoint now) { SettleHeld(running_, outcome, now); }

void RouteMachine::SettleHeld(Held& held, const AttemptOutcome& outcome, TimePoint now) {
  if (held.row == nullptr) return;
  const RowTable& table = index_.table();
  const LimitClock clock{.now = now, .unix_offset_s = state_.unix_offset_s()};
  SettleTokens(state_.at(held.row->index), table.of(held.row).limits, std::exchange(held.tokens, {}),
               outcome.prompt_tokens, outcome.completion_tokens, clock);
  AddSpend(state_, table, settings_, *held.row, outcome.cost_usd, now);
}

bool RouteMachine::OnRefusedElsewhere(Reservation reason, Duration trusted, Duration free_in, TimePoint now) {
  if (running_.row == nullptr) return false;
  const uint32_t row = running_.row->index;
  TakeBackRequest(state_.at(row), index_.table().at(row).limits);
  Release();
  NoteFullElsewhere(state_.at(row), reason, trusted, free_in, now);
  if (std::exchange(mirrors_now_, false)) is_mirrored_ = false;
  Layer& layer = stack_.back();
  layer.tried.pop_back();
  layer.mode = Mode::kSelect;
  Note(Explanation::Kind::kRefused, layer, "by the count of all replicas");
  return true;
}

void RouteMachine::OnAbandoned() {
  if (running_.row == nullptr) return;
  is_over_ = true;
  Release();
}

void RouteMachine::Release(bool succeeded) {
  GiveBack(running_, succeeded);
  if (hedge_.row != nullptr) [[unlikely]] GiveBack(hedge_, false);
}

void RouteMachine::GiveBack(Held& held, bool succeeded) {
  if (held.row == nullptr) return;
  DeploymentState& state = state_.at(held.row->index);
  ReleaseTokens(state, held.tokens);
  EndProbe(state, held.probe, succeeded);
  ReleaseSlot(state);
  held = {};
}

}  // namespace gw::routing
