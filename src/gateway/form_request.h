// A request that comes as a form (audio transcriptions): its file stays where it is, its other
// fields become an object, so that whatever reads a JSON request reads this one.
#pragma once

#include "api/form_data.h"
#include "base/result.h"
#include "gateway/request_context.h"
#include "net/task.h"

namespace gw::gateway {

// Fills context.form and returns the object, which lives as long as the context. `data` must outlive
// it. Where answers are kept the object tells the file's SHA-256, which a helper thread reckons when it
// is long.
[[nodiscard]] net::Task<Result<std::string_view>> ReadForm(RequestContext& context, Worker& worker, std::string_view data);

}  // namespace gw::gateway
