// A streamed answer put together: what the client would have got without `stream`.
//
// Pure. The text is what we sent ourselves; what is not whole (a stream that broke, a text that was
// cut) gives what there is.
#pragma once

#include <string_view>

#include "api/endpoint.h"
#include "api/usage.h"
#include "base/json_tree.h"

namespace gw::telemetry {

// The answer object of a whole SSE text in the endpoint's schema. `usage` fills in what the client
// had not asked for. Null: no event of an answer was there.
[[nodiscard]] json::Value AssembleStream(api::Endpoint endpoint, std::string_view sse, const api::Usage& usage);

// {"prompt_tokens": ..., ...} as OpenAI writes it.
[[nodiscard]] json::Object UsageObject(const api::Usage& usage);

}  // namespace gw::telemetry
