#include "routing/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "routing/route_errors.h"

namespace gw::routing {
namespace {

constexpr size_t kRowsShownMax = 20;  // the answer must not grow with the group

std::string LimitText(int64_t limit) { return limit < 0 ? "None" : std::to_string(limit); }

}  // namespace

Error AllOverUsage(std::string_view group, const RowList& rows, const RowTable& table,
                   const SharedState& state, TimePoint now) {
  std::string list;
  for (size_t i = 0; i < std::min(rows.size(), kRowsShownMax); ++i) {
    const SharedState::MinuteUsage used = state.UsageAt(table.IndexOf(rows[i]), now);
    const RowLimits& limits = table.of(rows[i]).limits;
    fmt::format_to(std::back_inserter(list),
                   "{}'{}': {{'current_tpm': {}, 'tpm_limit': {}, 'current_rpm': {}, "
                   "'rpm_limit': {}}}",
                   list.empty() ? "" : ", ", rows[i]->id, used.tokens, LimitText(limits.tpm),
                   used.requests, LimitText(limits.rpm));
  }
  return GatewayError(
      ErrorClass::kRateLimit, 429, "throttling_error",
      fmt::format("litellm.RateLimitError: No deployments available for selected model. Passed model={}. "
                  "Deployments={{{}}}",
                  group, list));
}

}  // namespace gw::routing
