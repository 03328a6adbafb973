#include <unordered_map>

#include "routing/router.h"

namespace gw::routing {

namespace {

bool IsSameUpstream(const config::Deployment& a, const config::Deployment& b) {
  return a.model_name == b.model_name && a.litellm_model == b.litellm_model && a.api_base == b.api_base;
}

}  // namespace

SharedState::SharedState(size_t deployments) {
  states_.reserve(deployments);
  for (size_t i = 0; i < deployments; ++i) states_.push_back(std::make_shared<DeploymentState>());
}

SharedState::SharedState(const config::Snapshot& snapshot, const config::Snapshot& before,
                         const SharedState& previous) {
  std::unordered_map<std::string_view, const config::Deployment*> known;
  for (const config::Deployment& row : before.deployments) known.emplace(row.id, &row);
  states_.reserve(snapshot.deployments.size());
  for (const config::Deployment& row : snapshot.deployments) {
    const auto found = known.find(row.id);
    const bool stays = found != known.end() && IsSameUpstream(*found->second, row);
    states_.push_back(stays ? previous.states_[found->second->index] : std::make_shared<DeploymentState>());
  }
}

}  // namespace gw::routing
