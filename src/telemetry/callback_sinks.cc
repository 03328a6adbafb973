#include "telemetry/sinks.h"

namespace gw::telemetry {

void AddCallbackSinks(const SinkContext&, SinkList&) {}

}  // namespace gw::telemetry
