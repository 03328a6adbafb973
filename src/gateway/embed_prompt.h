// The embedding of a prompt, for the semantic cache, through the gateway's own routes: one attempt at
// a row of the group, with its limits, cooldown and price. Other groups are no substitute (another
// model's vectors mean something else), and nothing is tried twice: the client is waiting.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/request_context.h"
#include "gateway/semantic_store.h"
#include "gateway/worker.h"

namespace gw::gateway {

// The vector, encoded (cache/vector_codec). nullopt: there is none in time, or the client has left;
// `store` has been told.
[[nodiscard]] net::Task<std::optional<std::string>> EmbedPrompt(RequestContext& context, Worker& worker,
                                                                SemanticStore& store, std::string_view text);

}  // namespace gw::gateway
