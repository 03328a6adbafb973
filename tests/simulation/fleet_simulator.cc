#include "simulation/fleet_simulator.h"

#include <algorithm>
#include <queue>

namespace gw::routing::simulation {
namespace {

class Fleet {
 public:
  Fleet(const FleetSetup& setup, Choice choice) : setup_(setup), engines_(setup.engines, Engine(setup.engine)) {
    switch (choice) {
      case Choice::kRoundRobin: balancer_ = MakeRoundRobin(setup.engines); break;
      case Choice::kLeastBusy:
        balancer_ = MakeProduction(engines_, config::RoutingStrategy::kLeastBusy, setup.args, setup.seed);
        break;
      case Choice::kInferenceAware:
        balancer_ = MakeProduction(engines_, config::RoutingStrategy::kInferenceAware, setup.args, setup.seed);
        break;
      case Choice::kOracle: balancer_ = MakeOracle(engines_); break;
    }
    for (size_t i = 0; i < setup.users; ++i) {
      users_.emplace_back(setup.workload, setup.seed, i);
      Push(users_.back().NextPause(), Kind::kAsk, i);
    }
    Push(setup.args.scrape_interval_s, Kind::kScrape, 0);
  }

  FleetResult Run() {
    // Requests of the measured time that still wait at its end are followed for a while.
    const double end = setup_.warm_up_s + setup_.measured_s;
    while (!events_.empty()) {
      const Event event = events_.top();
      if (event.at > end + kAfterS || (event.at > end && open_ == 0)) break;
      events_.pop();
      now_ = event.at;
      switch (event.kind) {
        case Kind::kAsk: OnAsk(event.subject); break;
        case Kind::kStep: OnStep(event.subject); break;
        case Kind::kScrape:
          balancer_->OnScrapeTime(now_);
          Push(now_ + setup_.args.scrape_interval_s, Kind::kScrape, 0);
          break;
      }
    }
    return Result();
  }

 private:
  static constexpr double kAfterS = 120;
  enum class Kind : uint8_t { kAsk, kStep, kScrape };
  struct Event {
    double at;
    uint64_t number;
    Kind kind;
    size_t subject;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  void Push(double at, Kind kind, size_t subject) { events_.push({at, ++number_, kind, subject}); }
  [[nodiscard]] bool IsMeasured(double at) const {
    return at >= setup_.warm_up_s && at < setup_.warm_up_s + setup_.measured_s;
  }

  void OnAsk(size_t user) {
    const Ask ask = users_[user].NextAsk();
    Sequence sequence;
    sequence.id = ids_.size();
    sequence.prompt = ask.prompt;
    sequence.answer_tokens = ask.answer_tokens;
    ids_.push_back(user);
    const size_t at = balancer_->Pick(sequence.id, ask, now_);
    result_.digest = (result_.digest ^ at) * 0x100000001B3U;
    if (IsMeasured(now_)) {
      ++open_;
      ++result_.requests;
      prompt_tokens_ += ask.prompt.tokens;
      cached_tokens_ += engines_[at].CachedTokens(ask.prompt);
    }
    engines_[at].Arrive(std::move(sequence), now_);
    BeginStep(at);
  }

  void BeginStep(size_t engine) {
    const double end = engines_[engine].BeginStep(now_);
    if (end >= 0) Push(end, Kind::kStep, engine);
  }

  void OnStep(size_t engine) {
    finished_.clear();
    int64_t tokens = 0;
    engines_[engine].EndStep(now_, finished_, tokens);
    if (IsMeasured(now_)) tokens_ += tokens;
    for (const Sequence& s : finished_) {
      balancer_->OnFinished(s, now_);
      if (IsMeasured(s.arrived)) {
        --open_;
        ttfts_.push_back(s.first_token - s.arrived);
      }
      const size_t user = ids_[s.id];
      Push(now_ + users_[user].NextPause(), Kind::kAsk, user);
    }
    BeginStep(engine);
  }

  FleetResult Result() {
    // Whoever has waited until now has waited at least so long.
    for (const Engine& engine : engines_) {
      result_.preemptions += engine.preemptions();
      for (const Sequence& s : engine.running_sequences()) AddUnfinished(s);
      for (const Sequence& s : engine.waiting_sequences()) AddUnfinished(s);
    }
    std::sort(ttfts_.begin(), ttfts_.end());
    const auto quantile = [&](double q) {
      return ttfts_.empty() ? 0 : ttfts_[static_cast<size_t>(q * static_cast<double>(ttfts_.size() - 1))];
    };
    result_.tokens_per_s = static_cast<double>(tokens_) / setup_.measured_s;
    result_.ttft_p50_s = quantile(0.5);
    result_.ttft_p99_s = quantile(0.99);
    result_.cached_share = prompt_tokens_ > 0 ? static_cast<double>(cached_tokens_) / static_cast<double>(prompt_tokens_) : 0;
    return result_;
  }

  void AddUnfinished(const Sequence& s) {
    if (IsMeasured(s.arrived)) ttfts_.push_back((s.first_token >= 0 ? s.first_token : now_) - s.arrived);
  }

  const FleetSetup& setup_;
  Engines engines_;
  std::unique_ptr<Balancer> balancer_;
  std::vector<User> users_;
  std::priority_queue<Event> events_;
  uint64_t number_ = 0;
  double now_ = 0;
  std::vector<size_t> ids_;  // user of each request
  std::vector<Sequence> finished_;
  std::vector<double> ttfts_;
  int64_t tokens_ = 0, prompt_tokens_ = 0, cached_tokens_ = 0;
  int64_t open_ = 0;
  FleetResult result_;
};

}  // namespace

FleetResult RunFleet(const FleetSetup& setup, Choice choice) { return Fleet(setup, choice).Run(); }

}  // namespace gw::routing::simulation
