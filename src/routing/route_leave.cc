// RouteMachine, second part: what follows when a group is through. Later order levels, the group's
// other rows, fallback targets, the layer below; pauses that are no retries; the last error.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "routing/cooldown.h"
#include "routing/route_errors.h"
#include "routing/route_machine.h"

namespace gw::routing {
namespace {

// Errors that a later order level would meet as well (facts 8.3).
bool SkipsOrderLevels(const Error& error) {
  return error.cls == ErrorClass::kContextWindowExceeded ||
         error.cls == ErrorClass::kContentPolicyViolation;
}

}  // namespace

// The retries of a level are used up: later levels, then targets, then the layer below.
std::optional<Step> RouteMachine::Leave(Layer& layer, TimePoint now) {
  SettleHop(layer.level_hop, false);
  TakeError(layer);
  if (EnterNextLevel(layer, now) || EnterFailover(layer, now) || EnterNextTarget(layer)) {
    return std::nullopt;
  }
  if (stack_.size() == 1) return Fail();
  if (stack_.size() == 2 && first_fallback_error_.empty()) {
    first_fallback_error_ = layer.error->message;
    const Layer& asked = stack_.front();
    // compat: behind order levels the client is told what the first fallback failed with.
    if (asked.has_later_level && !SkipsOrderLevels(*asked.error)) told_error_ = layer.error;
  }
  SettleHop(layer.hop, false);
  stack_.pop_back();
  return std::nullopt;
}

// A group failed with what its first level failed with, or the last one whose rows were called.
void RouteMachine::TakeError(Layer& layer) {
  std::optional<Error> last = std::exchange(layer.last_error, std::nullopt);
  const bool is_of_later_level = layer.has_later_level && !layer.in_failover && last &&
                                 last->cls != ErrorClass::kNoDeployments;
  if (!layer.error || is_of_later_level) layer.error = std::move(last);
  if (!layer.error) layer.error = NothingToCall(layer.name);  // not reached: a level has an error
}

bool RouteMachine::EnterNextLevel(Layer& layer, TimePoint now) {
  if (!layer.order_seen || layer.is_planned || layer.in_failover) return false;
  if (controls_.disable_fallbacks) return false;
  if (SkipsOrderLevels(*layer.error)) return false;
  std::string_view why;
  if (!MayGoOn(why)) return false;
  const auto level = NextOrderLevel(layer.match().deployments, state_, *layer.order_seen, now);
  if (!level.has_value()) return false;
  if (why_ != nullptr) {
    Note(Explanation::Kind::kLevel, layer, fmt::format("rows of order {} are next", *level));
  }
  ++extras_;
  layer.order = level;
  layer.order_seen = level;
  layer.has_later_level = true;
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
  std::string_view why;
  if (!MayGoOn(why) || !MayRetry(why)) {
    Note(Explanation::Kind::kFailover, layer, why);
    return false;
  }
  Note(Explanation::Kind::kFailover, layer, "the group's other rows, once each");
  ++extras_;
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
  return WaitStep(pause, "until a row has room again");
}

// The lower the number, the sooner a request is tried when the cooldown is over: neighbouring
// priorities are polling_interval apart. No queue is shared: the order is kept by the clock.
std::optional<Step> RouteMachine::WaitForCooldown(Layer& layer, const Selection& selection,
                                                  TimePoint now, Random& random) {
  constexpr int kPriorityMax = 1000;
  if (!selection.cooled_for.has_value() || layer.last_error.has_value()) return std::nullopt;
  const auto priority =
      controls_.priority.has_value() ? controls_.priority : settings_.default_priority;
  double allowed_s = settings_.cooldown_wait_max_s;
  if (priority.has_value() && stack_.size() == 1) {
    allowed_s = limits::kPriorityWaitSecondsMax;
    for (const auto& bound : {controls_.timeout_s, settings_.timeout_s}) {
      if (bound.has_value() && *bound > 0) allowed_s = std::min(allowed_s, *bound);
    }
  } else if (allowed_s > 0) {
    layer.error = selection.error;
    Plan(layer);  // by the error that is about to be
    const bool has_other_way = !layer.plan.empty() || stack_.size() > 1;
    layer.is_planned = false;
    layer.plan.clear();
    layer.error.reset();
    if (has_other_way) return std::nullopt;
  }
  const int rank = std::clamp(priority.value_or(0), 0, kPriorityMax);
  const double apart = settings_.polling_interval_s * (rank + random.NextUnit());
  // A row that another request probes is asked again after the shortest pause.
  const Duration pause = *selection.cooled_for + FromSeconds(std::max(apart, 0.001));
  if (waited_for_cooldown_ + pause > FromSeconds(allowed_s) || IsOutOfTime(now, pause)) {
    return std::nullopt;
  }
  waited_for_cooldown_ += pause;
  ++tries_;
  return WaitStep(pause, "until a row leaves its cooldown");
}

std::optional<Step> RouteMachine::WaitStep(Duration pause, std::string_view what) {
  if (why_ != nullptr) {
    Note(Explanation::Kind::kWait, stack_.back(), fmt::format("{:.3f} s {}", Seconds(pause), what));
  }
  Step step;
  step.kind = Step::Kind::kWait;
  step.wait = pause;
  return step;
}

bool RouteMachine::EnterNextTarget(Layer& layer) {
  if (!layer.is_planned) {
    Plan(layer);
    ExplainPlan(layer);
  }
  // Depth bounds chains of maps only: a flat list is gone through by the layer that has it.
  if (static_cast<int>(stack_.size()) > settings_.max_fallbacks) return false;
  std::string_view why;
  if (layer.plan_next < layer.plan.size() && !MayGoOn(why)) {
    Note(Explanation::Kind::kFallback, layer, why);
    return false;
  }
  while (layer.plan_next < layer.plan.size()) {
    const config::FallbackTarget* target = layer.plan[layer.plan_next++];
    if (WasVisited(target->model)) continue;
    TargetList rest(layer.plan.begin() + static_cast<std::ptrdiff_t>(layer.plan_next),
                    layer.plan.end());
    has_fallen_back_ = true;
    ++extras_;
    Note(Explanation::Kind::kFallback, layer, "-> " + target->model);
    Push(target->model, target, std::move(rest),
         MakeHop(layer.name, target->model, *layer.error));  // `layer` dangles from here on
    return true;
  }
  return false;
}

void RouteMachine::Plan(Layer& layer) {
  layer.plan = PlanFallbacks(settings_, controls_, NamesOf(layer), *layer.error,
                             stack_.size() == 1, layer.inherited);
  layer.is_planned = true;
}

void RouteMachine::Push(std::string_view name, const config::FallbackTarget* target,
                        TargetList inherited, std::optional<FallbackHop> hop) {
  visited_.push_back(name);
  Layer& layer = stack_.emplace_back();
  layer.name = name;
  layer.target = target;
  layer.inherited = std::move(inherited);
  layer.hop = std::move(hop);
  const ModelIndex::Match* match = index_.Resolve(name, controls_.team_id, layer.scratch);
  layer.is_known = match != nullptr && !match->deployments.empty();
  // The layer moves when the stack grows; a pointer to its own scratch would not follow.
  layer.plain = match == &layer.scratch ? nullptr : match;
  if (why_ != nullptr) ExplainResolve(layer);
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

// The client gets the first group's error, not the last fallback's, with an explanation unless order
// levels led to it.
Step RouteMachine::Fail() {
  SettleAllHops(false);
  Layer& first = stack_.front();
  TakeError(first);
  Error error = told_error_ ? *told_error_ : *first.error;
  const bool tried_fallbacks = first.plan_next > 0;
  const bool is_own_error = error.cls == ErrorClass::kNoDeployments ||
                            error.cls == ErrorClass::kModelNotFound;
  if (settings_.expose_router_debug_in_errors && !controls_.disable_fallbacks && !first.has_later_level &&
      (tried_fallbacks || !is_own_error)) {
    error.message += ExplainFailure(first.match().group, first.plan, first_fallback_error_);
  }
  final_error_ = error;
  Note(Explanation::Kind::kEnd, first, fmt::format("the client gets {}", error.status));
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
