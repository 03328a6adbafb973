// What outlives configurations: counters, metrics, helper threads, and which Core is in force.
// Built by Server before the threads start.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/snapshot.h"
#include "gateway/response_cache.h"
#include "metrics/litellm_metrics.h"
#include "metrics/redis_metrics.h"
#include "net/offload.h"
#include "net/resolver.h"
#include "telemetry/hub.h"

namespace gw::gateway {

struct Core;

// Counts that a scrape sums; one per worker, alone on its cache line.
struct alignas(64) WorkerCounts {
  std::atomic<int64_t> in_flight{0};
  std::atomic<int64_t> active_streams{0};
  std::atomic<double> spend{0};  // USD of the master key, written by the owning worker only
};

// The answer of POST /config/reload, and what a reload logs.
struct ReloadOutcome {
  enum class Kind : uint8_t { kApplied, kUnchanged, kRejected };
  Kind kind = Kind::kRejected;
  std::string text;                   // one line
  std::vector<std::string> details;   // differences, or what is wrong
};

struct Runtime {
  Runtime(const config::Snapshot& snapshot, uint32_t worker_count);
  ~Runtime();

  std::vector<WorkerCounts> counts;
  std::unique_ptr<metrics::LitellmMetrics> metrics;
  std::unique_ptr<metrics::RedisMetrics> redis_metrics;  // null: no Redis at the start
  net::Resolver resolver;
  std::unique_ptr<telemetry::DeliveryObserver> telemetry_observer;
  std::unique_ptr<telemetry::Hub> telemetry;  // of access log, traces, callbacks
  std::atomic<bool> draining{false};
  // Reads the configuration again; set by Server, empty when there is nothing to read. Any thread
  // but a loop's: it reads files.
  std::function<ReloadOutcome()> reload;

  // Over all workers.
  [[nodiscard]] double TotalSpend() const;
  [[nodiscard]] double InFlight() const;
  [[nodiscard]] double ActiveStreams() const;

  // The configuration in force. The lock is for scrapes and reloads, never on the path of a request.
  [[nodiscard]] std::shared_ptr<Core> current() const;
  void SetCurrent(std::shared_ptr<Core> core);

  // The response cache for these settings: the one there is, unless its bounds changed. Null, and
  // what was stored is forgotten, when caching is off.
  [[nodiscard]] std::shared_ptr<ResponseCache> CacheFor(const config::CacheSettings& settings);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Core> current_;
  Flights flights_;
  std::shared_ptr<ResponseCache> cache_;

 public:
  net::OffloadThread offload;  // last: its work may use everything above
};

}  // namespace gw::gateway
