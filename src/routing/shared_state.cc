// What of the shared state does this configuration need?
#include <algorithm>

#include "base/limits.h"
#include "routing/affinity.h"
#include "routing/latency.h"
#include "routing/packed_window.h"
#include "routing/provider_budget.h"
#include "routing/router.h"

namespace gw::routing {

SharedState::SharedState(size_t deployments) : states_(deployments) {}

SharedState::SharedState(const config::Snapshot& snapshot) : states_(snapshot.deployments.size()) {
  const config::RouterSettings& router = snapshot.router;
  const auto has_budget = [](const config::Deployment& row) {
    return row.max_budget.has_value() && row.budget_period_s > 0;
  };
  if (router.strategy == config::RoutingStrategy::kLatencyBased) {
    latency_ = std::make_unique<LatencyRings[]>(states_.size());
  }
  if (std::any_of(snapshot.deployments.begin(), snapshot.deployments.end(), has_budget)) {
    row_spend_ = std::make_unique<SpendWindow[]>(states_.size());
  }
  if (!router.provider_budgets.empty()) {
    provider_spend_ = std::make_unique<SpendWindow[]>(router.provider_budgets.size());
  }
  const bool by_group = std::any_of(router.group_affinity.begin(), router.group_affinity.end(),
                                    [](const auto& group) { return group.second != 0; });
  if (router.affinity != 0 || by_group) {
    affinity_ = std::make_unique<AffinityTable>(limits::kAffinityEntriesMax);
  }
}

SharedState::~SharedState() = default;

void SharedState::SetWallClock(TimePoint now, int64_t unix_seconds) {
  unix_offset_s_.store(unix_seconds - NanosecondsOf(now) / 1'000'000'000,
                       std::memory_order_relaxed);
}

LatencyRings* SharedState::latency(uint32_t index) {
  return latency_ == nullptr ? nullptr : &latency_[index];
}

SpendWindow* SharedState::row_spend(uint32_t index) const {
  return row_spend_ == nullptr ? nullptr : &row_spend_[index];
}

SpendWindow* SharedState::provider_spend(int32_t budget) const {
  return provider_spend_ == nullptr ? nullptr : &provider_spend_[static_cast<size_t>(budget)];
}

}  // namespace gw::routing
