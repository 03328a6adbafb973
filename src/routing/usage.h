// Which row has used the fewest tokens of its minute? usage-based-routing-v2, facts 4. Also the
// answer when every row is over its own limits.
#pragma once

#include <string_view>

#include "base/error.h"
#include "routing/packed_window.h"
#include "routing/row_limits.h"
#include "routing/strategy.h"

namespace gw::routing {

// Used and reserved tokens: requests that still run count, else they would all choose one row.
[[nodiscard]] inline double TokensOf(const DeploymentState& state, const RunningMinute& minute) {
  const TokenCounts reserved = ReservedTokens(state);
  const uint64_t tokens = minute.Read(state.token_window) + reserved.input + reserved.output +
                          minute.Read(state.others_tokens);
  return static_cast<double>(static_cast<int64_t>(tokens));
}

[[nodiscard]] Error AllOverUsage(std::string_view group, const RowList& rows,
                                 const RowTable& table, const SharedState& state, TimePoint now);

}  // namespace gw::routing
