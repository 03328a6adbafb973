#include "telemetry/sinks.h"

namespace gw::telemetry {

SinkList MakeSinks(const SinkContext& context) {
  SinkList sinks;
  AddAccessLog(context, sinks);
  AddOtelSinks(context, sinks);
  AddCallbackSinks(context, sinks);
  return sinks;
}

}  // namespace gw::telemetry
