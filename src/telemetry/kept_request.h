// How much of a client's body stands in a record, and does the client want to be logged at all?
//
// Pure. Reads the whole body, also one that is longer than what is kept: what steers logging must not
// be lost with its end.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "telemetry/record.h"

namespace gw::telemetry {

// `members`: of `body`, which is valid JSON. A body that is too long loses its long members; when
// metadata is among them nothing of it is kept (readers then take the request for redacted).
void KeepRequestBody(std::string_view body, const std::vector<json::Member>& members, bool ignore_no_log,
                     RequestRecord& record);

}  // namespace gw::telemetry
