#include "metrics/redis_metrics.h"

#include <array>

#include "metrics/label_choice.h"
#include "metrics/litellm_families.h"

namespace gw::metrics {

namespace {

FamilySpec SpecNamed(std::string_view name, const std::vector<double>& latency_buckets) {
  for (const FamilyRow& row : FamilyTable()) {
    if (row.name == name) return SpecOf(row, LabelChoice(), latency_buckets);
  }
  return {};
}

// compat: the label is named after the service and carries its name as value.
constexpr std::string_view kService = "redis";

}  // namespace

RedisMetrics::RedisMetrics(Registry& registry, uint32_t workers, const std::vector<double>& latency_buckets)
    : per_worker_(workers) {
  const auto add = [&](std::string_view name) { return registry.Add(SpecNamed(name, latency_buckets)); };
  latency_ = add("litellm_redis_latency");
  total_ = add("litellm_redis_total_requests");
  failed_ = add("litellm_redis_failed_requests");
  transitions_ = add("litellm_redis_circuit_breaker_transitions");
  failures_ = add("litellm_redis_circuit_breaker_failures");
  registry.AddCollected(SpecNamed("litellm_redis_circuit_breaker_state", {}), [this](const Registry::Emit& emit) {
    const auto tell = [&emit](std::string_view state, int64_t count) {
      const std::array<std::string_view, 1> values = {state};
      emit(values, static_cast<double>(count));
    };
    tell("closed", used_.load(std::memory_order_relaxed));
    tell("half_open", 0);  // a probe is no request: there is nothing between away and used
    tell("open", away_.load(std::memory_order_relaxed));
  });
}

void RedisMetrics::OnCall(uint32_t worker, std::string_view function, double seconds, std::string_view error_class) {
  const std::array<std::string_view, 1> service = {kService};
  PerWorker& own = per_worker_[worker];
  if (own.latency == nullptr) {
    own.latency = latency_->With(service);
    own.total = total_->With(service);
  }
  own.latency->Observe(worker, seconds);
  own.total->Add(worker, 1);
  if (error_class.empty()) return;
  const std::array<std::string_view, 3> values = {kService, error_class, function};
  failed_->With(values)->Add(worker, 1);
}

void RedisMetrics::OnBreaker(uint32_t worker, std::string_view failure_class) {
  const std::array<std::string_view, 1> state = {failure_class.empty() ? "closed" : "open"};
  transitions_->With(state)->Add(worker, 1);
  if (failure_class.empty()) return;
  const std::array<std::string_view, 1> values = {failure_class};
  failures_->With(values)->Add(worker, 1);
}

}  // namespace gw::metrics
