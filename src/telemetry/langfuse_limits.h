// What Langfuse does not take: items that are too long, and events that it refuses one by one.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "telemetry/delivery.h"
#include "telemetry/langfuse_events.h"

namespace gw::telemetry {

// Both as text, joined by a comma. What is longer than `bytes_max` loses the generation's input first (the
// trace has it), then the ends of input and output.
[[nodiscard]] std::string LangfuseItem(LangfuseEvents& events, size_t bytes_max);

// The id of a generation's event is that of its trace with this behind it: so the records that were
// refused can be counted.
inline constexpr std::string_view kGenerationSuffix = "-g";
// Langfuse answers 207 and tells in `errors` which events it did not take. Its texts may quote them.
[[nodiscard]] Rejection LangfuseRejection(std::string_view answer);

}  // namespace gw::telemetry
