#include "routing/provider_budget.h"

#include <fmt/format.h>

#include "routing/packed_window.h"
#include "routing/route_errors.h"

namespace gw::routing {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

bool IsSpent(const config::Deployment* row, const RowTable& table,
             const config::RouterSettings& settings, const SharedState& state, TimePoint now) {
  const RowFacts& facts = table.of(row);
  if (facts.provider_budget >= 0) {
    const auto at = static_cast<size_t>(facts.provider_budget);
    const config::ProviderBudget& budget = settings.provider_budgets[at];
    const SpendWindow* spend = state.provider_spend(facts.provider_budget);
    if (spend != nullptr && spend->Read(budget.period_s, now) >= budget.limit_usd) return true;
  }
  if (!facts.has_budget) return false;
  const SpendWindow* spend = state.row_spend(table.IndexOf(row));
  return spend != nullptr && spend->Read(row->budget_period_s, now) >= *row->max_budget;
}

}  // namespace

bool SpendWindow::IsOver(int64_t begin, double period_s, TimePoint now) {
  return begin == kNone || static_cast<double>(NanosecondsOf(now) - begin) >= period_s * 1e9;
}

void SpendWindow::Add(double usd, double period_s, TimePoint now) {
  int64_t begin = begin_ns_.load(kRelaxed);
  if (IsOver(begin, period_s, now) &&
      begin_ns_.compare_exchange_strong(begin, NanosecondsOf(now), kRelaxed)) {
    before_.store(total_.load(kRelaxed), kRelaxed);
  }
  total_.fetch_add(usd, kRelaxed);
}

double SpendWindow::Read(double period_s, TimePoint now) const {
  if (IsOver(begin_ns_.load(kRelaxed), period_s, now)) return 0;
  return total_.load(kRelaxed) - before_.load(kRelaxed);
}

bool KeepWithinBudget(RowList& rows, const RowTable& table, const config::RouterSettings& settings,
                      const SharedState& state, TimePoint now) {
  std::erase_if(rows, [&](const config::Deployment* row) {
    return IsSpent(row, table, settings, state, now);
  });
  return !rows.empty();
}

Error BudgetCrossed(std::string_view group) {
  Error error = GatewayError(
      ErrorClass::kNoDeployments, 429, "rate_limit_error",
      fmt::format("No deployments available - crossed budget: every deployment of model={} has spent what its "
                  "provider or its own max_budget allows.",
                  group));
  error.limit_kind = "budget";
  return error;
}

void AddSpend(const SharedState& state, const RowTable& table,
              const config::RouterSettings& settings, const config::Deployment& row, double usd,
              TimePoint now) {
  if (!(usd > 0)) return;
  const RowFacts& facts = table.of(&row);
  if (facts.provider_budget >= 0) {
    const auto at = static_cast<size_t>(facts.provider_budget);
    SpendWindow* spend = state.provider_spend(facts.provider_budget);
    if (spend != nullptr) spend->Add(usd, settings.provider_budgets[at].period_s, now);
  }
  if (!facts.has_budget) return;
  SpendWindow* spend = state.row_spend(table.IndexOf(&row));
  if (spend != nullptr) spend->Add(usd, row.budget_period_s, now);
}

}  // namespace gw::routing
