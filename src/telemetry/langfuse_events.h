// A payload as events of Langfuse's ingestion API: a trace and a generation.
//
// Pure: the ids of the events are handed in.
#pragma once

#include <string>

#include "base/json_tree.h"
#include "telemetry/logged_request.h"

namespace gw::telemetry {

struct LangfuseEvents {
  json::Object trace, generation;
};

// `event_ids`: two, unique; Langfuse takes an event with a known id once.
[[nodiscard]] LangfuseEvents MakeLangfuseEvents(const LoggedRequest& request, const LoggedEvent& event,
                                                const json::Object& payload, const std::string (&event_ids)[2],
                                                std::string_view proxy_base_url);

}  // namespace gw::telemetry
