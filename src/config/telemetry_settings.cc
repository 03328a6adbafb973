#include "config/telemetry_settings.h"

#include "config/load_context.h"

namespace gw::config {

TelemetrySettings ReadTelemetrySettings(LoadContext& context, const yaml::Node& root,
                                        const std::vector<std::string>& callbacks) {
  TelemetrySettings out;
  out.access_log = ReadAccessLogSettings(context, root);
  out.otel = ReadOtelSettings(context, root, callbacks);
  out.callbacks = ReadCallbackSettings(context, root, callbacks);
  out.wants_records = out.access_log.on || out.otel.wants_records() || out.callbacks.any;
  out.wants_starts = out.callbacks.wants_starts;
  out.wants_content = out.callbacks.wants_content || out.otel.capture_content;
  return out;
}

}  // namespace gw::config
