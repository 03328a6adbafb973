// The families about Redis: calls, their time, their failures, and how many servers are away.
//
// Registered only by a process that starts with a Redis, as LiteLLM shows them only then. A call
// costs two plain adds in the worker's own cells; failures and breakers are rare.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/registry.h"

namespace gw::metrics {

class RedisMetrics {
 public:
  // Before the threads start.
  RedisMetrics(Registry& registry, uint32_t workers, const std::vector<double>& latency_buckets);

  // error_class empty: answered.
  void OnCall(uint32_t worker, std::string_view function, double seconds, std::string_view error_class);
  // failure_class empty: the server is used again.
  void OnBreaker(uint32_t worker, std::string_view failure_class);
  // Servers that are away and servers that are used; any thread.
  void AddServers(int away, int used) {
    away_.fetch_add(away, std::memory_order_relaxed);
    used_.fetch_add(used, std::memory_order_relaxed);
  }

 private:
  // What every call writes, looked up once per worker.
  struct alignas(64) PerWorker {
    Series* latency = nullptr;
    Series* total = nullptr;
  };

  Family* latency_ = nullptr;
  Family* total_ = nullptr;
  Family* failed_ = nullptr;
  Family* transitions_ = nullptr;
  Family* failures_ = nullptr;
  std::vector<PerWorker> per_worker_;
  std::atomic<int64_t> away_{0}, used_{0};
};

}  // namespace gw::metrics
