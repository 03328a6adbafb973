// Which row has the lowest value, and who of those that are as good as equal gets the request?
//
// One look at every row, in a loop that the compiler can keep in registers: what it needs of table
// and state it gets by value (RowStates), since anything reached through a member would be read anew
// for every row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "routing/strategy.h"

namespace gw::routing {

[[nodiscard]] inline size_t PickUniform(size_t count, Random& random) {
  if (count <= 1) return 0;
  const auto at = static_cast<size_t>(random.NextUnit() * static_cast<double>(count));
  return std::min(at, count - 1);
}

// The live state of a row of the table.
class RowStates {
 public:
  RowStates(const RowTable& table, const SharedState& state) : positions_(table.positions()), states_(state.states()) {}
  [[nodiscard]] const DeploymentState& operator()(const config::Deployment* row) const {
    return *states_[positions_.Of(row)];
  }

 private:
  RowTable::Positions positions_;
  DeploymentState* const* states_;
};

// Memory for one value and one position per row; a thread's decisions use it in turn.
struct PickScratch {
  std::vector<double> values;
  std::vector<uint32_t> best;

  static PickScratch& OfThread(size_t rows) {
    static thread_local PickScratch scratch;
    if (scratch.values.size() < rows) {
      scratch.values.resize(rows);
      scratch.best.resize(rows);
    }
    return scratch;
  }
};

// Position in `pool`, which is not empty: one of the rows whose value is at most bound_of(the lowest),
// each with the same chance. Every value is read once: they move while we look.
template <typename ValueOf, typename BoundOf>
[[nodiscard]] size_t PickLowest(const RowList& pool, Random& random, ValueOf value_of, BoundOf bound_of) {
  const size_t count = pool.size();
  if (count == 1) return 0;
  PickScratch& scratch = PickScratch::OfThread(count);
  const config::Deployment* const* const rows = pool.data();
  double* const values = scratch.values.data();
  uint32_t* const best = scratch.best.data();
  double lowest = std::numeric_limits<double>::max();
  for (size_t i = 0; i < count; ++i) {
    values[i] = value_of(rows[i]);
    lowest = std::min(lowest, values[i]);
  }
  const double bound = bound_of(lowest);
  size_t equals = 0;
  for (size_t i = 0; i < count; ++i) {  // no branch: who is among the best is anybody's guess
    best[equals] = static_cast<uint32_t>(i);
    equals += values[i] <= bound ? 1 : 0;
  }
  return best[PickUniform(equals, random)];
}

}  // namespace gw::routing
