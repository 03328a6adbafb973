// One configuration in force and all that is derived from it, shared by all workers.
//
// Immutable once built; only atomics inside change. A reload builds a new Core and hands it to each
// loop; requests that began under the old one keep it until they end. What outlives configurations
// is the Runtime; its members are named here too, so that the path of a request asks one object.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/health_endpoints.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "config/snapshot.h"
#include "gateway/runtime.h"
#include "net/dial.h"
#include "net/tls_stream.h"
#include "redis/options.h"
#include "routing/router.h"

namespace gw::gateway {

// Text about a deployment that many answers repeat, rendered once.
struct DeploymentText {
  std::string success_headers;  // x-litellm-model-id, -name, -api-base lines
  std::string error_headers;    // x-litellm-model-id, -name lines
};

// Where deployments are called; those with the same address and TLS rules share one entry.
struct Origin {
  std::string key;  // "host:port" and the TLS rules: what makes two origins one
  net::DialTarget target;
};

struct Core {
  // `previous` (may be null): deployments that stay keep their counters, cooldowns and slots.
  Core(config::SnapshotPtr s, Runtime& r, const Core* previous);

  config::SnapshotPtr snapshot;
  auth::Authenticator authenticator;
  routing::ModelIndex index;
  routing::SharedState state;
  std::vector<Origin> origins;
  std::vector<uint32_t> origin_of;    // per deployment: index into origins
  std::vector<DeploymentText> texts;  // per deployment

  std::shared_ptr<ResponseCache> cache;  // of the Runtime; null: caching is off
  // Where kept answers and the state of replicas lie; null: in this process only. The same object
  // when it is the same Redis, and over reloads that do not change it.
  redis::OptionsPtr cache_redis, shared_redis;

  Runtime& runtime;
  std::vector<WorkerCounts>& counts;
  metrics::LitellmMetrics* metrics;
  net::OffloadThread& offload;
  std::atomic<bool>& draining;

  // Last round of background_health_checks. The mutex is never on the path of a request.
  std::mutex probes_mutex;
  std::vector<admin::ProbeOutcome> probes;
  bool probes_done = false;
};

}  // namespace gw::gateway
