// Has a provider or a row spent its money? provider_budget_config, max_budget + budget_duration.
//
// Spend is known after an answer only: a budget is crossed by at most what runs at that moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"
#include "routing/strategy.h"

namespace gw::routing {

// USD since the window's first spend; the first spend after its end begins a new one.
class SpendWindow {
 public:
  void Add(double usd, double period_s, TimePoint now);
  [[nodiscard]] double Read(double period_s, TimePoint now) const;

 private:
  [[nodiscard]] static bool IsOver(int64_t begin, double period_s, TimePoint now);
  // A sum that only grows, and what it was when the window began: nothing is lost at the change.
  std::atomic<double> total_{0};
  std::atomic<double> before_{0};
  std::atomic<int64_t> begin_ns_{kNone};
  static constexpr int64_t kNone = INT64_MIN;
};

// Drops rows that are over a budget. False: none is left.
[[nodiscard]] bool KeepWithinBudget(RowList& rows, const RowTable& table,
                                    const config::RouterSettings& settings,
                                    const SharedState& state, TimePoint now);
[[nodiscard]] Error BudgetCrossed(std::string_view group);

void AddSpend(const SharedState& state, const RowTable& table,
              const config::RouterSettings& settings, const config::Deployment& row, double usd,
              TimePoint now);

}  // namespace gw::routing
