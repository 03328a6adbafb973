// What of the shared state does this configuration need, and what of it stays over a reload?
#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "routing/affinity.h"
#include "routing/latency.h"
#include "routing/packed_window.h"
#include "routing/provider_budget.h"
#include "routing/router.h"

namespace gw::routing {

namespace {

constexpr size_t kNew = SIZE_MAX;

bool IsSameUpstream(const config::Deployment& a, const config::Deployment& b) {
  return a.model_name == b.model_name && a.litellm_model == b.litellm_model && a.api_base == b.api_base;
}

// Per row of `snapshot`: its position in `before`, kNew when it is another upstream.
std::vector<size_t> OldPositions(const config::Snapshot& snapshot, const config::Snapshot* before) {
  std::vector<size_t> positions(snapshot.deployments.size(), kNew);
  if (before == nullptr) return positions;
  std::unordered_map<std::string_view, const config::Deployment*> known;
  for (const config::Deployment& row : before->deployments) known.emplace(row.id, &row);
  for (size_t i = 0; i < positions.size(); ++i) {
    const config::Deployment& row = snapshot.deployments[i];
    const auto found = known.find(row.id);
    if (found != known.end() && IsSameUpstream(*found->second, row)) positions[i] = found->second->index;
  }
  return positions;
}

// One T per row; those of `old` where the row stays and had one.
template <typename T>
std::vector<std::shared_ptr<T>> Carry(const std::vector<size_t>& positions, const std::vector<std::shared_ptr<T>>* old) {
  std::vector<std::shared_ptr<T>> out;
  out.reserve(positions.size());
  for (const size_t position : positions) {
    const bool stays = position != kNew && old != nullptr && position < old->size();
    out.push_back(stays ? (*old)[position] : std::make_shared<T>());
  }
  return out;
}

bool NeedsAffinity(const config::RouterSettings& router) {
  const bool by_group = std::any_of(router.group_affinity.begin(), router.group_affinity.end(),
                                    [](const auto& group) { return group.second != 0; });
  return router.affinity != 0 || by_group;
}

std::vector<size_t> OldBudgets(const config::RouterSettings& router, const config::Snapshot* before) {
  std::vector<size_t> positions(router.provider_budgets.size(), kNew);
  if (before == nullptr) return positions;
  const std::vector<config::ProviderBudget>& old = before->router.provider_budgets;
  for (size_t i = 0; i < positions.size(); ++i) {
    for (size_t k = 0; k < old.size(); ++k) {
      if (old[k].provider == router.provider_budgets[i].provider) positions[i] = k;
    }
  }
  return positions;
}

// The table leads to positions: it stays only while every row has the position it had.
bool KeepsPositions(const std::vector<size_t>& positions) {
  for (size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] != i) return false;
  }
  return true;
}

}  // namespace

SharedState::SharedState(size_t deployments) : states_(Carry<DeploymentState>(std::vector<size_t>(deployments, kNew), nullptr)) {}

SharedState::SharedState(const config::Snapshot& snapshot, const config::Snapshot* before, const SharedState* previous) {
  const config::RouterSettings& router = snapshot.router;
  const std::vector<size_t> positions = OldPositions(snapshot, before);
  states_ = Carry(positions, previous == nullptr ? nullptr : &previous->states_);
  if (router.strategy == config::RoutingStrategy::kLatencyBased) {
    latency_ = Carry(positions, previous == nullptr ? nullptr : &previous->latency_);
  }
  const auto has_budget = [](const config::Deployment& row) {
    return row.max_budget.has_value() && row.budget_period_s > 0;
  };
  if (std::any_of(snapshot.deployments.begin(), snapshot.deployments.end(), has_budget)) {
    row_spend_ = Carry(positions, previous == nullptr ? nullptr : &previous->row_spend_);
  }
  provider_spend_ = Carry(OldBudgets(router, before), previous == nullptr ? nullptr : &previous->provider_spend_);
  if (!NeedsAffinity(router)) return;
  const bool keep = previous != nullptr && previous->affinity_ != nullptr && KeepsPositions(positions);
  affinity_ = keep ? previous->affinity_ : std::make_shared<AffinityTable>(limits::kAffinityEntriesMax);
}

SharedState::~SharedState() = default;

void SharedState::SetWallClock(TimePoint now, int64_t unix_seconds) {
  unix_offset_s_.store(unix_seconds - NanosecondsOf(now) / 1'000'000'000,
                       std::memory_order_relaxed);
}

LatencyRings* SharedState::latency(uint32_t index) {
  return latency_.empty() ? nullptr : latency_[index].get();
}

SpendWindow* SharedState::row_spend(uint32_t index) const {
  return row_spend_.empty() ? nullptr : row_spend_[index].get();
}

SpendWindow* SharedState::provider_spend(int32_t budget) const {
  return provider_spend_.empty() ? nullptr : provider_spend_[static_cast<size_t>(budget)].get();
}

}  // namespace gw::routing
