// What do decisions read of every candidate? A Deployment is a kilobyte; a decision over a thousand
// of them must not walk a megabyte. Built once per snapshot, immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/pattern.h"
#include "config/snapshot.h"

namespace gw::routing {

// Limits that are enforced before a call; kNone: not limited.
struct RowLimits {
  static constexpr int64_t kNone = -1;
  int64_t slots = kNone;
  int64_t rpm = kNone, tpm = kNone, itpm = kNone, otpm = kNone;
  int64_t rpd = kNone, tpd = kNone;
  int32_t daily_reset_s = 0;
  bool counts_requests = false;  // whether or not they are limited
  bool counts_tokens = false;

  [[nodiscard]] bool LimitsRate() const { return rpm >= 0 || rpd >= 0 || LimitsTokens(); }
  [[nodiscard]] bool IsLimited() const { return slots >= 0 || LimitsRate(); }
  [[nodiscard]] bool LimitsTokens() const {
    return tpm >= 0 || itpm >= 0 || otpm >= 0 || tpd >= 0;
  }
};

// Does the strategy itself drop rows that are over rpm or tpm?
[[nodiscard]] bool StrategyLimits(config::RoutingStrategy strategy);
[[nodiscard]] bool IsUsageBased(config::RoutingStrategy strategy);

[[nodiscard]] RowLimits LimitsOf(const config::Deployment& row,
                                 const config::RouterSettings& settings);

struct alignas(64) RowFacts {
  int64_t order = 0;
  int32_t provider_budget = -1;  // position in RouterSettings::provider_budgets
  bool has_order = false;
  bool blocked = false;
  bool has_budget = false;  // of its own
  int64_t context_max = 0;  // max_input_tokens; 0: unknown
  RowLimits limits;
};

// One number per row, side by side: eight rows to a cache line.
using Metric = std::vector<double>;

class RowTable {
 public:
  explicit RowTable(const config::Snapshot& snapshot);

  // Position of a row of the snapshot, without touching the row's memory.
  class Positions {
   public:
    explicit Positions(const config::Deployment* first) : first_(first) {}
    [[nodiscard]] uint32_t Of(const config::Deployment* row) const { return static_cast<uint32_t>(row - first_); }

   private:
    const config::Deployment* first_;
  };
  // To keep in a local, for what looks at many.
  [[nodiscard]] Positions positions() const { return Positions(first_); }
  [[nodiscard]] uint32_t IndexOf(const config::Deployment* row) const { return positions().Of(row); }
  [[nodiscard]] const RowFacts& at(uint32_t index) const { return facts_[index]; }
  [[nodiscard]] const RowFacts& of(const config::Deployment* row) const {
    return facts_[IndexOf(row)];
  }

  // What the shuffle may be weighted by.
  [[nodiscard]] const Metric& weights() const { return weights_; }
  [[nodiscard]] const Metric& rpms() const { return rpms_; }
  [[nodiscard]] const Metric& tpms() const { return tpms_; }
  // USD per input token and output token.
  [[nodiscard]] const Metric& costs() const { return costs_; }

  // Does any row of the snapshot have it? What nobody has costs nothing.
  [[nodiscard]] bool any_blocked() const { return any_blocked_; }
  [[nodiscard]] bool any_order() const { return any_order_; }
  [[nodiscard]] bool any_weight() const { return any_weight_; }
  [[nodiscard]] bool any_rpm() const { return any_rpm_; }
  [[nodiscard]] bool any_tpm() const { return any_tpm_; }
  // rpm or tpm, enforced or not: metrics tell what is left of them.
  [[nodiscard]] bool states_room() const { return states_room_; }
  [[nodiscard]] bool any_limit() const { return any_limit_; }
  // Slots, rates or counts that replicas would share.
  [[nodiscard]] bool any_shared() const { return any_shared_; }
  [[nodiscard]] bool any_budget() const { return any_budget_; }
  [[nodiscard]] bool any_tag_filtering() const { return any_tag_filtering_; }
  [[nodiscard]] bool any_tag_regex() const { return !tag_regexes_.empty(); }
  // Does one of the row's tag_regex occur in "User-Agent: VALUE"?
  [[nodiscard]] bool MatchesTagRegex(const config::Deployment* row, std::string_view text) const;

 private:
  void CompileRegexes(const config::Snapshot& snapshot);

  const config::Deployment* first_;
  std::vector<RowFacts> facts_;
  Metric weights_, rpms_, tpms_, costs_;
  bool any_blocked_ = false, any_order_ = false, any_weight_ = false, any_rpm_ = false;
  bool any_tpm_ = false, states_room_ = false, any_limit_ = false, any_shared_ = false, any_budget_ = false, any_tag_filtering_ = false;
  std::vector<std::vector<Pattern>> tag_regexes_;  // per row; empty when no row has any
};

}  // namespace gw::routing
