#include "gateway/hedged_attempt.h"

#include <coroutine>
#include <exception>
#include <utility>

#include "accounting/cost.h"
#include "gateway/account.h"
#include "gateway/attempt.h"
#include "gateway/shared_lease.h"

namespace gw::gateway {

namespace {

// One of the two. Its fetching runs as a task of its own, until the race cancels it.
struct Lane {
  Lane(RequestContext& context, routing::RequestRoute& route, const routing::Candidate& candidate,
       routing::Racer who)
      : racer(who), attempt(context, route, candidate, cancel) {}

  const routing::Racer racer;
  net::CancelSlot cancel;
  Attempt attempt;
  enum class State : uint8_t { kIdle, kRunning, kReady, kOver } state = State::kIdle;
  bool is_out = false;          // told to the route and accounted
  std::exception_ptr failure;

  [[nodiscard]] bool runs() const { return state == State::kRunning; }
};

class Race {
 public:
  Race(RequestContext& context, Worker& worker, routing::RequestRoute& route, const routing::Candidate& candidate,
       Duration delay)
      : context_(context), worker_(worker), route_(route), first_(context, route, candidate, routing::Racer::kFirst),
        delay_(worker.loop().timers(), &Race::OnDelay, this) {
    context.exchange.on_client_gone().Set(&Race::OnGone, this);
    delay_.Arm(first_.attempt.begin() + delay);
  }
  ~Race() { context_.exchange.on_client_gone().Clear(); }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // Until the client has its answer, or the last attempt has failed.
  net::Task<void> Run();
  // Suspends the race until something is new, or until no lane runs.
  struct Wait {
    Race& race;
    bool for_end;
    bool await_ready() const { return race.IsDue(for_end); }
    void await_suspend(std::coroutine_handle<> waiter) const {
      race.waiter_ = waiter;
      race.waits_for_end_ = for_end;
    }
    void await_resume() const { race.has_news_ = false; }
  };
  // Ends what still runs; nothing refers to the race afterwards.
  [[nodiscard]] Wait End();
  [[nodiscard]] AttemptReport& report() { return current_->attempt.report(); }
  // The row the report is about, if it is not the first.
  [[nodiscard]] const routing::Candidate* overtaker() const { return current_ == &first_ ? nullptr : &other_; }

 private:
  static net::Task<void> Fetch(Race& race, Lane& lane);
  static void OnDelay(void* self);
  static void OnGone(void* self);
  [[nodiscard]] bool IsDue(bool for_end) const {
    return for_end ? !first_.runs() && !(second_ && second_->runs()) : has_news_;
  }
  void Wake();
  void StartSecond();
  Lane* Other(const Lane& lane) { return &lane != &first_ ? &first_ : second_ ? &*second_ : nullptr; }
  void MakeCurrent(Lane& lane);
  void TellFailure(Lane& lane);
  void Overtake(Lane& loser);
  void Abandon();
  bool Settle();
  net::Task<void> Win(Lane& winner);

  RequestContext& context_;
  Worker& worker_;
  routing::RequestRoute& route_;
  routing::Candidate other_;  // the second row
  Lane first_;
  std::optional<Lane> second_;
  Lane* current_ = &first_;   // whom the request's clock and the route speak of
  net::Deadline delay_;
  std::coroutine_handle<> waiter_;
  bool waits_for_end_ = false;
  bool has_news_ = false;
  bool is_late_ = false;      // the delay has passed
  bool is_held_ = false;      // OnGone is not through yet
};

net::Task<void> Race::Fetch(Race& race, Lane& lane) {
  lane.state = Lane::State::kRunning;
  bool ready = false;
  try {
    ready = co_await lane.attempt.Fetch();
    if (!ready || lane.is_out) lane.attempt.Drop();
  } catch (...) {
    lane.failure = std::current_exception();
    ready = false;
  }
  lane.state = ready ? Lane::State::kReady : Lane::State::kOver;
  race.has_news_ = true;
  race.Wake();  // last: whoever waits may end the race here
}

void Race::Wake() {
  if (waiter_ && !is_held_ && IsDue(waits_for_end_)) std::exchange(waiter_, {}).resume();
}

void Race::OnDelay(void* self) {
  auto& race = *static_cast<Race*>(self);
  race.is_late_ = race.has_news_ = true;
  race.Wake();
}

// Both go at once; the first to resume must not end the race under the other.
void Race::OnGone(void* self) {
  auto& race = *static_cast<Race*>(self);
  race.is_held_ = true;
  race.first_.cancel.Fire();
  if (race.second_) race.second_->cancel.Fire();
  race.is_held_ = false;
  race.Wake();
}

net::Task<void> Race::Run() {
  first_.attempt.BecomeCurrent();
  net::Spawn(Fetch(*this, first_));
  while (true) {
    co_await Wait{*this, false};
    if (context_.exchange.client_gone()) {
      co_await End();
      Abandon();
      co_return;
    }
    if (std::exchange(is_late_, false) && first_.runs()) StartSecond();
    for (Lane* lane : {&first_, second_ ? &*second_ : nullptr}) {
      if (lane != nullptr && lane->failure) std::rethrow_exception(lane->failure);
    }
    if (first_.state == Lane::State::kReady || (second_ && second_->state == Lane::State::kReady)) {
      co_await Win(first_.state == Lane::State::kReady ? first_ : *second_);
      co_return;
    }
    if (Settle()) co_return;
  }
}

void Race::StartSecond() {
  routing::HedgeOffer offer = route_.NextHedge(SteadyClock::now(), worker_.random());
  if (offer.kind == routing::HedgeOffer::Kind::kRefusedByCap)
    AccountHedge(context_, first_.attempt.candidate(), "refused_by_cap");
  if (offer.kind != routing::HedgeOffer::Kind::kPicked) return;
  other_ = std::move(offer.candidate);
  second_.emplace(context_, route_, other_, routing::Racer::kHedge);
  net::Spawn(Fetch(*this, *second_));
}

// Nobody has anything to say. True: nobody will, the current lane's report is the last word.
bool Race::Settle() {
  for (Lane* lane : {&first_, second_ ? &*second_ : nullptr}) {
    if (lane == nullptr || lane->runs() || lane->is_out) continue;
    Lane* other = Other(*lane);
    if (other == nullptr || other->is_out) {
      lane->attempt.Finish();
      if (second_) AccountHedge(context_, other_, "lost");
      return true;
    }
    TellFailure(*lane);
  }
  return false;
}

void Race::TellFailure(Lane& lane) {
  lane.is_out = true;
  Error& error = *lane.attempt.report().error;
  NoteFailedRow(context_, lane.attempt.candidate(), error);
  const routing::FailureEffect effect = route_.OnRacerFailed(lane.racer, error, SteadyClock::now());
  ShareFailure(context_.view, *lane.attempt.candidate().deployment, effect);
  AccountAttemptFailure(context_, lane.attempt.candidate(), error, effect.cooldown_started);
  if (&lane == current_) MakeCurrent(*Other(lane));
}

// Until now the first one's time counted; both windows together are the upstream's time.
void Race::MakeCurrent(Lane& lane) {
  context_.timing.upstream += lane.attempt.begin() - current_->attempt.begin();
  current_ = &lane;
  lane.attempt.BecomeCurrent();
}

void Race::Overtake(Lane& loser) {
  loser.is_out = true;
  const TimePoint now = SteadyClock::now();
  const Duration waited = now - loser.attempt.begin();
  const routing::Candidate& row = loser.attempt.candidate();
  const api::Usage* usage = loser.attempt.usage();
  routing::AttemptOutcome used;
  if (usage != nullptr) {
    used.prompt_tokens = usage->prompt_tokens;
    used.completion_tokens = usage->completion_tokens;
    used.cost_usd = accounting::ComputeCost(*context_.core.snapshot, *row.deployment, row.upstream_model, *usage,
                                            Seconds(waited)).total;
  }
  route_.OnOvertaken(loser.racer, waited, usage != nullptr ? &used : nullptr, now);
  AccountAborted(context_, row, "hedged_away", usage, Seconds(waited));
  if (!loser.runs()) loser.attempt.Drop();
  loser.cancel.Fire();
}

net::Task<void> Race::Win(Lane& winner) {
  if (second_) AccountHedge(context_, other_, winner.racer == routing::Racer::kHedge ? "won" : "lost");
  Lane* loser = Other(winner);
  if (loser != nullptr && !loser->is_out) Overtake(*loser);
  if (&winner != current_) MakeCurrent(winner);
  co_await winner.attempt.Deliver();
  winner.attempt.Finish();
}

// The client left: the route is told of both by its OnAbandoned, the current one is accounted with
// the request.
void Race::Abandon() {
  report().end = AttemptEnd::kAbandoned;
  report().error.reset();
  current_->attempt.Finish();
  if (!second_) return;
  AccountHedge(context_, other_, "lost");
  Lane& other = *Other(*current_);
  if (other.is_out) return;
  const AttemptReport& report = other.attempt.report();
  AccountAborted(context_, other.attempt.candidate(), "cancelled", report.has_usage ? &report.usage : nullptr, 0);
}

// No coroutine: it must not need memory, the lanes refer to the race until they are over.
Race::Wait Race::End() {
  if (first_.runs()) first_.cancel.Fire();
  if (second_ && second_->runs()) second_->cancel.Fire();
  return Wait{*this, true};
}

}  // namespace

net::Task<AttemptReport> RunHedged(RequestContext& context, Worker& worker, routing::RequestRoute& route,
                                   routing::Candidate& candidate, Duration delay) {
  // The attempts refer to their rows as long as the race lasts.
  const routing::Candidate first = candidate;
  Race race(context, worker, route, first, delay);
  std::exception_ptr failure;
  try {
    co_await race.Run();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await race.End();
  if (failure) std::rethrow_exception(failure);
  if (race.overtaker() != nullptr) candidate = *race.overtaker();
  co_return std::move(race.report());
}

}  // namespace gw::gateway
