// What all workers share: the configuration, the routing state, the metrics. Built by Server before
// the threads start; afterwards only atomics inside change.
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
#include "gateway/response_cache.h"
#include "metrics/litellm_metrics.h"
#include "net/offload.h"
#include "net/resolver.h"
#include "net/tls_stream.h"
#include "routing/router.h"

namespace gw::gateway {

// Counts that a scrape sums; one per worker, alone on its cache line.
struct alignas(64) WorkerCounts {
  std::atomic<int64_t> in_flight{0};
  std::atomic<int64_t> active_streams{0};
  std::atomic<double> spend{0};  // USD of the master key, written by the owning worker only
};

// Text about a deployment that many answers repeat, rendered once.
struct DeploymentText {
  std::string success_headers;  // x-litellm-model-id, -name, -api-base lines
  std::string error_headers;    // x-litellm-model-id, -name lines
};

struct Core {
  Core(config::SnapshotPtr s, uint32_t worker_count);

  config::SnapshotPtr snapshot;
  auth::Authenticator authenticator;
  routing::ModelIndex index;
  routing::SharedState state;
  std::vector<WorkerCounts> counts;
  std::unique_ptr<metrics::LitellmMetrics> metrics;
  std::unique_ptr<ResponseCache> cache;               // null: caching is off
  std::vector<std::shared_ptr<net::TlsContext>> tls;  // per deployment; null: plain
  std::vector<DeploymentText> texts;                  // per deployment
  net::Resolver resolver;
  net::OffloadThread offload;
  std::atomic<bool> draining{false};

  // Last round of background_health_checks. The mutex is never on the path of a request.
  std::mutex probes_mutex;
  std::vector<admin::ProbeOutcome> probes;
  bool probes_done = false;

  [[nodiscard]] double TotalSpend() const;
  [[nodiscard]] double InFlight() const;
  [[nodiscard]] double ActiveStreams() const;
};

}  // namespace gw::gateway
