// Do calls to Redis and its breakers show under LiteLLM's names?
#include "metrics/redis_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gw::metrics {
namespace {

TEST(RedisMetrics, CallsFailuresAndBreakers) {
  RegistryOptions options;
  options.workers = 2;
  options.created_series = false;
  Registry registry(options);
  RedisMetrics metrics(registry, 2, {});
  metrics.AddServers(1, 0);
  metrics.OnBreaker(0, "");
  metrics.AddServers(-1, 1);
  metrics.OnCall(0, "mget", 0.001, "");
  metrics.OnCall(1, "reserve", 0.004, "TimeoutError");
  metrics.OnBreaker(1, "TimeoutError");
  std::string out;
  registry.Render(ExpositionFormat::kText004, {}, out);
  for (const char* line : {"litellm_redis_total_requests_total{redis=\"redis\"} 2.0",
                           "litellm_redis_latency_count{redis=\"redis\"} 2.0",
                           "litellm_redis_failed_requests_total{error_class=\"TimeoutError\","
                           "function_name=\"reserve\",redis=\"redis\"} 1.0",
                           "litellm_redis_circuit_breaker_state{state=\"closed\"} 1.0",
                           "litellm_redis_circuit_breaker_state{state=\"open\"} 0.0",
                           "litellm_redis_circuit_breaker_transitions_total{state=\"open\"} 1.0",
                           "litellm_redis_circuit_breaker_failures_total{failure_class=\"TimeoutError\"} 1.0"}) {
    EXPECT_THAT(out, testing::HasSubstr(line));
  }
}

}  // namespace
}  // namespace gw::metrics
