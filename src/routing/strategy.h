// Which row of the group is called now? Filters in LiteLLM's order, then the strategy, then the
// row's own limits. Facts 3, 4, 10.
//
//   cooldown -> blocked -> budgets -> tags -> order -> rows that answered "never"
//     -> pick_row.h: rows not tried yet in this request -> affinity -> strategy -> slot and rate
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"
#include "routing/row_limits.h"

namespace gw::routing {

using RowList = std::vector<const config::Deployment*>;

struct SelectionInput {
  const RowList& rows;  // of the group, config order
  const std::string& group;
  const config::RouterSettings& settings;
  const std::vector<std::string>& tags;          // of the request
  std::optional<int64_t> order;                  // exactly this level; nullopt: the lowest there is
  const std::vector<uint32_t>& tried;            // indices; tried last on a retry
  const std::vector<uint32_t>& hopeless;         // answered a status that no retry changes
  const RowTable& table;
  const RequestControls& controls;
  bool only_untried = false;                     // weighted failover: each row once
};

struct Selection {
  enum class Kind : uint8_t {
    kPicked,     // `row` holds a slot
    kSlotsFull,  // every row is busy; worth a retry
    kRefused,    // every row is over its rate; no retry
    kNone,       // nothing to pick from
  };
  Kind kind = Kind::kNone;
  const config::Deployment* row = nullptr;  // picked, or refused first
  Error error;                              // unless picked
  TokenCounts held;                         // reserved with the slot
  int64_t probe = 0;                        // ticket of half_open.h
  Duration free_in{};                       // refused: until the first row may have room again
};

[[nodiscard]] Selection SelectRow(const SelectionInput& input, SharedState& state, TimePoint now,
                                  Random& random);

[[nodiscard]] size_t CountHealthy(const RowList& rows, const SharedState& state, TimePoint now);

// The order levels above `level` that still have a callable row, lowest first; nullopt if none.
[[nodiscard]] std::optional<int64_t> NextOrderLevel(const RowList& rows, const SharedState& state,
                                                    int64_t level, TimePoint now);

}  // namespace gw::routing
