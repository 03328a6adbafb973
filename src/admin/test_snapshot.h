// Small snapshots for the tests of this folder, in the form that the loader leaves them.
#pragma once

#include <memory>
#include <string>

#include "config/snapshot.h"

namespace gw::admin {

// Deployments may be added until the first pointer into them is taken.
class TestSnapshot {
 public:
  config::Deployment& Add(const std::string& name, const std::string& litellm_model,
                          const std::string& id) {
    config::Deployment d;
    d.index = static_cast<uint32_t>(snapshot_.deployments.size());
    d.id = id;
    d.model_name = name;
    d.litellm_model = litellm_model;
    const size_t slash = litellm_model.find('/');
    d.provider = litellm_model.substr(0, slash);
    d.row = config::FindProvider(d.provider);
    d.upstream_model = litellm_model.substr(slash + 1);
    d.api_base = "http://127.0.0.1:4132/v1";
    d.shown_params["model"] = litellm_model;
    d.shown_params["api_base"] = d.api_base;
    d.model_info["id"] = id;
    snapshot_.deployments.push_back(std::move(d));
    return snapshot_.deployments.back();
  }

  config::ModelFacts& AddFacts(const std::string& name, const std::string& provider,
                               const std::string& mode) {
    auto facts = std::make_unique<config::ModelFacts>();
    facts->name = name;
    facts->litellm_provider = provider;
    facts->mode = mode;
    facts->raw["litellm_provider"] = provider;
    facts->raw["mode"] = mode;
    config::ModelFacts& out = *facts;
    snapshot_.model_facts[name] = std::move(facts);
    return out;
  }

  [[nodiscard]] config::Snapshot& operator*() { return snapshot_; }
  [[nodiscard]] config::Snapshot* operator->() { return &snapshot_; }

 private:
  config::Snapshot snapshot_;
};

}  // namespace gw::admin
