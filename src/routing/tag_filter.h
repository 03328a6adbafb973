// Which rows may serve a request with these tags? Facts 4, "Tag routing".
#pragma once

#include "routing/strategy.h"

namespace gw::routing {

// By the router's settings, the caller's, or those of any row of the group.
[[nodiscard]] bool IsTagFilteringOn(const SelectionInput& input);

// Narrows `rows` (candidates among input.rows) by the request's tags and its User-Agent. Rows of the
// group that are no candidates count as well: a tag that lives only on a row that cools down must
// not fall through to the default pool. False: none is allowed.
[[nodiscard]] bool KeepTagged(RowList& rows, const SelectionInput& input);

}  // namespace gw::routing
