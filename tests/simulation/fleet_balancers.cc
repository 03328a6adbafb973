#include "simulation/fleet_balancers.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "routing/engine_fleet.h"
#include "routing/route_test_kit.h"

namespace gw::routing::simulation {
namespace {

class RoundRobin : public Balancer {
 public:
  explicit RoundRobin(size_t engines) : engines_(engines) {}
  size_t Pick(uint64_t, const Ask&, double) override { return next_++ % engines_; }

 private:
  size_t engines_;
  size_t next_ = 0;
};

// What gateway/controls makes of a body, without the body: the blocks have their names from whose text it is.
PromptBlocks BlocksOf(const Ask& ask, const config::StrategyArgs& args) {
  PromptBlocks out;
  const auto bytes = static_cast<size_t>(ask.prompt.tokens * ask.bytes_per_token);
  const auto shared = static_cast<size_t>(ask.prompt.shared_tokens * ask.bytes_per_token);
  out.tokens = static_cast<int64_t>(bytes) / kBytesPerToken;
  const auto block_bytes = static_cast<size_t>(args.prefix_block_bytes);
  for (size_t end = NextBlockEnd(0, block_bytes); end <= bytes && out.blocks.size() < limits::kPromptBlocksMax;
       end = NextBlockEnd(end, block_bytes)) {
    const uint64_t owner = end <= shared ? ask.prompt.application : ask.prompt.conversation << 8;
    Random name(owner * 1'000'003 + end);
    out.blocks.push_back({name.Next() | 1, static_cast<int32_t>(static_cast<int64_t>(end) / kBytesPerToken)});
  }
  return out;
}

class Production : public Balancer {
 public:
  Production(const Engines& engines, config::RoutingStrategy strategy, const config::StrategyArgs& args, uint64_t seed)
      : engines_(engines), args_(args) {
    world_.settings().strategy = strategy;
    world_.settings().strategy_args = args;
    for (size_t i = 0; i < engines.size(); ++i) world_.Row("g", "engine-" + std::to_string(i));
    world_.Build();
    world_.Seed(seed);
  }

  size_t Pick(uint64_t id, const Ask& ask, double now) override {
    Flight& flight = flights_[id];
    flight.controls.model = "g";
    flight.controls.stream = true;
    flight.controls.prompt = BlocksOf(ask, args_);
    flight.route = std::make_unique<RequestRoute>(world_.index(), world_.state(), flight.controls);
    flight.started = now;
    return flight.route->Next(At(now), world_.random()).candidate.deployment->index;
  }

  void OnFinished(const Sequence& sequence, double now) override {
    const auto found = flights_.find(sequence.id);
    AttemptOutcome outcome;
    outcome.duration = FromSeconds(now - found->second.started);
    outcome.prompt_tokens = sequence.prompt.tokens;
    outcome.completion_tokens = sequence.produced;
    outcome.is_stream = true;
    found->second.route->OnAttemptSucceeded(At(now), outcome);
    flights_.erase(found);
  }

  void OnScrapeTime(double now) override {
    EngineFleet* fleet = world_.state().engines();
    if (fleet == nullptr) return;
    for (uint32_t i = 0; i < engines_.size(); ++i) {
      const Engine& engine = engines_[i];
      const EngineSample sample{.waiting = static_cast<double>(engine.waiting()),
                                .running = static_cast<double>(engine.running()),
                                .kv_usage = engine.kv_usage(),
                                .kv_tokens = int64_t{engine.model().blocks} * engine.model().block_tokens};
      const ScrapeMark mark = BeginScrape(fleet->at(i), world_.state().at(i));
      ApplySample(fleet->at(i), world_.state().at(i), args_, sample, mark, At(now));
    }
  }

 private:
  struct Flight {
    RequestControls controls;
    std::unique_ptr<RequestRoute> route;
    double started = 0;
  };
  [[nodiscard]] TimePoint At(double now) const { return world_.now() + FromSeconds(now); }

  const Engines& engines_;
  config::StrategyArgs args_;
  testing::World world_;
  std::unordered_map<uint64_t, Flight> flights_;
};

// Greedy with perfect knowledge: the engine where the request adds the least latency to itself and to all
// others that are there, reckoned from the exact state and the true length of every answer. It does not know
// who comes next: that would be the optimum, which nobody can compute for so many requests.
class Oracle : public Balancer {
 public:
  explicit Oracle(const Engines& engines) : engines_(engines) {}

  size_t Pick(uint64_t, const Ask& ask, double now) override {
    size_t best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < engines_.size(); ++i) {
      const double cost = CostAt(engines_[i], ask, now);
      if (cost >= lowest) continue;
      lowest = cost;
      best = i;
    }
    return best;
  }

 private:
  static double CostAt(const Engine& engine, const Ask& ask, double now) {
    const EngineModel& m = engine.model();
    double backlog = 0;       // prompt tokens before ours
    double harm_tokens = 0;   // sum over the others of the steps that they share with our answer
    double context = 0;
    double others = 0;
    const auto add = [&](const Sequence& s, double prefill) {
      backlog += prefill;
      harm_tokens += std::min(s.left(), ask.answer_tokens);
      context += s.length();
      others += 1;
    };
    for (const Sequence& s : engine.running_sequences()) add(s, std::max(0, s.goal - s.computed - 1));
    for (const Sequence& s : engine.waiting_sequences()) add(s, s.new_tokens);
    const double own_new = ask.prompt.tokens - engine.CachedTokens(ask.prompt);
    const double prefill_s = own_new / m.prefill_tokens_per_s;
    const double step_s = m.step_s + m.sequence_s * (others + 1) + m.context_token_s * (context + ask.prompt.tokens);
    const double steps = 1 + (backlog + own_new) / m.batched_tokens_max;
    const double ttft_s = std::max(0.0, engine.busy_until() - now) + backlog / m.prefill_tokens_per_s + prefill_s +
                          steps * step_s + WaitForBlocks(engine, ask, step_s);
    const double added_s = m.sequence_s + m.context_token_s * ask.prompt.tokens;
    // The weight that makes the oracle hardest to match: with less of it its first tokens come later, with
    // more it produces fewer.
    constexpr double kTtftWeight = 10;
    return kTtftWeight * ttft_s + step_s * ask.answer_tokens + added_s * harm_tokens + prefill_s * others;
  }

  // Until enough of those that run have ended.
  static double WaitForBlocks(const Engine& engine, const Ask& ask, double step_s) {
    int64_t wanted = engine.BlocksOf(ask.prompt.tokens + ask.answer_tokens) - engine.available_blocks();
    for (const Sequence& s : engine.waiting_sequences()) wanted += engine.BlocksOf(s.length());
    if (wanted <= 0) return 0;
    std::vector<std::pair<int32_t, int32_t>> ends;
    for (const Sequence& s : engine.running_sequences()) ends.emplace_back(s.left(), s.held_blocks);
    std::sort(ends.begin(), ends.end());
    for (const auto& [left, blocks] : ends) {
      wanted -= blocks;
      if (wanted <= 0) return left * step_s;
    }
    return ends.empty() ? 0 : ends.back().first * step_s * 2;
  }

  const Engines& engines_;
};

}  // namespace

std::unique_ptr<Balancer> MakeRoundRobin(size_t engines) { return std::make_unique<RoundRobin>(engines); }
std::unique_ptr<Balancer> MakeProduction(const Engines& engines, config::RoutingStrategy strategy,
                                         const config::StrategyArgs& args, uint64_t seed) {
  return std::make_unique<Production>(engines, strategy, args, seed);
}
std::unique_ptr<Balancer> MakeOracle(const Engines& engines) { return std::make_unique<Oracle>(engines); }

}  // namespace gw::routing::simulation
