// How busy is an inference engine? What it said of itself last, and what this gateway did since.
//
//   scrape ---> Apply ------> queue, KV use, requests that are not ours: the engine's own word, up to a
//                             scrape interval old
//   pick -----> OnSent -----> prompt tokens to compute; with `in_flight` (DeploymentState) known at once, so
//                             that a burst between two scrapes does not herd onto one engine
//   success --> OnFinished -> how long answers take, what they add to the cache
//
// All members are independent atomics, as in DeploymentState: a torn look costs one worse choice.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

// Of one scrape. What the engine does not tell stays as it is.
struct EngineSample {
  double waiting = 0;
  double running = 0;
  double kv_usage = 0;    // [0, 1]: share of the KV cache that running requests hold
  int64_t kv_tokens = 0;  // what the KV cache holds; 0: not told
};

// The gateway's own counts when a scrape was sent: what comes later the engine may not have seen.
struct ScrapeMark {
  int64_t sent_tokens = 0;
  int32_t in_flight = 0;
};

struct alignas(64) EngineLoad {
  explicit EngineLoad(uint32_t name) : engine(name) {}

  // What a decision reads of every candidate: one cache line.
  std::atomic<int64_t> scraped_ns{0};           // steady clock; 0: never
  std::atomic<int64_t> prefill_until_ns{0};     // until when the prompts sent so far are computed
  std::atomic<int64_t> sent_tokens{0};          // prompt tokens to compute, ever
  std::atomic<int64_t> kv_clear_tokens{0};      // as long as sent_tokens stays below, the KV cache has room
  std::atomic<float> queue_s{0};                // wait in the engine's queue, by the scrape
  std::atomic<float> kv_usage{0};
  std::atomic<int32_t> foreign{0};              // requests in the engine that are not ours
  const uint32_t engine;                        // its name in the PrefixMap
  std::atomic<int64_t> kv_tokens{0};            // what the cache holds; 0: not known

  std::atomic<int64_t> cache_clock{0};          // tokens that came to the front of its cache, ever
  std::atomic<int64_t> scraped_sent_tokens{0};  // prompt tokens sent before the last scrape
  std::atomic<float> waiting{0}, running{0};    // of the last scrape, for the gauges
  std::atomic<float> answer_s{0};               // moving mean of an attempt's duration; 0: none yet

  // Tokens by which the clock advances until an idle block is dropped.
  [[nodiscard]] int64_t CacheCapacity(const config::StrategyArgs& args) const;
};

// Did the engine say something lately?
[[nodiscard]] bool IsFresh(const EngineLoad& load, const config::StrategyArgs& args, TimePoint now);

// What one request would cost at each engine, in seconds: the lower the better. Made once per decision;
// what does not depend on the engine is reckoned then.
class EngineCosts {
 public:
  EngineCosts(const config::StrategyArgs& args, int64_t prompt_tokens, TimePoint now);

  // in_flight: our own requests there; cached_tokens: of the prompt's, probably in its cache.
  [[nodiscard]] double Of(const EngineLoad& load, int32_t in_flight, int64_t cached_tokens) const {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    const int64_t scraped = load.scraped_ns.load(kRelaxed);
    // Nothing known: among such engines the least busy one.
    if (scraped == 0 || now_ns_ - scraped > stale_ns_) return busy_weight_ * in_flight + whole_prompt_;
    const int64_t new_tokens = prompt_tokens_ - cached_tokens;
    const int64_t backlog_ns = std::max<int64_t>(load.prefill_until_ns.load(kRelaxed) - now_ns_, 0);
    const double wait_s =
        std::max(static_cast<double>(backlog_ns) * 1e-9, static_cast<double>(load.queue_s.load(kRelaxed)));
    const double active = in_flight + load.foreign.load(kRelaxed);
    const double tokens_s = cached_tokens == 0 ? whole_prompt_ : token_weight_ * static_cast<double>(new_tokens);
    const double time_s = queue_weight_ * wait_s + tokens_s + busy_weight_ * active;
    // Most engines have room by far: what lies between the scrapes then adds nothing.
    if (load.sent_tokens.load(kRelaxed) + new_tokens < load.kv_clear_tokens.load(kRelaxed)) return time_s;
    const double over = std::clamp((KvUse(load, new_tokens) - kKvFull) * (1 / (1 - kKvFull)), 0.0, 2.0);
    return time_s + kv_weight_ * over * over;
  }

  static constexpr double kKvFull = 0.85;  // from here on the next request may preempt another one

 private:
  // The share of the KV cache that is used when the request is there.
  [[nodiscard]] static double KvUse(const EngineLoad& load, int64_t new_tokens);

  const int64_t prompt_tokens_, now_ns_, stale_ns_;
  const double queue_weight_, token_weight_, busy_weight_, kv_weight_, whole_prompt_;
};

void OnSent(EngineLoad& load, const config::StrategyArgs& args, int64_t new_tokens, TimePoint now);
void OnFinished(EngineLoad& load, const AttemptOutcome& outcome);

[[nodiscard]] ScrapeMark BeginScrape(const EngineLoad& load, const DeploymentState& state);
void ApplySample(EngineLoad& load, const DeploymentState& state, const config::StrategyArgs& args,
                 const EngineSample& sample, const ScrapeMark& mark, TimePoint now);

}  // namespace gw::routing
