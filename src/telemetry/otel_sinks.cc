#include "telemetry/sinks.h"

namespace gw::telemetry {

void AddOtelSinks(const SinkContext&, SinkList&) {}

}  // namespace gw::telemetry
