// A copy of a request for the group that the chosen row names as silent_model. Its answer is read
// and thrown away; the client's request neither waits for it nor learns of it.
#pragma once

#include <string_view>

#include "gateway/request_context.h"
#include "gateway/worker.h"

namespace gw::gateway {

// Never more than limits::kMirrorsPerLoopMax at a time: further copies are not sent.
void StartMirror(Worker& worker, const RequestContext& context, std::string_view model);

}  // namespace gw::gateway
