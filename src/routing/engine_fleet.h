// The engines behind the deployments of one configuration, for inference-aware routing: how busy is
// each, and which prompts has it computed? Made only where a strategy asks for it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routing/engine_load.h"
#include "routing/prefix_map.h"

namespace gw::routing {

class EngineFleet {
 public:
  // previous[i]: position of row i in `old`, SIZE_MAX when it is new. Rows that stay keep their load
  // and what is known of their cache. `old` may be null.
  EngineFleet(const std::vector<size_t>& previous, const EngineFleet* old);

  // What another fleet of the same rows knows of their load, without what it knows of prompts.
  void CopyLoads(const EngineFleet& other);

  [[nodiscard]] EngineLoad& at(uint32_t row) { return *loads_[row]; }
  [[nodiscard]] const EngineLoad& at(uint32_t row) const { return *loads_[row]; }

  // By row, for what looks at many.
  [[nodiscard]] const std::shared_ptr<EngineLoad>* loads() const { return loads_.data(); }

  // Tokens of the prompt's beginning that the row probably holds, by row; rows that are not in it
  // hold nothing. Forgets what it found before. One thread.
  class Cached {
   public:
    void Find(const EngineFleet& fleet, const PromptBlocks& prompt, const config::StrategyArgs& args);
    [[nodiscard]] int64_t TokensOf(uint32_t row) const { return row < tokens_.size() ? tokens_[row] : 0; }
    // Of all rows of the fleet that Find was told.
    [[nodiscard]] const int32_t* tokens() const { return tokens_.data(); }

   private:
    std::vector<int32_t> tokens_;  // by row
    std::vector<uint32_t> found_;  // rows with tokens
  };

  // The row is sent the prompt now; `cached` is what Find found for it.
  void OnSent(uint32_t row, const PromptBlocks& prompt, const Cached& cached, const config::StrategyArgs& args,
              TimePoint now);
  // It has answered. Only now the engine may drop the prompt's blocks: their age begins here.
  void OnFinished(uint32_t row, const PromptBlocks& prompt, const AttemptOutcome& outcome);

 private:
  [[nodiscard]] static int64_t PassedBy(const EngineLoad& load, const PromptBlocks& prompt,
                                        const PrefixMap::Places& places, const config::StrategyArgs& args);

  std::vector<std::shared_ptr<EngineLoad>> loads_;
  std::shared_ptr<PrefixMap> prefixes_;
  std::vector<uint32_t> row_of_;  // by engine; kNoRow: not of this configuration
};

}  // namespace gw::routing
