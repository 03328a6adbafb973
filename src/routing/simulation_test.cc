// Seeded simulation of many requests at a time over random configurations, in virtual time.
//
// A failure prints the seed; GW_SIM_SEED=<n> replays just that world. GW_SIM_REQUESTS=<n> asks for at
// least so many requests (script/test: a million, in an optimised build).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/cooldown.h"
#include "routing/route_test_kit.h"
#include "routing/row_limits.h"

namespace gw::routing::testing {
namespace {

constexpr int kWorlds = 100;
constexpr int kRequestsPerWorld = 600;
constexpr size_t kRequestsAtATime = 24;

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) {
    MakeConfig();
    world_.Build();
    world_.Seed(seed ^ 0xABCDEF);
  }

  void Run() {
    int started = 0;
    while (started < kRequestsPerWorld || !flights_.empty()) {
      if (started < kRequestsPerWorld && flights_.size() < kRequestsAtATime && Chance(0.6)) {
        Start();
        ++started;
      }
      if (!flights_.empty()) Move(Below(flights_.size()));
      world_.Advance(random_.NextUnit() * 0.2);
      if (Chance(0.001)) world_.Advance(70);
      ASSERT_FALSE(::testing::Test::HasFailure());
    }
    for (uint32_t i = 0; i < world_.state().size(); ++i) {
      EXPECT_EQ(world_.state().at(i).in_flight.load(), 0) << "slots of row " << i;
    }
  }

  // So that the check of the fallback order cannot fall asleep unnoticed.
  [[nodiscard]] int orders_checked() const { return orders_checked_; }
  [[nodiscard]] int rates_checked() const { return rates_checked_; }

 private:
  struct Flight {
    std::unique_ptr<RequestControls> controls;  // the route keeps a reference
    std::unique_ptr<RequestRoute> route;
    const config::Deployment* running = nullptr;
    std::vector<std::string> groups;  // in the order of their first attempt
    int attempts = 0;
    std::map<std::string, int64_t> per_group;
  };

  bool Chance(double p) { return random_.NextUnit() < p; }
  size_t Below(size_t n) {
    return static_cast<size_t>(random_.NextUnit() * static_cast<double>(n));
  }
  std::string Group(size_t i) const { return "g" + std::to_string(i); }

  void MakeConfig() {
    groups_ = 2 + Below(5);
    for (size_t g = 0; g < groups_; ++g) {
      const size_t rows = 1 + Below(4);
      const bool has_order = Chance(0.25);
      const bool has_weight = Chance(0.25);
      for (size_t r = 0; r < rows; ++r) {
        config::Deployment& row = world_.Row(Group(g), Group(g) + "-" + std::to_string(r));
        if (has_order && Chance(0.8)) row.order = static_cast<int64_t>(1 + Below(3));
        if (has_weight) row.weight = static_cast<double>(Below(4));
        if (Chance(0.2)) row.max_parallel_requests = static_cast<int64_t>(1 + Below(3));
        if (Chance(0.1)) row.rpm = static_cast<int64_t>(1 + Below(20));
        if (Chance(0.05)) row.tpm = static_cast<int64_t>(100 + Below(5000));
        if (Chance(0.05)) row.otpm = static_cast<int64_t>(100 + Below(5000));
        if (Chance(0.05)) row.rpd = static_cast<int64_t>(1 + Below(200));
        if (Chance(0.1)) row.num_retries = static_cast<int>(Below(4));
        if (Chance(0.1)) row.cooldown_time_s = random_.NextUnit() * 20;
        if (Chance(0.03)) row.blocked = true;
      }
    }
    config::RouterSettings& settings = world_.settings();
    for (size_t g = 0; g < groups_; ++g) {
      if (!Chance(0.6)) continue;
      std::vector<std::string> targets;
      for (size_t i = 0; i <= Below(4); ++i) targets.push_back(Group(Below(groups_ + 1)));
      world_.Fallback(Group(g), targets);  // may name itself, others twice, or an unknown group
    }
    if (Chance(0.3)) world_.Fallback("*", {Group(Below(groups_))});
    if (Chance(0.3)) {
      settings.has_context_window_fallbacks = true;
      settings.context_window_fallbacks = {World::List(Group(0), {Group(1)})};
    }
    settings.num_retries = static_cast<int>(Below(4));
    settings.max_fallbacks = static_cast<int>(Below(6));
    settings.enforce_model_rate_limits = Chance(0.3);
    settings.disable_cooldowns = Chance(0.1);
    settings.cooldown_time_s = 1 + random_.NextUnit() * 10;
    if (Chance(0.3)) settings.allowed_fails = static_cast<int>(Below(4));
    if (Chance(0.2)) settings.retry_policy.rate_limit = static_cast<int>(Below(4));
    if (Chance(0.2)) settings.total_timeout_s = 1 + random_.NextUnit() * 30;
    using config::RoutingStrategy;
    constexpr RoutingStrategy kStrategies[] = {
        RoutingStrategy::kSimpleShuffle, RoutingStrategy::kSimpleShuffle, RoutingStrategy::kLeastBusy,
        RoutingStrategy::kLatencyBased,  RoutingStrategy::kUsageBasedV2,  RoutingStrategy::kCostBased,
        RoutingStrategy::kProviderBudget};
    settings.strategy = kStrategies[Below(std::size(kStrategies))];
    settings.half_open_probes = Chance(0.3);
    settings.enable_weighted_failover = Chance(0.2);
    if (Chance(0.2)) settings.rate_limit_wait_max_s = random_.NextUnit() * 60;
    if (Chance(0.1)) settings.provider_budgets = {{"openai", 1 + random_.NextUnit() * 50, 30}};
    if (Chance(0.3)) settings.affinity = config::kSessionAffinity | config::kDeploymentAffinity;
    failure_rate_ = random_.NextUnit();
  }

  void Start() {
    Flight flight;
    flight.controls = std::make_unique<RequestControls>();
    flight.controls->model = Group(Below(groups_));
    if (Chance(0.1)) flight.controls->num_retries = static_cast<int>(Below(6));
    flight.controls->disable_fallbacks = Chance(0.05);
    flight.controls->stream = Chance(0.5);
    if (Chance(0.5)) flight.controls->session_id = "s" + std::to_string(Below(20));
    if (Chance(0.5)) flight.controls->output_tokens_max = static_cast<int64_t>(1 + Below(500));
    flight.route =
        std::make_unique<RequestRoute>(world_.index(), world_.state(), *flight.controls);
    flights_.push_back(std::move(flight));
  }

  void Move(size_t at) {
    Flight& flight = flights_[at];
    if (flight.running != nullptr) {
      if (!FinishAttempt(flight)) return;
    } else if (!NextStep(flight)) {
      return;
    }
    EXPECT_LE(flight.route->attempts(), limits::kAttemptsPerRequestMax);
    EXPECT_EQ(flight.route->attempts(), flight.attempts);
    std::swap(flights_[at], flights_.back());
    flights_.pop_back();
  }

  // True: the request is over.
  bool NextStep(Flight& flight) {
    const std::vector<bool> eligible = EligibleRows();
    const Step step = flight.route->Next(world_.now(), world_.random());
    switch (step.kind) {
      case Step::Kind::kWait:
        EXPECT_GT(step.wait, Duration::zero());
        EXPECT_LE(Seconds(step.wait), 61);
        return false;
      case Step::Kind::kFail:
        EXPECT_GE(step.error.status, 400);
        EXPECT_FALSE(step.error.message.empty());
        return true;
      case Step::Kind::kAttempt: break;
    }
    ++flight.attempts;
    flight.running = step.candidate.deployment;
    CheckPick(flight, step.candidate, eligible);
    return false;
  }

  // True: the request is over.
  bool FinishAttempt(Flight& flight) {
    const uint32_t index = flight.running->index;
    const std::string provider = flight.running->provider;
    flight.running = nullptr;
    if (Chance(0.02)) {
      if (Chance(0.5)) flight.route->OnAbandoned();
      return true;  // or simply destroyed
    }
    if (!Chance(failure_rate_)) {
      AttemptOutcome outcome;
      outcome.duration = FromSeconds(random_.NextUnit());
      outcome.completion_tokens = static_cast<int64_t>(Below(400));
      outcome.prompt_tokens = static_cast<int64_t>(Below(400));
      outcome.cost_usd = random_.NextUnit() * 0.1;
      outcome.is_stream = flight.controls->stream;
      if (outcome.is_stream) outcome.first_token = outcome.duration / 2;
      flight.route->OnAttemptSucceeded(world_.now(), outcome);
      const std::vector<FallbackHop> hops = flight.route->TakeHops();
      EXPECT_EQ(hops.empty(), flight.route->attempted_fallbacks() == 0);
      if (!hops.empty()) {
        EXPECT_TRUE(hops.back().succeeded);
        EXPECT_EQ(hops.back().to_group, flight.groups.back());
      }
      EXPECT_TRUE(flight.route->TakeHops().empty());
      return true;
    }
    static const char* const kAnswers[] = {"500", "503", "429", "429-after-3", "401", "404", "400",
                                           "ctx", "408", "403", "policy", "timeout"};
    Error error = *ErrorFor(kAnswers[Below(std::size(kAnswers))], provider);
    error.mid_stream = Chance(0.03);
    error.can_continue = error.mid_stream && Chance(0.5);
    // The deadline alone: while a half-open row is probed it counts as cooling for all others.
    const bool was_cooling = world_.state().CooldownLeft(index, world_.now()) > Duration::zero();
    const FailureEffect effect = flight.route->OnAttemptFailed(error, world_.now());
    if (effect.cooldown_started) {
      EXPECT_FALSE(was_cooling);
      EXPECT_TRUE(IsCoolingDown(world_.state().at(index), world_.now()));
      EXPECT_FALSE(world_.settings().disable_cooldowns);
    }
    if (error.mid_stream && !error.can_continue) {
      EXPECT_EQ(flight.route->Next(world_.now(), world_.random()).kind, Step::Kind::kFail);
      return true;
    }
    return false;
  }

  std::vector<bool> EligibleRows() {
    std::vector<bool> eligible;
    for (const config::Deployment& row : world_.snapshot().deployments) {
      eligible.push_back(!row.blocked &&
                         !IsCoolingDown(world_.state().at(row.index), world_.now()));
    }
    return eligible;
  }

  void CheckPick(Flight& flight, const Candidate& candidate, const std::vector<bool>& eligible) {
    const config::Deployment& row = *candidate.deployment;
    EXPECT_TRUE(eligible[row.index]) << row.id << " is cooling down or blocked";
    EXPECT_EQ(row.model_name, candidate.model_group);
    const int32_t held = world_.state().at(row.index).in_flight.load();
    EXPECT_GE(held, 1);
    EXPECT_LE(held, SlotLimit(row, world_.settings()).value_or(INT32_MAX)) << row.id;
    CheckRate(row);
    CheckAmplification(flight, row);
    if (flight.groups.empty() || flight.groups.back() != candidate.model_group) {
      // A group that was left is not entered again: no loops.
      EXPECT_EQ(std::count(flight.groups.begin(), flight.groups.end(), candidate.model_group), 0);
      flight.groups.push_back(candidate.model_group);
      CheckFallbackOrder(flight);
    }
    if (flight.route->attempted_fallbacks() == 0) {
      EXPECT_FALSE(candidate.is_fallback);
      EXPECT_EQ(candidate.model_group, flight.controls->model);
    }
  }

  // A row's minute begins with its first request; what passes in it is counted here once more.
  void CheckRate(const config::Deployment& row) {
    const config::RouterSettings& settings = world_.settings();
    const bool limits = settings.enforce_model_rate_limits || settings.strategy == config::RoutingStrategy::kUsageBasedV2;
    if (!limits || !row.rpm.has_value()) return;
    auto& [begin, count] = minutes_[row.index];
    if (count == 0 || world_.now() - begin >= std::chrono::seconds(60)) {
      begin = world_.now();
      count = 0;
    }
    EXPECT_LE(++count, *row.rpm) << row.id << " lets more than its rpm pass";
    ++rates_checked_;
  }

  // No retry storm: attempts within one group are bounded by what is configured for it.
  void CheckAmplification(Flight& flight, const config::Deployment& row) {
    const config::RouterSettings& settings = world_.settings();
    int64_t retries = settings.num_retries, levels = 1, rows = 0;
    for (const config::Deployment& other : world_.snapshot().deployments) {
      if (other.model_name != row.model_name) continue;
      ++rows;
      retries = std::max<int64_t>(retries, other.num_retries.value_or(0));
      levels += other.order.has_value() ? 1 : 0;
    }
    retries = std::max<int64_t>(retries, settings.retry_policy.rate_limit);
    if (flight.controls->num_retries) retries = std::max<int64_t>(retries, *flight.controls->num_retries);
    const int64_t bound = (retries + 1 + (settings.enable_weighted_failover ? rows : 0)) * levels;
    EXPECT_LE(++flight.per_group[row.model_name], bound) << "attempts in " << row.model_name;
  }

  // Targets of the first group's list are entered in its order. Worlds in which a target has a list
  // of its own are left out: nested groups may come in between.
  void CheckFallbackOrder(const Flight& flight) {
    if (flight.groups.front() != flight.controls->model) return;
    const config::FallbackList* list = ListOf(flight.controls->model);
    if (list == nullptr || world_.settings().has_context_window_fallbacks) return;
    if (ListOf("*") != nullptr) return;
    for (const auto& target : list->targets) {
      if (ListOf(target.model) != nullptr) return;
    }
    size_t place = 0;
    for (size_t i = 1; i < flight.groups.size(); ++i) {
      const auto found = std::find_if(list->targets.begin(), list->targets.end(),
                                      [&](const auto& t) { return t.model == flight.groups[i]; });
      ASSERT_NE(found, list->targets.end());
      const auto here = static_cast<size_t>(found - list->targets.begin()) + 1;
      EXPECT_GT(here, place) << "fallback order of " << list->group;
      place = here;
      ++orders_checked_;
    }
  }

  const config::FallbackList* ListOf(std::string_view group) {
    for (const config::FallbackList& list : world_.settings().fallbacks) {
      if (list.group == group) return &list;
    }
    return nullptr;
  }

  Random random_;
  World world_;
  size_t groups_ = 0;
  double failure_rate_ = 0;
  int orders_checked_ = 0;
  int rates_checked_ = 0;
  std::map<uint32_t, std::pair<TimePoint, int64_t>> minutes_;
  std::vector<Flight> flights_;
};

TEST(Simulation, InvariantsHoldInRandomWorlds) {
  uint64_t first = 1;
  uint64_t count = kWorlds;
  int orders_checked = 0, rates_checked = 0;
  if (const char* wanted = std::getenv("GW_SIM_REQUESTS"); wanted != nullptr)
    count = std::strtoull(wanted, nullptr, 10) / kRequestsPerWorld + 1;
  if (const char* chosen = std::getenv("GW_SIM_SEED"); chosen != nullptr) {
    first = std::strtoull(chosen, nullptr, 10);
    count = 1;
  }
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("replay with GW_SIM_SEED=" + std::to_string(seed));
    Simulation simulation(seed);
    simulation.Run();
    orders_checked += simulation.orders_checked();
    rates_checked += simulation.rates_checked();
    if (HasFailure()) {
      std::printf("failing seed: %llu\n", static_cast<unsigned long long>(seed));
      return;
    }
  }
  // The checks must not fall asleep unnoticed.
  EXPECT_GE(orders_checked, count == 1 ? 0 : static_cast<int>(count));
  EXPECT_GE(rates_checked, count == 1 ? 0 : static_cast<int>(count));
  std::printf("%llu requests simulated; %d fallback orders and %d rates checked\n",
              static_cast<unsigned long long>(count) * kRequestsPerWorld, orders_checked, rates_checked);
}

}  // namespace
}  // namespace gw::routing::testing
