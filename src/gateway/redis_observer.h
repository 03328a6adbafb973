// What a worker's Redis clients do, as metrics.
#pragma once

#include "metrics/redis_metrics.h"
#include "redis/observer.h"

namespace gw::gateway {

class RedisObserver final : public redis::Observer {
 public:
  RedisObserver(metrics::RedisMetrics& metrics, uint32_t worker) : metrics_(metrics), worker_(worker) {}

  void OnCall(std::string_view function, Duration took, std::string_view error_class) override {
    metrics_.OnCall(worker_, function, Seconds(took), error_class);
  }
  void OnBreaker(std::string_view failure_class) override { metrics_.OnBreaker(worker_, failure_class); }
  void OnServers(int away, int used) override { metrics_.AddServers(away, used); }

 private:
  metrics::RedisMetrics& metrics_;
  const uint32_t worker_;
};

}  // namespace gw::gateway
