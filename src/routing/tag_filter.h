// Which rows may serve a request with these tags? Facts 4, "Tag routing", matching any tag.
#pragma once

#include <string>
#include <vector>

#include "routing/strategy.h"

namespace gw::routing {

// Narrows `rows` (candidates) by the request's tags; `group_rows` are all rows of the group, cooled
// ones too: a tag that lives only on them must not fall through to the default pool. False: none
// is allowed.
[[nodiscard]] bool KeepTagged(RowList& rows, const RowList& group_rows,
                              const std::vector<std::string>& tags);

}  // namespace gw::routing
