// One request as one JSON line (docs/operations.md, "Access log"). Pure.
#pragma once

#include <string>

#include "telemetry/record.h"

namespace gw::telemetry {

// With the newline.
void AppendAccessLine(const RequestRecord& record, std::string& out);
// "success", "failure", "abandoned"; of attempts also "failed", "broken", "cancelled", "hedged_away".
[[nodiscard]] std::string_view NameOf(RequestRecord::Outcome outcome);
[[nodiscard]] std::string_view NameOf(AttemptRecord::Outcome outcome);
// 2026-11-28T09:30:00.123Z
[[nodiscard]] std::string Rfc3339(int64_t unix_ns);

}  // namespace gw::telemetry
