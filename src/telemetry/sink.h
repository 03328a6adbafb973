// Where records go. One object per sink and configuration; all calls on the telemetry thread.
//
// A sink encodes a record at once and keeps only bytes. It never blocks: what it sends goes through a
// Delivery. At a reload a new set of sinks is made; the old one gets Flush() and is freed after it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "net/task.h"
#include "telemetry/record.h"

namespace gw::telemetry {

class Sink {
 public:
  Sink() = default;
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // The value of the label `sink`: "access_log", "otlp_traces", "langfuse", ...
  [[nodiscard]] virtual std::string_view name() const = 0;
  virtual void OnRecord(const RequestRecord& record) = 0;
  // Also records of Kind::kStarted (they come to nobody else).
  [[nodiscard]] virtual bool wants_starts() const { return false; }
  // Also records of Kind::kTest (likewise).
  [[nodiscard]] virtual bool wants_tests() const { return false; }
  // Records were lost before they came here: the end of anything that is known to run may be among them.
  virtual void OnLost() {}
  // At a reload, before the first record: the sink of this name() that is replaced hands over what it knows of
  // the past. It still gets Flush().
  virtual void Inherit(Sink& before) { (void)before; }
  // Every limits::kTelemetryTick: batches that are due, alerts that are due.
  virtual void OnTick(TimePoint now) { (void)now; }
  // Sends what waits and ends by `deadline`; nothing comes after it.
  [[nodiscard]] virtual net::Task<void> Flush(TimePoint deadline) = 0;
};

}  // namespace gw::telemetry
