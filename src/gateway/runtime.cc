#include "gateway/runtime.h"

#include "gateway/core.h"
#include "routing/engine_fleet.h"
#include "routing/provider_budget.h"

namespace gw::gateway {

namespace {

metrics::LitellmMetricsOptions MetricsOptions(const config::Snapshot& snapshot, uint32_t workers) {
  metrics::LitellmMetricsOptions options;
  options.registry.workers = workers;
  if (snapshot.metrics.series_per_family_max != 0)
    options.registry.series_per_family_max = snapshot.metrics.series_per_family_max;
  options.registry.created_series = snapshot.metrics.created_series;
  options.latency_buckets = snapshot.metrics.latency_buckets;
  options.choice = snapshot.metrics.labels;
  options.registry.native_histograms = snapshot.metrics.native_histograms;
  options.registry.expiry = snapshot.metrics.expiry;
  return options;
}

template <typename T>
double Sum(const std::vector<WorkerCounts>& counts, std::atomic<T> WorkerCounts::* member) {
  T total{};
  for (const WorkerCounts& c : counts) total += (c.*member).load(std::memory_order_relaxed);
  return static_cast<double>(total);
}

// What becomes of records, as metrics.
class TelemetryCounts final : public telemetry::DeliveryObserver {
 public:
  explicit TelemetryCounts(metrics::LitellmMetrics& metrics) : metrics_(metrics) {}
  void OnRecords(std::string_view sink, std::string_view outcome, uint64_t records) override {
    metrics_.OnTelemetry(sink, outcome, records);
  }

 private:
  metrics::LitellmMetrics& metrics_;
};

metrics::LiveState MakeLiveState(Runtime& runtime) {
  metrics::LiveState live;
  live.in_flight_requests = [&runtime] { return runtime.InFlight(); };
  live.active_streams = [&runtime] { return runtime.ActiveStreams(); };
  live.deployments = [&runtime](const std::function<void(const metrics::LiveState::Deployment&)>& emit) {
    const std::shared_ptr<Core> core = runtime.current();
    const TimePoint now = SteadyClock::now();
    for (const config::Deployment& d : core->snapshot->deployments) {
      metrics::LiveState::Deployment row;
      row.labels = {d.model_name, d.upstream_model, d.id, d.api_base, d.provider};
      row.state = static_cast<int>(core->state.HealthAt(d.index, now));
      row.cooldown_left_s = Seconds(core->state.CooldownLeft(d.index, now));
      if (const routing::EngineFleet* fleet = core->state.engines(); fleet != nullptr) {
        const routing::EngineLoad& load = fleet->at(d.index);
        // A silent engine has no gauges: an old number would look like a present one.
        if (routing::IsFresh(load, core->snapshot->router.ArgsFor(d.model_name), now))
          row.engine = metrics::LiveState::Engine{load.waiting.load(), load.running.load(), load.kv_usage.load()};
      }
      emit(row);
    }
  };
  live.provider_budgets = [&runtime](const std::function<void(const metrics::LiveState::ProviderBudget&)>& emit) {
    const std::shared_ptr<Core> core = runtime.current();
    const std::vector<config::ProviderBudget>& budgets = core->snapshot->router.provider_budgets;
    for (size_t i = 0; i < budgets.size(); ++i) {
      const routing::SpendWindow* spend = core->state.provider_spend(static_cast<int>(i));
      const double used = spend != nullptr ? spend->Read(budgets[i].period_s, SteadyClock::now()) : 0;
      emit({budgets[i].provider, budgets[i].limit_usd - used});
    }
  };
  return live;
}

}  // namespace

Runtime::Runtime(const config::Snapshot& snapshot, uint32_t worker_count) : counts(worker_count) {
  metrics = std::make_unique<metrics::LitellmMetrics>(MetricsOptions(snapshot, worker_count), MakeLiveState(*this));
  if (snapshot.redis.on()) {
    redis_metrics = std::make_unique<metrics::RedisMetrics>(metrics->registry(), worker_count,
                                                            snapshot.metrics.latency_buckets);
  }
  telemetry_observer = std::make_unique<TelemetryCounts>(*metrics);
  telemetry = std::make_unique<telemetry::Hub>(worker_count, resolver, *telemetry_observer, metrics.get());
}

Runtime::~Runtime() {
  (void)telemetry->Stop(SteadyClock::now());
  resolver.Stop();  // before the loops that wait for it
}

double Runtime::TotalSpend() const { return Sum(counts, &WorkerCounts::spend); }
double Runtime::InFlight() const { return Sum(counts, &WorkerCounts::in_flight); }
double Runtime::ActiveStreams() const { return Sum(counts, &WorkerCounts::active_streams); }

std::shared_ptr<Core> Runtime::current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

void Runtime::SetCurrent(std::shared_ptr<Core> core) {
  const std::lock_guard<std::mutex> lock(mutex_);
  current_.swap(core);
}

std::shared_ptr<ResponseCache> Runtime::CacheFor(const config::CacheSettings& settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!settings.on()) {
    cache_.reset();
  } else if (cache_ == nullptr || !cache_->Fits(settings)) {
    cache_ = std::make_shared<ResponseCache>(settings, flights_);
  }
  return cache_;
}

}  // namespace gw::gateway
