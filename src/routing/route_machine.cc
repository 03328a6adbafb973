#include "routing/route_machine.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"
#include "routing/affinity.h"
#include "routing/cooldown.h"
#include "routing/half_open.h"
#include "routing/latency.h"
#include "routing/provider_budget.h"
#include "routing/route_errors.h"
#include "routing/row_limits.h"

namespace gw::routing {
namespace {

// Fills each '*' of the row's upstream model with what the pattern's '*' stood for.
std::string FillUpstreamModel(const config::Deployment& row, const ModelIndex::Match& match,
                              std::string_view asked) {
  if (!match.by_wildcard || row.upstream_model.find('*') == std::string::npos) {
    return row.upstream_model;
  }
  std::vector<std::string_view> captured;
  if (!GlobMatch(row.model_name, asked, &captured) || captured.empty()) {
    captured = {match.wildcard_text};  // an alias: its own name does not match the pattern
  }
  std::string filled;
  size_t star = 0;
  for (const char c : row.upstream_model) {
    if (c != '*') {
      filled += c;
      continue;
    }
    std::string_view text = captured[std::min(star++, captured.size() - 1)];
    // compat: behind "*" the client may name the provider itself; it does not go upstream.
    if (row.model_name == "*" && !row.provider.empty() && text.size() > row.provider.size() &&
        text.starts_with(row.provider) && text[row.provider.size()] == '/') {
      text.remove_prefix(row.provider.size() + 1);
    }
    filled += text;
  }
  return filled;
}

// Errors that a later order level would meet as well (facts 8.3).
bool SkipsOrderLevels(const Error& error) {
  return error.cls == ErrorClass::kContextWindowExceeded ||
         error.cls == ErrorClass::kContentPolicyViolation;
}

}  // namespace

RouteMachine::RouteMachine(const ModelIndex& index, SharedState& state,
                           const RequestControls& controls)
    : index_(index),
      state_(state),
      controls_(controls),
      settings_(index.snapshot().router) {
  Push(controls_.model, nullptr, {}, std::nullopt);
}

Step RouteMachine::Next(TimePoint now, Random& random) {
  if (!started_) started_ = now;
  OnAbandoned();  // a caller that forgot the outcome must not leak the slot
  if (is_over_ && !final_error_) return Fail();
  while (!final_error_) {
    Layer& layer = stack_.back();
    std::optional<Step> step;
    switch (layer.mode) {
      case Mode::kSelect: step = Select(layer, now, random); break;
      case Mode::kFailed: step = Decide(layer, now, random); break;
      case Mode::kRunning:
      case Mode::kOver: step = Leave(layer, now); break;
    }
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
  const ModelIndex::Match& match = layer.match();
  const SelectionInput input{.rows = match.deployments,
                             .group = match.group,
                             .settings = settings_,
                             .tags = controls_.tags,
                             .order = layer.order,
                             .tried = layer.tried,
                             .hopeless = layer.hopeless,
                             .table = index_.table(),
                             .controls = controls_,
                             .only_untried = layer.in_failover};
  Selection selection = SelectRow(input, state_, now, random);
  if (selection.kind == Selection::Kind::kPicked) {
    ++tries_;
    held_ = selection.held;
    probe_ = selection.probe;
    return Attempt(layer, *selection.row);
  }
  if (auto wait = WaitForRoom(layer, selection, now, random)) return wait;
  // An upstream's own error says more than ours: it stays if a row was called before.
  if (!layer.last_error) layer.last_error = selection.error;
  layer.mode = Mode::kOver;
  if (selection.row != nullptr && last_candidate_.deployment == nullptr) {
    last_candidate_.deployment = selection.row;
    last_candidate_.model_group = match.group;
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

std::optional<Step> RouteMachine::Decide(Layer& layer, TimePoint now, Random& random) {
  const ModelIndex::Match& match = layer.match();
  const RetrySituation situation{.error = *layer.failure,
                                 .controls = controls_,
                                 .settings = settings_,
                                 .group = layer.name,
                                 .row_group = layer.failed_row->model_name,
                                 .row = layer.failed_row,
                                 .rows = match.deployments.size(),
                                 .healthy_rows = CountHealthy(match.deployments, state_, now),
                                 .retries_done = layer.retries_done,
                                 .refused_by_us = layer.refused_by_us};
  const RetryDecision decision = DecideRetry(situation);
  layer.max_retries = decision.max_retries;
  layer.mode = Mode::kOver;
  if (layer.in_failover) return std::nullopt;  // each of the other rows once
  if (!decision.retry || tries_ >= limits::kAttemptsPerRequestMax) return std::nullopt;
  const Duration pause = ComputePause(situation, random);
  if (IsOutOfTime(now, pause)) return std::nullopt;  // the client would be gone by then
  ++layer.retries_done;
  layer.mode = Mode::kSelect;
  if (pause <= Duration::zero()) return std::nullopt;
  Step step;
  step.kind = Step::Kind::kWait;
  step.wait = pause;
  return step;
}

// The retries of a level are used up: later levels, then targets, then the layer below.
std::optional<Step> RouteMachine::Leave(Layer& layer, TimePoint now) {
  SettleHop(layer.level_hop, false);
  if (!layer.error) layer.error = std::exchange(layer.last_error, std::nullopt);
  if (!layer.error) layer.error = NothingToCall(layer.name);  // not reached: a level has an error
  if (EnterNextLevel(layer, now) || EnterFailover(layer, now) || EnterNextTarget(layer)) {
    return std::nullopt;
  }
  if (stack_.size() == 1) return Fail();
  if (stack_.size() == 2 && first_fallback_error_.empty()) {
    first_fallback_error_ = layer.error->message;
  }
  SettleHop(layer.hop, false);
  stack_.pop_back();
  return std::nullopt;
}

bool RouteMachine::EnterNextLevel(Layer& layer, TimePoint now) {
  if (!layer.order_seen || layer.is_planned || layer.in_failover) return false;
  if (controls_.disable_fallbacks) return false;
  if (SkipsOrderLevels(*layer.error)) return false;
  const auto level = NextOrderLevel(layer.match().deployments, state_, *layer.order_seen, now);
  if (!level.has_value()) return false;
  layer.order = level;
  layer.order_seen = level;
  layer.retries_done = 0;
  layer.last_error.reset();
  layer.level_hop = MakeHop(layer.name, layer.name, *layer.error);
  layer.mode = Mode::kSelect;
  has_fallen_back_ = true;
  return true;
}

// Facts 8.1, 2: other healthy rows of the group before the fallback lists.
bool RouteMachine::EnterFailover(Layer& layer, TimePoint now) {
  if (!settings_.enable_weighted_failover || layer.is_planned || controls_.disable_fallbacks ||
      settings_.strategy != config::RoutingStrategy::kSimpleShuffle || !layer.is_known ||
      layer.tried.empty() || SkipsOrderLevels(*layer.error)) {
    return false;
  }
  const RowList& rows = layer.match().deployments;
  const bool has_other = std::any_of(rows.begin(), rows.end(), [&](const config::Deployment* row) {
    return !row->blocked && !IsCoolingDown(state_.at(row->index), now) &&
           std::find(layer.tried.begin(), layer.tried.end(), row->index) == layer.tried.end();
  });
  if (!has_other || (layer.in_failover && layer.refused_by_us)) return false;
  layer.in_failover = true;
  layer.order.reset();
  layer.order_seen.reset();  // the levels are through
  layer.refused_by_us = true;  // until a row is attempted: a second round without one ends it
  layer.last_error.reset();
  layer.level_hop = MakeHop(layer.name, layer.name, *layer.error);
  layer.mode = Mode::kSelect;
  has_fallen_back_ = true;
  return true;
}

std::optional<Step> RouteMachine::WaitForRoom(const Layer& layer, const Selection& selection,
                                              TimePoint now, Random& random) {
  constexpr double kSpreadSeconds = 0.25;  // else all waiters would come at the same instant
  if (selection.kind != Selection::Kind::kRefused || selection.free_in <= Duration::zero() ||
      layer.last_error.has_value()) {
    return std::nullopt;
  }
  const Duration pause = selection.free_in + FromSeconds(random.NextUnit() * kSpreadSeconds);
  const Duration allowed = FromSeconds(settings_.rate_limit_wait_max_s);
  if (waited_for_room_ + pause > allowed || IsOutOfTime(now, pause)) return std::nullopt;
  waited_for_room_ += pause;
  ++tries_;
  Step step;
  step.kind = Step::Kind::kWait;
  step.wait = pause;
  return step;
}

bool RouteMachine::EnterNextTarget(Layer& layer) {
  if (!layer.is_planned) {
    layer.plan = PlanFallbacks(settings_, controls_, NamesOf(layer), *layer.error,
                               stack_.size() == 1, layer.inherited);
    layer.is_planned = true;
  }
  // Depth bounds chains of maps only: a flat list is gone through by the layer that has it.
  if (static_cast<int>(stack_.size()) > settings_.max_fallbacks) return false;
  while (layer.plan_next < layer.plan.size()) {
    const config::FallbackTarget* target = layer.plan[layer.plan_next++];
    if (WasVisited(target->model)) continue;
    TargetList rest(layer.plan.begin() + static_cast<std::ptrdiff_t>(layer.plan_next),
                    layer.plan.end());
    has_fallen_back_ = true;
    Push(target->model, target, std::move(rest),
         MakeHop(layer.name, target->model, *layer.error));  // `layer` dangles from here on
    return true;
  }
  return false;
}

void RouteMachine::Push(std::string_view name, const config::FallbackTarget* target,
                        TargetList inherited, std::optional<FallbackHop> hop) {
  visited_.push_back(name);
  Layer& layer = stack_.emplace_back();
  layer.name = name;
  layer.target = target;
  layer.inherited = std::move(inherited);
  layer.hop = std::move(hop);
  const ModelIndex::Match* match = index_.Resolve(name, layer.scratch);
  layer.is_known = match != nullptr && !match->deployments.empty();
  // The layer moves when the stack grows; a pointer to its own scratch would not follow.
  layer.plain = match == &layer.scratch ? nullptr : match;
}

GroupNames RouteMachine::NamesOf(const Layer& layer) const {
  GroupNames names{.asked = layer.name, .row_group = layer.name, .provider = {}};
  if (layer.is_known) {
    const config::Deployment& row = *layer.match().deployments.front();
    names.row_group = row.model_name;
    names.provider = row.provider;
  }
  return names;
}

bool RouteMachine::WasVisited(std::string_view name) const {
  return std::find(visited_.begin(), visited_.end(), name) != visited_.end();
}

bool RouteMachine::IsOutOfTime(TimePoint now, Duration pause) const {
  return settings_.total_timeout_s.has_value() && *settings_.total_timeout_s > 0 &&
         now + pause >= *started_ + FromSeconds(*settings_.total_timeout_s);
}

FallbackHop RouteMachine::MakeHop(std::string_view from, std::string_view to, const Error& error) {
  FallbackHop hop;
  hop.from_group = from;
  hop.to_group = to;
  hop.exception_status = error.status;
  hop.exception_class = ExceptionClassLabel(error);
  return hop;
}

Step RouteMachine::Attempt(Layer& layer, const config::Deployment& row) {
  layer.mode = Mode::kRunning;
  layer.failed_row = nullptr;
  layer.refused_by_us = false;
  layer.tried.push_back(row.index);
  if (row.order.has_value()) {
    layer.order_seen = std::max(layer.order_seen.value_or(*row.order), *row.order);
  }
  running_ = &row;
  Step step;
  step.kind = Step::Kind::kAttempt;
  Candidate& candidate = step.candidate;
  candidate.deployment = &row;
  candidate.upstream_model = FillUpstreamModel(row, layer.match(), layer.name);
  candidate.model_group = layer.match().group;
  if (layer.target != nullptr && !layer.target->overrides.empty()) candidate.target = layer.target;
  candidate.is_fallback = stack_.size() > 1 || layer.level_hop.has_value();
  last_candidate_ = candidate;
  return step;
}

FailureEffect RouteMachine::OnAttemptFailed(const Error& error, TimePoint now) {
  if (running_ == nullptr) return {};
  const config::Deployment& row = *running_;
  Release();
  Layer& layer = stack_.back();
  const GroupFacts group{.is_single = index_.GroupSize(row.index) <= 1,
                         .has_fallbacks = HasGenericFallbacks(settings_, NamesOf(layer))};
  const FailureEffect effect =
      RecordFailure(state_.at(row.index), row, settings_, group, error, now);
  LatencyRings* rings = state_.latency(row.index);
  if (rings != nullptr && error.cls == ErrorClass::kTimeout) {
    RecordTimeout(state_.at(row.index), *rings, settings_.strategy_args, controls_.stream, now);
  }
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
  if (running_ == nullptr) return;
  const uint32_t row = running_->index;
  RecordSuccess(state_.at(row), now);
  if (outcome != nullptr) {
    Settle(*outcome, now);
    if (LatencyRings* rings = state_.latency(row)) {
      RecordLatency(state_.at(row), *rings, settings_.strategy_args, *outcome, now);
    }
  }
  PinRow(state_, settings_, controls_, stack_.back().match().group, row, now);
  Release(true);
  is_over_ = true;
  SettleAllHops(true);
}

void RouteMachine::Settle(const AttemptOutcome& outcome, TimePoint now) {
  if (running_ == nullptr) return;
  const RowTable& table = index_.table();
  const LimitClock clock{.now = now, .unix_offset_s = state_.unix_offset_s()};
  SettleTokens(state_.at(running_->index), table.of(running_).limits, std::exchange(held_, {}),
               outcome.prompt_tokens, outcome.completion_tokens, clock);
  AddSpend(state_, table, settings_, *running_, outcome.cost_usd, now);
}

void RouteMachine::OnAbandoned() {
  if (running_ == nullptr) return;
  is_over_ = true;
  Release();
}

void RouteMachine::Release(bool succeeded) {
  if (running_ == nullptr) return;
  DeploymentState& state = state_.at(running_->index);
  ReleaseTokens(state, std::exchange(held_, {}));
  EndProbe(state, std::exchange(probe_, 0), succeeded);
  ReleaseSlot(state);
  running_ = nullptr;
}

// The client gets the first group's error, not the last fallback's, with an explanation.
Step RouteMachine::Fail() {
  SettleAllHops(false);
  Layer& first = stack_.front();
  if (!first.error) first.error = std::exchange(first.last_error, std::nullopt);
  Error error = first.error ? *first.error : NothingToCall(first.name);
  const bool tried_fallbacks = first.plan_next > 0;
  const bool is_own_error = error.cls == ErrorClass::kNoDeployments ||
                            error.cls == ErrorClass::kModelNotFound;
  if (settings_.expose_router_debug_in_errors && !controls_.disable_fallbacks &&
      (tried_fallbacks || !is_own_error)) {
    error.message += ExplainFailure(first.match().group, first.plan, first_fallback_error_);
  }
  final_error_ = error;
  Step step;
  step.error = std::move(error);
  step.candidate = last_candidate_;
  return step;
}

void RouteMachine::SettleHop(std::optional<FallbackHop>& hop, bool succeeded) {
  if (!hop.has_value()) return;
  hop->succeeded = succeeded;
  known_hops_.push_back(std::move(*hop));
  hop.reset();
}

void RouteMachine::SettleAllHops(bool succeeded) {
  for (Layer& layer : stack_) {
    SettleHop(layer.hop, succeeded);
    SettleHop(layer.level_hop, succeeded);
  }
}

}  // namespace gw::routing
