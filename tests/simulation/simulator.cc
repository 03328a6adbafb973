#include "simulation/simulator.h"

#include <algorithm>
#include <queue>

#include "routing/scripted_answer.h"
#include "simulation/referee.h"
#include "simulation/world_maker.h"

namespace gw::routing::simulation {

namespace {

constexpr size_t kFlightsMax = 64;

class Simulator {
 public:
  Simulator(uint64_t seed, int requests, bool explain, Outcome& outcome)
      : dice_(seed), explain_(explain), to_start_(requests), outcome_(outcome) {
    plan_ = MakeWorld(world_, dice_);
    world_.Build();
    world_.Seed(seed ^ 0xABCDEF);
    begin_ = world_.now();
    referee_.emplace(world_, plan_, outcome_, seed);
  }

  void Run() {
    Push(world_.now(), kArrival);
    while (!events_.empty() && !referee_->HasFailed()) {
      const Event event = events_.top();
      events_.pop();
      world_.Advance(Seconds(event.at - world_.now()));
      Digest(event.flight);
      if (event.flight == kArrival) {
        Arrive();
      } else {
        Move(event.flight);
      }
    }
    if (!referee_->HasFailed()) referee_->OnEnd();
    outcome_.digest = digest_;
  }

 private:
  static constexpr size_t kArrival = SIZE_MAX;

  struct Event {
    TimePoint at;
    uint64_t number;  // first come, first served among equals
    size_t flight;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  void Push(TimePoint at, size_t flight) { events_.push({at, ++number_, flight}); }

  void Digest(uint64_t value) {
    digest_ = (digest_ ^ value ^ static_cast<uint64_t>(world_.now().time_since_epoch().count())) * 0x100000001B3U;
  }

  void Arrive() {
    if (to_start_ <= 0) return;
    if (running_ < kFlightsMax) {
      --to_start_;
      Start();
    }
    Push(world_.now() + FromSeconds(plan_.arrival_gap_s * dice_.Between(0.01, 2)), kArrival);
    if (dice_.Chance(0.002)) TellProbes();
  }

  // Background probes see the same illness as the requests.
  void TellProbes() {
    for (const config::Deployment& row : world_.snapshot().deployments) {
      world_.state().SetProbe(row.index, !dice_.Chance(PhaseOf(row).failure_rate), world_.now());
    }
  }

  void Start() {
    size_t at = free_.empty() ? flights_.size() : free_.back();
    if (free_.empty()) {
      flights_.emplace_back();
    } else {
      free_.pop_back();
    }
    Flight& flight = flights_[at];
    flight = Flight();
    flight.controls = std::make_unique<RequestControls>(MakeRequest(plan_, world_.settings(), dice_));
    flight.begin = world_.now();
    if (explain_) {
      flight.explanation = std::make_unique<Explanation>();
      flight.explanation->begin = flight.explanation->now = world_.now();
    }
    flight.route = std::make_unique<RequestRoute>(world_.index(), world_.state(), *flight.controls,
                                                  flight.explanation.get());
    ++running_;
    ++outcome_.totals.requests;
    Push(world_.now(), at);
  }

  void Move(size_t at) {
    Flight& flight = flights_[at];
    if (std::exchange(flight.is_late, false)) return Hedge(flight, at);
    if (flight.hedge != nullptr) {
      if (Race(flight, at)) return;
    }
    const bool over = flight.running != nullptr ? FinishAttempt(flight, at) : NextStep(flight, at);
    if (!over) return;
    flight.route.reset();
    free_.push_back(at);
    --running_;
  }

  // True: the request is over.
  bool NextStep(Flight& flight, size_t at) {
    Step step = flight.route->Next(world_.now(), world_.random());
    switch (step.kind) {
      case Step::Kind::kWait:
        referee_->OnWait(flight, step.wait);
        if (dice_.Chance(0.02)) return true;  // the client leaves during the pause
        Push(world_.now() + step.wait, at);
        return false;
      case Step::Kind::kFail:
        referee_->OnRefused(flight, step.error);
        Digest(static_cast<uint64_t>(step.error.status));
        return true;
      case Step::Kind::kAttempt: break;
    }
    flight.candidate = std::move(step.candidate);
    referee_->OnPick(flight);
    Digest(flight.candidate.deployment->index);
    const Script::Phase& phase = PhaseOf(*flight.candidate.deployment);
    // The more there is to do, the longer it takes.
    const int load = world_.state().at(flight.candidate.deployment->index).in_flight.load();
    const Duration takes = FromSeconds(phase.latency_s * dice_.Between(0.5, 1.5) * (1 + 0.05 * load));
    const auto delay = flight.route->HedgeAfter();
    flight.is_late = delay && *delay < takes;
    Push(world_.now() + (flight.is_late ? *delay : takes), at);
    return false;
  }

  // The first attempt is late.
  void Hedge(Flight& flight, size_t at) {
    const HedgeOffer offer = flight.route->NextHedge(world_.now(), world_.random());
    referee_->OnHedge(flight, offer);
    Digest(static_cast<uint64_t>(offer.kind));
    if (flight.hedge != nullptr && dice_.Chance(0.02)) {
      referee_->OnHedge(flight, flight.route->NextHedge(world_.now(), world_.random()));  // must be refused
    }
    Push(world_.now() + FromSeconds(dice_.Between(0.001, 0.5)), at);
  }

  // One of the two falls out. True: the other one still takes some time.
  bool Race(Flight& flight, size_t at) {
    if (dice_.Chance(0.05)) return false;  // the client leaves both, or one answers while both run
    const Racer who = dice_.Chance(0.5) ? Racer::kFirst : Racer::kHedge;
    const config::Deployment& row = who == Racer::kFirst ? *flight.running : *flight.hedge;
    FailureEffect effect;
    if (dice_.Chance(0.3)) {
      effect = flight.route->OnRacerFailed(who, *ScriptedError(RandomFailure(dice_), row.provider), world_.now());
    } else {
      AttemptOutcome used;
      used.prompt_tokens = dice_.Upto(300);
      flight.route->OnOvertaken(who, FromSeconds(0.3), dice_.Chance(0.5) ? &used : nullptr, world_.now());
    }
    referee_->OnRacerGone(flight, who, effect);
    Push(world_.now() + FromSeconds(dice_.Between(0, 0.3)), at);
    return true;
  }

  bool FinishAttempt(Flight& flight, size_t at) {
    const config::Deployment& row = *flight.running;
    const Script::Phase& phase = PhaseOf(row);
    if (!plan_.is_calm && dice_.Chance(0.02)) return Leave(flight);
    if (!dice_.Chance(phase.failure_rate)) {
      AttemptOutcome outcome;
      outcome.duration = FromSeconds(phase.latency_s);
      outcome.prompt_tokens = dice_.Upto(300);
      outcome.completion_tokens = dice_.Upto(300);
      outcome.cost_usd = dice_.Between(0, 0.1);
      outcome.is_stream = flight.controls->stream;
      if (outcome.is_stream) outcome.first_token = outcome.duration / 4;
      flight.route->OnAttemptSucceeded(world_.now(), outcome);
      referee_->OnSucceeded(flight);
      return true;
    }
    const std::string answer = phase.answer.empty() ? RandomFailure(dice_) : phase.answer;
    Error error = *ScriptedError(answer, row.provider);
    error.mid_stream = flight.controls->stream && dice_.Chance(0.1);
    error.can_continue = error.mid_stream && dice_.Chance(0.5);
    if (error.mid_stream) {
      AttemptOutcome used;
      used.prompt_tokens = dice_.Upto(300);
      flight.route->Settle(used, world_.now());
    }
    const FailureEffect effect = flight.route->OnAttemptFailed(error, world_.now());
    referee_->OnFailed(flight, error, effect);
    if (error.mid_stream && !error.can_continue) {
      const Step last = flight.route->Next(world_.now(), world_.random());
      if (last.kind != Step::Kind::kFail) referee_->Violation(&flight, "it goes on after the client got text");
      return true;
    }
    Push(world_.now(), at);
    return false;
  }

  // The client leaves: told to the route, or the route is simply destroyed.
  bool Leave(Flight& flight) {
    if (dice_.Chance(0.5)) {
      flight.route->OnAbandoned();
    } else {
      flight.route.reset();
    }
    referee_->OnAbandoned(flight);
    return true;
  }

  const Script::Phase& PhaseOf(const config::Deployment& row) const {
    const double at_s = Seconds(world_.now() - begin_);
    const std::vector<Script::Phase>& phases = plan_.scripts[row.index].phases;
    for (const Script::Phase& phase : phases) {
      if (at_s < phase.until_s) return phase;
    }
    return phases.back();
  }

  Dice dice_;
  const bool explain_;
  testing::World world_;
  Plan plan_;
  std::optional<Referee> referee_;
  TimePoint begin_{};
  int to_start_;
  size_t running_ = 0;
  std::priority_queue<Event> events_;
  uint64_t number_ = 0;
  std::vector<Flight> flights_;
  std::vector<size_t> free_;
  uint64_t digest_ = 0xCBF29CE484222325U;
  Outcome& outcome_;
};

}  // namespace

void Totals::Add(const Totals& other) {
  requests += other.requests;
  attempts += other.attempts;
  retries += other.retries;
  fallbacks += other.fallbacks;
  cooldowns += other.cooldowns;
  waits += other.waits;
  refused += other.refused;
  failed += other.failed;
  abandoned += other.abandoned;
  mid_stream += other.mid_stream;
  hedges += other.hedges;
  orders_checked += other.orders_checked;
  weights_checked += other.weights_checked;
  slots_checked += other.slots_checked;
  minutes_checked += other.minutes_checked;
  all_cooled_checked += other.all_cooled_checked;
  budgets_checked += other.budgets_checked;
  tags_checked += other.tags_checked;
  teams_checked += other.teams_checked;
  probes_checked += other.probes_checked;
}

Outcome Simulate(uint64_t seed, int requests, bool explain) {
  Outcome outcome;
  Simulator(seed, requests, explain, outcome).Run();
  return outcome;
}

}  // namespace gw::routing::simulation
