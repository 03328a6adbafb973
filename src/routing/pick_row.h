// Which of the rows that the filters left is called? The strategy picks, the row's own limits may
// refuse, then the next one is picked.
#pragma once

#include "routing/strategy.h"

namespace gw::routing {

// `rows` is not empty and is used up. kPicked: a slot, tokens and maybe a probe are held.
[[nodiscard]] Selection PickRow(RowList& rows, const SelectionInput& input, SharedState& state,
                                TimePoint now, Random& random);

}  // namespace gw::routing
