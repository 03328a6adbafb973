#include "routing/engine_load.h"

#include <algorithm>

#include "routing/packed_window.h"

namespace gw::routing {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr float kMeanShare = 0.05F;      // of a new sample in the moving mean
constexpr int64_t kKvTokensGuess = 200'000;
constexpr double kCacheShare = 1.0;

// See EngineLoad::kv_clear_tokens; a little early rather than late, also after rounding.
int64_t ClearTokens(const EngineLoad& load) {
  const double room = EngineCosts::kKvFull - 1e-4 - static_cast<double>(load.kv_usage.load(kRelaxed));
  if (room <= 0) return 0;
  const int64_t capacity = load.kv_tokens.load(kRelaxed);
  if (capacity <= 0) return INT64_MAX;
  return load.scraped_sent_tokens.load(kRelaxed) + static_cast<int64_t>(room * static_cast<double>(capacity));
}

double Saturate(double value, double low, double high) { return value >= low ? std::min(value, high) : low; }

}  // namespace

int64_t EngineLoad::CacheCapacity(const config::StrategyArgs& args) const {
  int64_t tokens = kv_tokens.load(kRelaxed);
  if (tokens <= 0) tokens = args.prefix_cache_tokens > 0 ? args.prefix_cache_tokens : kKvTokensGuess;
  // Blocks that running requests hold are not there for prefixes.
  const double free = 1.0 - static_cast<double>(kv_usage.load(kRelaxed));
  return static_cast<int64_t>(static_cast<double>(tokens) * std::max(kCacheShare * free, 0.05));
}

bool IsFresh(const EngineLoad& load, const config::StrategyArgs& args, TimePoint now) {
  const int64_t scraped = load.scraped_ns.load(kRelaxed);
  return scraped != 0 && static_cast<double>(NanosecondsOf(now) - scraped) <= args.stale_after_s * 1e9;
}

EngineCosts::EngineCosts(const config::StrategyArgs& args, int64_t prompt_tokens, TimePoint now)
    : prompt_tokens_(prompt_tokens),
      now_ns_(NanosecondsOf(now)),
      stale_ns_(static_cast<int64_t>(args.stale_after_s * 1e9)),
      queue_weight_(args.queue_weight),
      token_weight_(args.prefix_weight / args.prefill_tokens_per_s),
      busy_weight_(args.busy_weight),
      kv_weight_(args.kv_weight),
      whole_prompt_(token_weight_ * static_cast<double>(prompt_tokens)) {}

double EngineCosts::KvUse(const EngineLoad& load, int64_t new_tokens) {
  const auto kv = static_cast<double>(load.kv_usage.load(kRelaxed));
  const int64_t capacity = load.kv_tokens.load(kRelaxed);
  if (capacity <= 0) return kv;
  const int64_t since = load.sent_tokens.load(kRelaxed) - load.scraped_sent_tokens.load(kRelaxed);
  return kv + (static_cast<double>(since) + static_cast<double>(new_tokens)) / static_cast<double>(capacity);
}

void OnSent(EngineLoad& load, const config::StrategyArgs& args, int64_t new_tokens, TimePoint now) {
  load.sent_tokens.fetch_add(new_tokens, kRelaxed);
  const auto work = static_cast<int64_t>(static_cast<double>(new_tokens) / args.prefill_tokens_per_s * 1e9);
  int64_t until = load.prefill_until_ns.load(kRelaxed);
  while (!load.prefill_until_ns.compare_exchange_weak(until, std::max(until, NanosecondsOf(now)) + work, kRelaxed)) {
  }
}

void OnFinished(EngineLoad& load, const AttemptOutcome& outcome) {
  load.cache_clock.fetch_add(std::max<int64_t>(outcome.completion_tokens, 0), kRelaxed);
  const auto seconds = static_cast<float>(Seconds(outcome.duration));
  const float mean = load.answer_s.load(kRelaxed);
  load.answer_s.store(mean > 0 ? mean + kMeanShare * (seconds - mean) : seconds, kRelaxed);
}

ScrapeMark BeginScrape(const EngineLoad& load, const DeploymentState& state) {
  return {.sent_tokens = load.sent_tokens.load(kRelaxed), .in_flight = state.in_flight.load(kRelaxed)};
}

void ApplySample(EngineLoad& load, const DeploymentState& state, const config::StrategyArgs& args,
                 const EngineSample& sample, const ScrapeMark& mark, TimePoint now) {
  const double waiting = Saturate(sample.waiting, 0, 1e6);
  const double running = Saturate(sample.running, 0, 1e6);
  const int64_t now_ns = NanosecondsOf(now);
  load.waiting.store(static_cast<float>(waiting), kRelaxed);
  load.running.store(static_cast<float>(running), kRelaxed);
  load.kv_usage.store(static_cast<float>(Saturate(sample.kv_usage, 0, 1)), kRelaxed);
  if (sample.kv_tokens > 0) load.kv_tokens.store(std::min<int64_t>(sample.kv_tokens, int64_t{1} << 40), kRelaxed);
  // Ours may have come or gone while the scrape was under way: the larger count is not foreign.
  const int32_t own = std::max(mark.in_flight, state.in_flight.load(kRelaxed));
  load.foreign.store(static_cast<int32_t>(std::max(0.0, waiting + running - own)), kRelaxed);
  // Little's law: requests leave at the rate (waiting + running) / duration.
  const double answer_s = static_cast<double>(load.answer_s.load(kRelaxed));
  load.queue_s.store(static_cast<float>(waiting > 0 ? waiting * answer_s / (waiting + running) : 0), kRelaxed);
  load.scraped_sent_tokens.store(mark.sent_tokens, kRelaxed);
  load.kv_clear_tokens.store(ClearTokens(load), kRelaxed);
  if (waiting < 1) {
    // Nobody waits: all prompts but those that were sent meanwhile are in work.
    const int64_t since = load.sent_tokens.load(kRelaxed) - mark.sent_tokens;
    const auto work = static_cast<int64_t>(static_cast<double>(since) / args.prefill_tokens_per_s * 1e9);
    int64_t until = load.prefill_until_ns.load(kRelaxed);
    while (until > now_ns + work && !load.prefill_until_ns.compare_exchange_weak(until, now_ns + work, kRelaxed)) {
    }
  }
  load.scraped_ns.store(std::max<int64_t>(now_ns, 1), kRelaxed);
}

}  // namespace gw::routing
