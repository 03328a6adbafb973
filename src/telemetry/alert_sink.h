// Alerts on their way to Slack and Teams.
#pragma once

#include "telemetry/sinks.h"

namespace gw::telemetry {

// Nothing when alerting is off.
void AddAlertSink(const SinkContext& context, SinkList& sinks);

}  // namespace gw::telemetry
