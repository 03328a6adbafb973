// The part of a payload that quotes the client: messages, answer, parameters; and how it is redacted.
//
// Pure.
#pragma once

#include "base/json_tree.h"
#include "telemetry/logged_request.h"

namespace gw::telemetry {

// As messages, whatever the endpoint calls them; long base64 data is cut.
[[nodiscard]] json::Value LoggedMessages(const LoggedRequest& request);
// The answer of a success; {} when there was none.
[[nodiscard]] json::Value LoggedAnswer(const LoggedRequest& request);
// Members of the body that steer the model, without what they are applied to. Redacted: numbers, names
// and choices stay, texts of the client do not.
[[nodiscard]] json::Object ModelParameters(const LoggedRequest& request);

}  // namespace gw::telemetry
