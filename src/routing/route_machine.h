// The state of one client request on its way through groups: the body of RequestRoute.
//
// A stack of layers. A layer is one group with its retries, then its later `order` levels, then its
// fallback targets; each target is a layer on top of it. A layer that fails is taken off and the
// one below goes on with its next target:
//
//   select --row--> running --failed--> failed --retry--> select
//      '--nothing--------------------------'---no--> over --next level / target--> select (on top)
//                                                      '--nothing left--> layer below: over
//
// Every cycle consumes a bounded thing: a try (kAttemptsPerRequestMax), an order level, or a target
// name, which is visited once per request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/explanation.h"
#include "routing/fallback_plan.h"
#include "routing/retry_policy.h"
#include "routing/strategy.h"

namespace gw::routing {

class RouteMachine {
 public:
  RouteMachine(const ModelIndex& index, SharedState& state, const RequestControls& controls,
               Explanation* why);
  ~RouteMachine() { Release(); }
  RouteMachine(const RouteMachine&) = delete;
  RouteMachine& operator=(const RouteMachine&) = delete;

  [[nodiscard]] Step Next(TimePoint now, Random& random);
  [[nodiscard]] FailureEffect OnAttemptFailed(const Error& error, TimePoint now);
  void OnAttemptSucceeded(TimePoint now, const AttemptOutcome* outcome);
  void OnAbandoned();
  // False: nothing was running.
  bool OnRefusedElsewhere(Reservation reason, Duration trusted, Duration free_in, TimePoint now);
  void Settle(const AttemptOutcome& outcome, TimePoint now);
  [[nodiscard]] std::optional<Duration> HedgeAfter() const;
  [[nodiscard]] HedgeOffer NextHedge(TimePoint now, Random& random);
  void OnOvertaken(Racer loser, Duration waited, const AttemptOutcome* used, TimePoint now);
  [[nodiscard]] FailureEffect OnRacerFailed(Racer who, const Error& error, TimePoint now);

  [[nodiscard]] TokenCounts reserved() const { return running_.tokens; }
  [[nodiscard]] int attempted_retries() const { return stack_.back().retries_done; }
  [[nodiscard]] int max_retries() const { return stack_.back().max_retries; }
  [[nodiscard]] bool has_fallen_back() const { return has_fallen_back_; }
  [[nodiscard]] std::vector<FallbackHop> TakeHops() { return std::exchange(known_hops_, {}); }

 private:
  enum class Mode : uint8_t { kSelect, kRunning, kFailed, kOver };

  struct Layer {
    std::string_view name;                           // as asked; owned by controls or a target
    const config::FallbackTarget* target = nullptr;  // that led here; nullptr for the first group
    ModelIndex::Match scratch;
    const ModelIndex::Match* plain = nullptr;  // nullptr: `scratch`, or nothing at all
    bool is_known = false;
    Mode mode = Mode::kSelect;

    // The retry loop of the current order level.
    int retries_done = 0;
    int max_retries = 0;
    std::vector<uint32_t> tried;
    std::vector<uint32_t> hopeless;
    const config::Deployment* failed_row = nullptr;  // whose error is decided about
    std::optional<Error> failure;     // the error to decide about
    std::optional<Error> last_error;  // of this level: an upstream's if any row was called
    bool refused_by_us = false;

    std::optional<int64_t> order;       // level asked for; nullopt: the lowest available
    std::optional<int64_t> order_seen;  // highest level that was picked
    bool has_later_level = false;       // order levels were gone through
    std::optional<Error> error;         // what this layer failed with: see TakeError

    bool is_planned = false;
    TargetList inherited;  // what the layer below still had when this one began
    TargetList plan;
    size_t plan_next = 0;

    bool is_counted = false;   // as a first attempt, in the budgets of retries and hedges
    bool in_failover = false;  // weighted failover: the group's other rows, once each

    std::optional<FallbackHop> hop;        // that led to this layer
    std::optional<FallbackHop> level_hop;  // to the current order level

    [[nodiscard]] const ModelIndex::Match& match() const { return plain ? *plain : scratch; }
    [[nodiscard]] const std::string& group() const { return match().group; }
  };

  // One mode each; a Step ends the turn, nullopt goes on.
  std::optional<Step> Select(Layer& layer, TimePoint now, Random& random);
  std::optional<Step> Decide(Layer& layer, TimePoint now, Random& random);
  std::optional<Step> Leave(Layer& layer, TimePoint now);

  void TakeError(Layer& layer);
  bool EnterNextLevel(Layer& layer, TimePoint now);
  bool EnterFailover(Layer& layer, TimePoint now);
  bool EnterNextTarget(Layer& layer);
  void Plan(Layer& layer);
  [[nodiscard]] SelectionInput InputOf(const Layer& layer) const;
  // What mock_testing_* asks for, once, before the first row is called.
  bool Pretend(Layer& layer);
  // May one more attempt be made, seen from the request and (retries) from the process?
  [[nodiscard]] bool MayGoOn(std::string_view& why) const;
  [[nodiscard]] bool MayRetry(std::string_view& why);
  // A pause until the first row's own limits may let the request pass; nullopt: none is due.
  std::optional<Step> WaitForRoom(const Layer& layer, const Selection& selection, TimePoint now,
                                  Random& random);
  // Likewise until the first row leaves its cooldown: with a priority, or by cooldown_wait_max.
  std::optional<Step> WaitForCooldown(Layer& layer, const Selection& selection, TimePoint now,
                                      Random& random);
  [[nodiscard]] std::optional<Step> WaitStep(Duration pause, std::string_view what);
  void Push(std::string_view name, const config::FallbackTarget* target, TargetList inherited,
            std::optional<FallbackHop> hop);
  [[nodiscard]] GroupNames NamesOf(const Layer& layer) const;
  [[nodiscard]] bool WasVisited(std::string_view name) const;
  [[nodiscard]] bool IsOutOfTime(TimePoint now, Duration pause) const;
  [[nodiscard]] static FallbackHop MakeHop(std::string_view from, std::string_view to,
                                           const Error& error);

  // What a running attempt holds: a slot, tokens, maybe a probe.
  struct Held {
    const config::Deployment* row = nullptr;
    TokenCounts tokens;
    int64_t probe = 0;
  };

  Step Attempt(Layer& layer, const config::Deployment& row);
  [[nodiscard]] Candidate MakeCandidate(const Layer& layer, const config::Deployment& row) const;
  // Books a failure on its row; decides nothing about the request.
  FailureEffect RecordRowFailure(const config::Deployment& row, const Error& error, TimePoint now);
  Step Fail();
  void SettleHop(std::optional<FallbackHop>& hop, bool succeeded);
  void SettleAllHops(bool succeeded);
  // Gives back what the running attempts hold.
  void Release(bool succeeded = false);
  void GiveBack(Held& held, bool succeeded);
  void SettleHeld(Held& held, const AttemptOutcome& outcome, TimePoint now);
  // For the waits of later requests that are hedged.
  void RecordTime(uint32_t row, const AttemptOutcome& outcome) const;
  // The hedge takes the place of the first attempt, which takes the hedge's.
  void SwapRacers();

  // For the explanation; all do nothing without one.
  void ExplainResolve(const Layer& layer);
  void ExplainOutcome(const Error* error, const FailureEffect& effect);
  void ExplainPlan(const Layer& layer);
  void ExplainHedge(const Layer& layer);
  void Note(Explanation::Kind kind, const Layer& layer, std::string_view text);

  // Constant after construction.
  const ModelIndex& index_;
  SharedState& state_;
  const RequestControls& controls_;
  const config::RouterSettings& settings_;
  Explanation* const why_;

  std::vector<Layer> stack_;  // never empty
  std::vector<std::string_view> visited_;
  std::vector<FallbackHop> known_hops_;
  std::string first_fallback_error_;
  std::optional<Error> told_error_;  // what the client gets instead of the first group's
  Candidate last_candidate_;
  Held running_;
  Held hedge_;                // races against it
  Duration waited_for_room_{};
  Duration waited_for_cooldown_{};
  int extras_ = 0;            // retries and fallback attempts so far
  bool has_pretended_ = false;
  bool is_mirrored_ = false;
  bool mirrors_now_ = false;  // by the attempt that runs
  std::optional<TimePoint> started_;
  std::optional<Error> final_error_;
  int tries_ = 0;
  bool is_over_ = false;  // succeeded or abandoned: nothing may follow
  bool has_fallen_back_ = false;
};

}  // namespace gw::routing
