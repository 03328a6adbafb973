// From the loops that serve requests to the sinks, without either waiting for the other.
//
//   loops --Publish--> one bounded ring per loop --every kTelemetryTick--> telemetry thread --> sinks
//
// A full ring, or more than kTelemetryBytesMax waiting: the record is dropped and counted. The thread
// runs behind the loops (net::RunBehindLoops) and has an event loop of its own.
#pragma once

#include <memory>

#include "base/clock.h"
#include "metrics/litellm_metrics.h"
#include "telemetry/delivery.h"
#include "telemetry/record.h"
#include "telemetry/sinks.h"

namespace gw::telemetry {

class Hub {
 public:
  // Starts no thread before the first configuration that wants one. `workers`: rings.
  Hub(uint32_t workers, net::Resolver& resolver, DeliveryObserver& observer, const metrics::LitellmMetrics* metrics);
  ~Hub();  // Stop()

  // New sinks for this configuration; the old ones are flushed. Any thread but a loop's.
  void Configure(config::SnapshotPtr snapshot);
  // The worker's own thread. Takes it, or drops and counts it; never waits.
  void Publish(uint32_t worker, std::unique_ptr<RequestRecord> record);
  // One that was lost before it could be published. The worker's own thread.
  void CountDropped(uint32_t worker);
  // Takes what is in the rings, flushes by `deadline`, ends the thread. False: it did not end (a file
  // system that hangs); what it uses must not be freed.
  [[nodiscard]] bool Stop(TimePoint deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::telemetry
