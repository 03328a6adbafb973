#include "routing/engine_fleet.h"

#include <algorithm>

#include "base/limits.h"

namespace gw::routing {
namespace {
constexpr uint32_t kNoRow = UINT32_MAX;
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
    copy(from.queue_s, to.queue_s);
    copy(from.kv_usage, to.kv_usage);
    copy(from.foreign, to.foreign);
    copy(from.kv_tokens, to.kv_tokens);
    copy(from.answer_s, to.answer_s);
  }
}

void EngineFleet::Cached::Find(const EngineFleet& fleet, const PromptBlocks& prompt,
                               const config::StrategyArgs& args) {
  for (const uint32_t row : found_) {
    tokens_[row] = 0;
    passed_[row] = 0;
  }
  found_.clear();
  if (tokens_.size() < fleet.loads_.size()) {
    tokens_.resize(fleet.loads_.size(), 0);
    passed_.resize(fleet.loads_.size(), 0);
  }
  fleet.prefixes_->ForEach(prompt.blocks, [&](uint32_t engine, size_t block, uint64_t ticks) {
    const uint32_t row = engine < fleet.row_of_.size() ? fleet.row_of_[engine] : kNoRow;
    if (row == kNoRow) return true;
    const EngineLoad& load = *fleet.loads_[row];
    const int64_t age = PrefixMap::AgeOf(ticks, load.cache_clock.load(std::memory_order_relaxed));
    const int64_t capacity = std::max<int64_t>(load.CacheCapacity(args), 1);
    const int32_t end = prompt.blocks[block].end_tokens;
    if (tokens_[row] == 0) {
      if (age > capacity) return true;
      tokens_[row] = end;
      found_.push_back(row);
    }
    const int32_t begin = block > 0 ? prompt.blocks[block - 1].end_tokens : 0;
    passed_[row] += static_cast<float>(end - begin) *
                    std::min(static_cast<float>(age) / static_cast<float>(capacity), 1.0F);
    return true;
  });
}

void EngineFleet::OnSent(uint32_t row, const PromptBlocks& prompt, const Cached& cached,
                         const config::StrategyArgs& args, TimePoint now) {
  EngineLoad& load = *loads_[row];
  const int64_t new_tokens = prompt.tokens - cached.TokensOf(row);
  routing::OnSent(load, args, new_tokens, now);
  const int64_t passed = new_tokens + cached.PassedBy(row);
  const int64_t clock = load.cache_clock.fetch_add(passed, std::memory_order_relaxed) + passed;
  prefixes_->Put(prompt.blocks, load.engine, clock);
}

void EngineFleet::OnFinished(uint32_t row, const PromptBlocks& prompt, const AttemptOutcome& outcome) {
  EngineLoad& load = *loads_[row];
  routing::OnFinished(load, outcome);
  prefixes_->Put(prompt.blocks, load.engine, load.cache_clock.load(std::memory_order_relaxed));
}

}  // namespace gw::routing
