// Which sinks does a configuration want? Each kind adds its own; here they meet.
#pragma once

#include <memory>
#include <vector>

#include "config/snapshot.h"
#include "metrics/litellm_metrics.h"
#include "telemetry/delivery.h"
#include "telemetry/sink.h"

namespace gw::telemetry {

// What a configuration's sinks need; all of it outlives them.
struct SinkContext {
  config::SnapshotPtr snapshot;
  DeliveryContext delivery;
  // For whoever pushes metrics: renders what a scrape would see now. Null: there are no metrics.
  const metrics::LitellmMetrics* metrics = nullptr;
};
using SinkList = std::vector<std::unique_ptr<Sink>>;

[[nodiscard]] SinkList MakeSinks(const SinkContext& context);

void AddAccessLog(const SinkContext& context, SinkList& sinks);      // access_log.cc
void AddOtelSinks(const SinkContext& context, SinkList& sinks);      // otel_sinks.cc
void AddCallbackSinks(const SinkContext& context, SinkList& sinks);  // callback_sinks.cc

}  // namespace gw::telemetry
