// Usage x price -> spend in USD. Pure. Source: provider facts, section 9.
#pragma once

#include "api/endpoint.h"
#include "api/usage.h"
#include "config/snapshot.h"

namespace gw::accounting {

struct Cost {
  double total = 0;
  double input = 0;       // text input without cache reads
  double output = 0;
  double cache_read = 0;
  double cache_creation = 0;
  double reasoning = 0;   // part of output
};

// Prices of the deployment itself win over the price map: there the row's base_model, else the model
// that the answer names (`usage.answer_model`), else the row's own (`deployment.facts`, or the facts
// of `upstream_model` for wildcard rows). Unknown prices cost 0. `duration_s` serves per-second prices.
[[nodiscard]] Cost ComputeCost(const config::Snapshot& snapshot,
                               const config::Deployment& deployment,
                               std::string_view upstream_model, const api::Usage& usage,
                               double duration_s);

}  // namespace gw::accounting
