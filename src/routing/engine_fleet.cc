#include "routing/engine_fleet.h"

#include <algorithm>

#include "base/limits.h"

namespace gw::routing {
namespace {

constexpr uint32_t kNoRow = UINT32_MAX;

// Tokens that went through the engine's cache since an entry's last use.
int64_t AgeOf(const EngineLoad& load, uint64_t ticks) {
  return PrefixMap::AgeOf(ticks, load.cache_clock.load(std::memory_order_relaxed));
}

int64_t CapacityOf(const EngineLoad& load, const config::StrategyArgs& args) {
  return std::max<int64_t>(load.CacheCapacity(args), 1);
}

}  // namespace

EngineFleet::EngineFleet(const std::vector<size_t>& previous, const EngineFleet* old)
    : prefixes_(old != nullptr ? old->prefixes_ : std::make_shared<PrefixMap>(limits::kPrefixEntriesMax)) {
  loads_.reserve(previous.size());
  for (const size_t position : previous) {
    const bool stays = old != nullptr && position < old->loads_.size();
    loads_.push_back(stays ? old->loads_[position] : std::make_shared<EngineLoad>(prefixes_->NewEngine()));
    const uint32_t engine = loads_.back()->engine;
    if (engine >= row_of_.size()) row_of_.resize(engine + 1, kNoRow);
    row_of_[engine] = static_cast<uint32_t>(loads_.size() - 1);
  }
}

void EngineFleet::CopyLoads(const EngineFleet& other) {
  const auto copy = [](const auto& from, auto& to) { to.store(from.load(std::memory_order_relaxed)); };
  for (size_t i = 0; i < loads_.size() && i < other.loads_.size(); ++i) {
    const EngineLoad& from = *other.loads_[i];
    EngineLoad& to = *loads_[i];
    copy(from.scraped_ns, to.scraped_ns);
    copy(from.prefill_until_ns, to.prefill_until_ns);
    copy(from.sent_tokens, to.sent_tokens);
    copy(from.scraped_sent_tokens, to.scraped_sent_tokens);
    copy(from.kv_clear_tokens, to.kv_clear_tokens);
    copy(from.queue_s, to.queue_s);
    copy(from.kv_usage, to.kv_usage);
    copy(from.foreign, to.foreign);
    copy(from.kv_tokens, to.kv_tokens);
    copy(from.answer_s, to.answer_s);
  }
}

void EngineFleet::Cached::Find(const EngineFleet& fleet, const PromptBlocks& prompt,
                               const config::StrategyArgs& args) {
  for (const uint32_t row : found_) tokens_[row] = 0;
  found_.clear();
  const size_t rows = fleet.loads_.size();
  if (tokens_.size() < rows) tokens_.resize(rows, 0);
  fleet.prefixes_->ForEach(prompt.blocks, [&](uint32_t engine, size_t block, uint64_t ticks) {
    const uint32_t row = engine < fleet.row_of_.size() ? fleet.row_of_[engine] : kNoRow;
    // Longer beginnings come first: what is found of a row's shorter ones changes nothing.
    if (row == kNoRow || tokens_[row] != 0) return true;
    const EngineLoad& load = *fleet.loads_[row];
    if (AgeOf(load, ticks) > CapacityOf(load, args)) return true;
    tokens_[row] = prompt.blocks[block].end_tokens;
    found_.push_back(row);
    return found_.size() < rows;
  });
}

// How far the clock of an engine's cache goes on when it uses again what it holds of the prompt: what
// lay at the front of the cache anyway (a system prompt that all share) passes nobody, what was about
// to be dropped passes all.
int64_t EngineFleet::PassedBy(const EngineLoad& load, const PromptBlocks& prompt, const PrefixMap::Places& places,
                              const config::StrategyArgs& args) {
  const int64_t capacity = CapacityOf(load, args);
  float passed = 0;
  bool is_held = false;
  for (size_t i = prompt.blocks.size(); i-- > 0;) {
    const std::optional<uint64_t> ticks = places.TicksOf(i);
    if (!ticks.has_value()) continue;
    const int64_t age = AgeOf(load, *ticks);
    is_held = is_held || age <= capacity;
    if (!is_held) continue;
    const int32_t begin = i > 0 ? prompt.blocks[i - 1].end_tokens : 0;
    passed += static_cast<float>(prompt.blocks[i].end_tokens - begin) *
              std::min(static_cast<float>(age) / static_cast<float>(capacity), 1.0F);
  }
  return static_cast<int64_t>(passed);
}

void EngineFleet::OnSent(uint32_t row, const PromptBlocks& prompt, const Cached& cached,
                         const config::StrategyArgs& args, TimePoint now) {
  EngineLoad& load = *loads_[row];
  const PrefixMap::Places places(*prefixes_, prompt.blocks, load.engine);
  const int64_t held = cached.TokensOf(row);
  const int64_t new_tokens = prompt.tokens - held;
  routing::OnSent(load, args, new_tokens, now);
  const int64_t passed = new_tokens + (held > 0 ? PassedBy(load, prompt, places, args) : 0);
  const int64_t clock = load.cache_clock.fetch_add(passed, std::memory_order_relaxed) + passed;
  prefixes_->Put(prompt.blocks, load.engine, clock, places);
}

void EngineFleet::OnFinished(uint32_t row, const PromptBlocks& prompt, const AttemptOutcome& outcome) {
  EngineLoad& load = *loads_[row];
  routing::OnFinished(load, outcome);
  prefixes_->Put(prompt.blocks, load.engine, load.cache_clock.load(std::memory_order_relaxed));
}

}  // namespace gw::routing
