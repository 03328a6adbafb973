// Is this decision allowed? Books of its own, kept from what went in and out of the router.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/simulator.h"
#include "simulation/world_maker.h"

namespace gw::routing::simulation {

struct Flight {
  std::unique_ptr<RequestControls> controls;  // the route keeps a reference
  std::unique_ptr<Explanation> explanation;   // only when violations are to be explained
  std::unique_ptr<RequestRoute> route;
  TimePoint begin{};
  Candidate candidate;                   // of the running attempt
  const config::Deployment* running = nullptr;
  uint64_t probe = 0;                    // number of the row's probe that it is; 0: none
  const config::Deployment* hedge = nullptr;  // races against `running`
  uint64_t hedge_probe = 0;
  bool is_late = false;                  // the next event is the hedge's
  int hedges = 0;
  std::vector<std::string> groups;       // in the order of their first attempt
  int attempts = 0;
  int attempts_in_group = 0;
  double waited_s = 0;
};

class Referee {
 public:
  Referee(testing::World& world, const Plan& plan, Outcome& outcome, uint64_t seed);

  void OnPick(Flight& flight);
  void OnWait(Flight& flight, Duration wait);
  void OnRefused(const Flight& flight, const Error& error);
  void OnFailed(Flight& flight, const Error& error, const FailureEffect& effect);
  void OnSucceeded(Flight& flight);
  void OnAbandoned(Flight& flight);
  void OnHedge(Flight& flight, const HedgeOffer& offer);
  // One of the two is through, the other goes on alone.
  void OnRacerGone(Flight& flight, Racer who, const FailureEffect& effect);
  void OnEnd();
  [[nodiscard]] bool HasFailed() const { return !outcome_.violations.empty(); }
  void Violation(const Flight* flight, const std::string& text);

 private:
  struct Book {
    int running = 0;
    TimePoint cooled_until{};
    Duration cooldown_length{};
    bool half_open = false;
    TimePoint probe_until{};
    uint64_t probe = 0;                  // the last one; a new cooldown makes it void
    TimePoint minute_begin{};
    int64_t in_minute = 0;
    uint64_t picks = 0;
  };

  uint64_t TakeRow(const Flight& flight, const config::Deployment& row);
  void LeaveRow(Flight& flight, const config::Deployment& row, uint64_t probe);
  void NoteCooldown(const Flight& flight, const config::Deployment& row, const FailureEffect& effect);
  void EndAttempt(Flight& flight);
  void CheckGroups(Flight& flight);
  void CheckFallbackOrder(const Flight& flight);
  void CheckLimits(const Flight& flight, const config::Deployment& row, Book& book);
  void CheckAudience(const Flight& flight, const config::Deployment& row);
  void CheckCounts(const Flight& flight);
  void CheckBudget(const Flight& flight);
  void CheckWeights();
  [[nodiscard]] const config::FallbackList* ListOf(std::string_view group) const;
  [[nodiscard]] int RetriesAllowed(const Flight& flight) const;
  [[nodiscard]] bool IsCooled(const Book& book) const { return world_.now() < book.cooled_until; }

  testing::World& world_;
  const Plan& plan_;
  Outcome& outcome_;
  const uint64_t seed_;
  std::vector<Book> books_;
  uint64_t first_attempts_ = 0;
  uint64_t retries_ = 0;
  uint64_t hedges_ = 0;
};

}  // namespace gw::routing::simulation
