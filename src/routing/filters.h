// Which rows of the group may be called at all? LiteLLM's filters, in its order (facts 3).
//
//   health of background probes -> cooldown -> blocked -> budgets -> context window, region,
//   parameters -> tags -> order -> rows tried before (weighted failover only)
//
// Because the cooldown stands before the order, a cooled row of order 1 makes order 2 the lowest.
#pragma once

#include <optional>

#include "routing/strategy.h"

namespace gw::routing {

// Fills `rows` (empty) with those that are left. An error: none is. `cooled_for` is set when that is
// because all cool down: the time until the first one does not.
[[nodiscard]] std::optional<Error> FilterRows(const SelectionInput& input, const SharedState& state,
                                              TimePoint now, RowList& rows,
                                              std::optional<Duration>& cooled_for);

}  // namespace gw::routing
