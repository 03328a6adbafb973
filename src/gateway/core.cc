#include "gateway/core.h"

#include "base/log.h"

namespace gw::gateway {

namespace {

metrics::LitellmMetricsOptions MetricsOptions(const config::Snapshot& snapshot, uint32_t workers) {
  metrics::LitellmMetricsOptions options;
  options.registry.workers = workers;
  if (snapshot.metrics.series_per_family_max != 0)
    options.registry.series_per_family_max = snapshot.metrics.series_per_family_max;
  options.registry.created_series = snapshot.metrics.created_series;
  options.latency_buckets = snapshot.metrics.latency_buckets;
  options.end_user_label = snapshot.metrics.end_user_label;
  options.stream_label = snapshot.metrics.emit_stream_label;
  return options;
}

metrics::LiveState MakeLiveState(Core& core) {
  metrics::LiveState live;
  live.in_flight_requests = [&core] { return core.InFlight(); };
  live.active_streams = [&core] { return core.ActiveStreams(); };
  live.deployments = [&core](const std::function<void(const metrics::LiveState::Deployment&)>& emit) {
    const TimePoint now = SteadyClock::now();
    for (const config::Deployment& d : core.snapshot->deployments) {
      metrics::LiveState::Deployment row;
      row.labels = {d.model_name, d.upstream_model, d.id, d.api_base, d.provider};
      row.state = static_cast<int>(core.state.HealthAt(d.index, now));
      row.cooldown_left_s = Seconds(core.state.CooldownLeft(d.index, now));
      emit(row);
    }
  };
  return live;
}

}  // namespace

Core::Core(config::SnapshotPtr s, uint32_t worker_count)
    : snapshot(std::move(s)), authenticator(*snapshot), index(snapshot), state(snapshot->deployments.size()),
      counts(worker_count) {
  metrics = std::make_unique<metrics::LitellmMetrics>(MetricsOptions(*snapshot, worker_count),
                                                      MakeLiveState(*this));
  if (snapshot->cache.on()) cache = std::make_unique<ResponseCache>(snapshot->cache);
  for (const config::Deployment& d : snapshot->deployments) {
    std::shared_ptr<net::TlsContext> context;
    if (d.origin.tls) {
      auto made = net::TlsContext::Client(d.tls_verify, d.ca_file);
      if (made.ok()) {
        context = made.value();
      } else {
        log::Error("TLS set-up of a deployment failed", {{"model_id", d.id}, {"why", made.error().message}});
        context = net::TlsContext::Client(true, "").value();
      }
    }
    tls.push_back(std::move(context));
    DeploymentText text;
    text.error_headers = "x-litellm-model-id: " + d.id + "\r\nx-litellm-model-name: " + d.litellm_model + "\r\n";
    text.success_headers = text.error_headers + "x-litellm-model-api-base: " + d.api_base + "\r\n";
    texts.push_back(std::move(text));
  }
}

double Core::TotalSpend() const {
  double total = 0;
  for (const WorkerCounts& c : counts) total += c.spend.load(std::memory_order_relaxed);
  return total;
}

double Core::InFlight() const {
  int64_t total = 0;
  for (const WorkerCounts& c : counts) total += c.in_flight.load(std::memory_order_relaxed);
  return static_cast<double>(total);
}

double Core::ActiveStreams() const {
  int64_t total = 0;
  for (const WorkerCounts& c : counts) total += c.active_streams.load(std::memory_order_relaxed);
  return static_cast<double>(total);
}

}  // namespace gw::gateway
