// What the client is told when the router itself finds nothing to call, and what it is told about
// the retries and fallbacks behind an upstream's error. Facts 6.4, 9.2.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "routing/fallback_plan.h"
#include "routing/strategy.h"

namespace gw::routing {

// Source kGateway.
[[nodiscard]] Error GatewayError(ErrorClass cls, int status, std::string_view type, std::string message);

[[nodiscard]] Error AllCoolingDown(std::string_view group, const RowList& rows,
                                   const config::RouterSettings& settings,
                                   const SharedState& state);
[[nodiscard]] Error Paused(std::string_view group);         // all rows are `blocked`
[[nodiscard]] Error TagsRefused(std::string_view group);
[[nodiscard]] Error ContextTooLarge(std::string_view group, int64_t tokens_max, int64_t tokens);
[[nodiscard]] Error NothingToCall(std::string_view group);  // not all cooled, yet none is left

// What the guarded mock_testing_* members pretend; kNone is no error.
[[nodiscard]] Error MockError(RequestControls::Mock mock, std::string_view group);

// The paragraph that follows the first group's error. Only the group's own targets are named: other
// groups are none of the client's business.
[[nodiscard]] std::string ExplainFailure(std::string_view group, const TargetList& tried,
                                         std::string_view first_fallback_error);

}  // namespace gw::routing
