// Is the gateway alive, may it get traffic, and do its deployments answer?
//
// Liveness and readiness are static text: they never wait, never look at an upstream, and answer in
// microseconds however loaded the gateway is. /health assembles what the probes found; who probes
// and when is the gateway's matter.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/answer.h"
#include "config/snapshot.h"

namespace gw::admin {

// What a probe of one deployment found.
struct ProbeOutcome {
  const config::Deployment* deployment = nullptr;
  bool healthy = false;
  std::string error;  // one line, for the operator
  int status = 0;     // of the upstream's answer; 0: there was none
};

// What /health/readiness/details tells beyond the snapshot.
struct RuntimeFacts {
  std::string_view compat_version;  // litellm_version
  std::string_view log_level;       // "INFO"
  bool detailed_debug = false;
};

[[nodiscard]] Answer LivenessAnswer(bool draining);
[[nodiscard]] Answer ReadinessAnswer(const config::Snapshot& snapshot, const RuntimeFacts& facts,
                                     bool draining);
[[nodiscard]] Answer ReadinessDetailsAnswer(const config::Snapshot& snapshot,
                                            const RuntimeFacts& facts, bool draining);
[[nodiscard]] Answer BacklogAnswer(int64_t in_flight);

// The deployments that `GET /health?model=&model_id=` asks for; all without a filter. `model` is a
// public name or a litellm model.
[[nodiscard]] std::vector<const config::Deployment*> SelectForHealth(
    const config::Snapshot& snapshot, std::string_view query);

// 200, or 503 when nothing that was asked for is healthy.
[[nodiscard]] Answer HealthAnswer(const config::Snapshot& snapshot,
                                  std::span<const ProbeOutcome> outcomes, std::string_view query);
// The same for background_health_checks: of all outcomes only those that the query selects.
[[nodiscard]] Answer CachedHealthAnswer(const config::Snapshot& snapshot,
                                        std::span<const ProbeOutcome> outcomes,
                                        std::string_view query);

}  // namespace gw::admin
