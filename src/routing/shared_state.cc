// What of the shared state does this configuration need, and what of it stays over a reload?
#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "routing/affinity.h"
#include "routing/engine_fleet.h"
#include "routing/hedge.h"
#include "routing/latency.h"
#include "routing/packed_window.h"
#include "routing/provider_budget.h"
#include "routing/retry_budget.h"
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

std::vector<DeploymentState*> PointersTo(const std::vector<std::shared_ptr<DeploymentState>>& owners) {
  std::vector<DeploymentState*> pointers;
  pointers.reserve(owners.size());
  for (const auto& owner : owners) pointers.push_back(owner.get());
  return pointers;
}

bool NeedsAffinity(const config::RouterSettings& router) {
  const bool by_group = std::any_of(router.group_affinity.begin(), router.group_affinity.end(),
                                    [](const auto& group) { return group.second != 0; });
  return router.affinity != 0 || by_group;
}

bool NeedsLatencies(const config::RouterSettings& router) {
  constexpr auto kLatency = config::RoutingStrategy::kLatencyBased;
  return router.strategy == kLatency ||
         std::any_of(router.routing_groups.begin(), router.routing_groups.end(),
                     [](const config::RoutingGroup& group) { return group.strategy == kLatency; });
}

// Two atomics of the same kind, whichever.
template <typename T>
void Copy(const std::atomic<T>& from, std::atomic<T>& to) {
  to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void CopyState(const DeploymentState& from, DeploymentState& to) {
  Copy(from.cooldown_until_ns, to.cooldown_until_ns);
  Copy(from.probe_after_ns, to.probe_after_ns);
  Copy(from.in_flight, to.in_flight);
  Copy(from.last_failed, to.last_failed);
  Copy(from.rate_window, to.rate_window);
  Copy(from.token_window, to.token_window);
  Copy(from.reserved_tokens, to.reserved_tokens);
  Copy(from.latency_until_ns, to.latency_until_ns);
  Copy(from.latency, to.latency);
  Copy(from.first_token, to.first_token);
  Copy(from.cooldown_length_ns, to.cooldown_length_ns);
  Copy(from.window, to.window);
  Copy(from.fails, to.fails);
  Copy(from.input_window, to.input_window);
  Copy(from.output_window, to.output_window);
  Copy(from.day_requests, to.day_requests);
  Copy(from.day_tokens, to.day_tokens);
  Copy(from.mean_tokens, to.mean_tokens);
  Copy(from.probed_ns, to.probed_ns);
  Copy(from.elsewhere_until_ns, to.elsewhere_until_ns);
  Copy(from.elsewhere_free_ns, to.elsewhere_free_ns);
  Copy(from.elsewhere_reason, to.elsewhere_reason);
  Copy(from.others_tokens, to.others_tokens);
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

SharedState::SharedState(size_t deployments)
    : owners_(Carry<DeploymentState>(std::vector<size_t>(deployments, kNew), nullptr)), states_(PointersTo(owners_)) {}

SharedState::SharedState(const config::Snapshot& snapshot, const config::Snapshot* before, const SharedState* previous) {
  const config::RouterSettings& router = snapshot.router;
  const std::vector<size_t> positions = OldPositions(snapshot, before);
  owners_ = Carry(positions, previous == nullptr ? nullptr : &previous->owners_);
  states_ = PointersTo(owners_);
  if (NeedsLatencies(router)) {
    latency_ = Carry(positions, previous == nullptr ? nullptr : &previous->latency_);
  }
  const auto has_budget = [](const config::Deployment& row) {
    return row.max_budget.has_value() && row.budget_period_s > 0;
  };
  if (std::any_of(snapshot.deployments.begin(), snapshot.deployments.end(), has_budget)) {
    row_spend_ = Carry(positions, previous == nullptr ? nullptr : &previous->row_spend_);
  }
  provider_spend_ = Carry(OldBudgets(router, before), previous == nullptr ? nullptr : &previous->provider_spend_);
  if (router.retry_budget.has_value()) {
    const bool stays = previous != nullptr && previous->retry_budget_ != nullptr;
    retry_budget_ = stays ? previous->retry_budget_ : std::make_shared<RetryBudget>(router.retry_budget_burst);
  }
  if (router.hedging.enabled) {
    const bool stays = previous != nullptr && previous->hedge_budget_ != nullptr;
    hedge_budget_ = stays ? previous->hedge_budget_ : std::make_shared<RetryBudget>(router.hedging.burst);
    hedge_ = Carry(positions, previous == nullptr ? nullptr : &previous->hedge_);
  }
  if (router.Uses(config::RoutingStrategy::kInferenceAware)) {
    engines_ = std::make_unique<EngineFleet>(positions, previous == nullptr ? nullptr : previous->engines_.get());
  }
  if (!NeedsAffinity(router)) return;
  const bool keep = previous != nullptr && previous->affinity_ != nullptr && KeepsPositions(positions);
  affinity_ = keep ? previous->affinity_ : std::make_shared<AffinityTable>(limits::kAffinityEntriesMax);
}

SharedState::~SharedState() = default;

std::unique_ptr<SharedState> SharedState::CopyFor(const config::Snapshot& snapshot) const {
  auto copy = std::make_unique<SharedState>(snapshot);
  for (uint32_t i = 0; i < size(); ++i) CopyState(at(i), copy->at(i));
  Copy(unix_offset_s_, copy->unix_offset_s_);
  // What was spent decides too; a played request costs nothing, so these may be shared.
  copy->row_spend_ = row_spend_;
  copy->provider_spend_ = provider_spend_;
  if (retry_budget_ != nullptr) copy->retry_budget_ = std::make_shared<RetryBudget>(*retry_budget_);
  if (hedge_budget_ != nullptr) copy->hedge_budget_ = std::make_shared<RetryBudget>(*hedge_budget_);
  copy->hedge_ = hedge_;
  copy->affinity_ = nullptr;
  if (engines_ != nullptr) copy->engines_->CopyLoads(*engines_);
  return copy;
}

void SharedState::SetProbe(uint32_t index, bool healthy, TimePoint now) {
  const int64_t now_ns = std::max<int64_t>(NanosecondsOf(now), 1);
  at(index).probed_ns.store(healthy ? now_ns : -now_ns, std::memory_order_relaxed);
}

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
