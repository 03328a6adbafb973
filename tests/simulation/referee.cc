#include "simulation/referee.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "routing/row_limits.h"

namespace gw::routing::simulation {

namespace {

using config::Deployment;

constexpr size_t kViolationsMax = 5;

bool HasTag(const Deployment& row, std::string_view tag) {
  return std::find(row.tags.begin(), row.tags.end(), tag) != row.tags.end();
}

}  // namespace

Referee::Referee(testing::World& world, const Plan& plan, Outcome& outcome, uint64_t seed)
    : world_(world), plan_(plan), outcome_(outcome), seed_(seed), books_(world.snapshot().deployments.size()) {}

void Referee::Violation(const Flight* flight, const std::string& text) {
  if (outcome_.violations.size() >= kViolationsMax) return;
  std::string full = fmt::format("seed {}: {}", seed_, text);
  if (flight != nullptr) {
    full += fmt::format(" (model {}, attempt {})", flight->controls->model, flight->attempts);
    if (flight->explanation != nullptr) {
      for (const Explanation::Event& event : flight->explanation->events) {
        full += fmt::format("\n    {:8.3f} {} {}: {}", event.at_s, ExplanationKindName(event.kind), event.group,
                            event.text);
        for (const Explanation::Row& row : event.rows) full += fmt::format("\n        {} {}", row.id, row.why);
      }
    }
  }
  outcome_.violations.push_back(std::move(full));
}

void Referee::OnPick(Flight& flight) {
  const Deployment& row = *flight.candidate.deployment;
  ++outcome_.totals.attempts;
  ++flight.attempts;
  flight.running = &row;
  flight.probe = TakeRow(flight, row);
  CheckAudience(flight, row);
  CheckGroups(flight);
  CheckCounts(flight);
  CheckBudget(flight);
}

uint64_t Referee::TakeRow(const Flight& flight, const Deployment& row) {
  Book& book = books_[row.index];
  const config::RouterSettings& settings = world_.settings();
  if (row.blocked) Violation(&flight, row.id + " is blocked");
  // Health-check routing with a policy lets all rows pass when all cool down (facts 3, 5).
  const bool may_ignore = settings.health_check_routing && settings.allowed_fails_policy.Any();
  if (IsCooled(book) && !may_ignore) Violation(&flight, row.id + " cools down");
  uint64_t probe = 0;
  if (book.half_open) {
    ++outcome_.totals.probes_checked;
    if (world_.now() < book.probe_until && !may_ignore) Violation(&flight, row.id + " is being probed already");
    probe = ++book.probe;
    book.probe_until = world_.now() + std::max<Duration>(book.cooldown_length, std::chrono::seconds(10));
  }
  ++book.running;
  ++book.picks;
  CheckLimits(flight, row, book);
  return probe;
}

void Referee::OnHedge(Flight& flight, const HedgeOffer& offer) {
  const config::Hedging& hedging = world_.settings().hedging;
  if (offer.kind != HedgeOffer::Kind::kPicked) return;
  const Deployment& row = *offer.candidate.deployment;
  ++outcome_.totals.hedges;
  ++flight.attempts;
  ++flight.hedges;
  if (flight.hedge != nullptr) Violation(&flight, "two hedges beside one attempt");
  if (&row == flight.running) Violation(&flight, row.id + " races against itself");
  if (row.order != flight.running->order) Violation(&flight, row.id + " is of another order");
  if (offer.candidate.model_group != flight.candidate.model_group) Violation(&flight, "a hedge in another group");
  if (!hedging.enabled) Violation(&flight, "a hedge although it is off");
  flight.hedge = &row;
  flight.hedge_probe = TakeRow(flight, row);
  CheckAudience(flight, row);
  if (flight.route->attempts() != flight.attempts) Violation(&flight, "wrong number of attempts");
  if (static_cast<double>(++hedges_) > hedging.burst + hedging.cost_cap * static_cast<double>(first_attempts_) + 1e-3) {
    Violation(&flight, fmt::format("{} hedges after {} first attempts", hedges_, first_attempts_));
  }
}

void Referee::OnRacerGone(Flight& flight, Racer who, const FailureEffect& effect) {
  if (who == Racer::kFirst) {
    std::swap(flight.running, flight.hedge);
    std::swap(flight.probe, flight.hedge_probe);
  }
  NoteCooldown(flight, *flight.hedge, effect);
  LeaveRow(flight, *flight.hedge, flight.hedge_probe);
  flight.hedge = nullptr;
}

void Referee::CheckLimits(const Flight& flight, const Deployment& row, Book& book) {
  const RowLimits limits = world_.index().table().at(row.index).limits;
  const int held = world_.state().at(row.index).in_flight.load();
  if (held != book.running) Violation(&flight, fmt::format("{} slots held, {} attempts run", held, book.running));
  if (limits.slots >= 0) {
    ++outcome_.totals.slots_checked;
    if (book.running > limits.slots) Violation(&flight, fmt::format("{}: {} of {} slots", row.id, book.running, limits.slots));
  }
  if (limits.rpm >= 0) {
    ++outcome_.totals.minutes_checked;
    // The router counts in whole milliseconds.
    const auto now = std::chrono::floor<std::chrono::milliseconds>(world_.now());
    if (book.in_minute == 0 || now - book.minute_begin >= std::chrono::seconds(60)) {
      book.minute_begin = now;
      book.in_minute = 0;
    }
    if (++book.in_minute > limits.rpm) {
      Violation(&flight, fmt::format("{}: {} requests in a minute, rpm {}", row.id, book.in_minute, limits.rpm));
    }
  }
  if (limits.tpm >= 0 && world_.state().UsageAt(row.index, world_.now()).tokens >= std::max<int64_t>(limits.tpm, 1)) {
    Violation(&flight, row.id + " had used up its tokens of the minute");
  }
}

void Referee::CheckAudience(const Flight& flight, const Deployment& row) {
  const RequestControls& controls = *flight.controls;
  if (!row.team_id.empty()) {
    ++outcome_.totals.teams_checked;
    if (row.team_id != controls.team_id) Violation(&flight, row.id + " belongs to another team");
  }
  const config::RouterSettings& settings = world_.settings();
  if (settings.enable_pre_call_checks) {
    if (row.max_input_tokens && controls.input_tokens_estimate > *row.max_input_tokens)
      Violation(&flight, row.id + " is too small for the prompt");
    if (!controls.allowed_region.empty() && !row.region_name.starts_with(controls.allowed_region))
      Violation(&flight, row.id + " is in another region");
  }
  if (!settings.enable_tag_filtering) return;
  const auto& rows = world_.snapshot().deployments;
  const bool fails_open = std::any_of(rows.begin(), rows.end(), [](const Deployment& r) { return r.allow_fail_open; });
  if (fails_open) return;
  for (const std::string& tag : controls.tags) {
    ++outcome_.totals.tags_checked;
    if (tag.starts_with('!') && HasTag(row, tag.substr(1))) Violation(&flight, row.id + " has the tag of " + tag);
    if (tag.starts_with('&') && !HasTag(row, tag.substr(1))) Violation(&flight, row.id + " lacks the tag of " + tag);
  }
}

void Referee::CheckGroups(Flight& flight) {
  const std::string& group = flight.candidate.model_group;
  const RequestControls& controls = *flight.controls;
  if (controls.disable_fallbacks && (flight.candidate.is_fallback || group != controls.model)) {
    Violation(&flight, "a fallback although the request forbids it");
  }
  if (!flight.candidate.is_fallback && group != controls.model) {
    Violation(&flight, "another group, yet no fallback");
  }
  if (!flight.groups.empty() && flight.groups.back() == group) {
    ++flight.attempts_in_group;
    ++outcome_.totals.retries;
    ++retries_;
    return;
  }
  if (std::count(flight.groups.begin(), flight.groups.end(), group) > 0) {
    Violation(&flight, group + " is entered again");
  }
  if (!flight.groups.empty() || group != controls.model) ++outcome_.totals.fallbacks;
  flight.groups.push_back(group);
  flight.attempts_in_group = 1;
  ++first_attempts_;
  CheckFallbackOrder(flight);
}

// Targets of the first group's list are entered in its order. Worlds in which a target has a list
// of its own are left out: nested groups may come in between.
void Referee::CheckFallbackOrder(const Flight& flight) {
  const config::FallbackList* list = ListOf(flight.controls->model);
  const config::RouterSettings& settings = world_.settings();
  if (list == nullptr || flight.groups.size() < 2 || flight.controls->fallbacks) return;
  if (settings.has_context_window_fallbacks || settings.has_content_policy_fallbacks) return;
  if (ListOf("*") != nullptr || flight.groups.front() != flight.controls->model) return;
  for (const auto& target : list->targets) {
    if (ListOf(target.model) != nullptr) return;
  }
  size_t place = 0;
  for (size_t i = 1; i < flight.groups.size(); ++i) {
    const auto found = std::find_if(list->targets.begin(), list->targets.end(),
                                    [&](const auto& t) { return t.model == flight.groups[i]; });
    if (found == list->targets.end()) {
      Violation(&flight, flight.groups[i] + " is not in the list");
      return;
    }
    const auto here = static_cast<size_t>(found - list->targets.begin()) + 1;
    ++outcome_.totals.orders_checked;
    if (here <= place) Violation(&flight, "the fallbacks are out of order");
    place = here;
  }
}

const config::FallbackList* Referee::ListOf(std::string_view group) const {
  for (const config::FallbackList& list : world_.settings().fallbacks) {
    if (list.group == group) return &list;
  }
  return nullptr;
}

int Referee::RetriesAllowed(const Flight& flight) const {
  const config::RouterSettings& settings = world_.settings();
  int allowed = flight.controls->num_retries.value_or(settings.num_retries);
  for (const Deployment& row : world_.snapshot().deployments) {
    if (!flight.controls->num_retries) allowed = std::max(allowed, row.num_retries.value_or(0));
  }
  if (flight.controls->num_retries == 0) return 0;  // switches the policies off as well
  const config::PerClassPolicy& policy = settings.retry_policy;
  return std::max({allowed, policy.rate_limit, policy.bad_request});
}

void Referee::CheckCounts(const Flight& flight) {
  const config::RouterSettings& settings = world_.settings();
  if (flight.attempts > limits::kAttemptsPerRequestMax || flight.route->attempts() != flight.attempts) {
    Violation(&flight, "wrong number of attempts");
  }
  const auto levels = plan_.has_order ? 4 : 1;
  const auto rows = static_cast<int>(books_.size());
  const int bound = (1 + RetriesAllowed(flight)) * levels + (settings.enable_weighted_failover ? rows : 0);
  if (flight.attempts_in_group > bound) Violation(&flight, fmt::format("more than {} attempts in a group", bound));
  if (settings.num_retries_per_request && flight.attempts - flight.hedges > 1 + *settings.num_retries_per_request) {
    Violation(&flight, "more attempts than num_retries_per_request allows");
  }
  if (settings.total_timeout_s && world_.now() >= flight.begin + FromSeconds(*settings.total_timeout_s)) {
    Violation(&flight, "an attempt after total_timeout");
  }
}

void Referee::CheckBudget(const Flight& flight) {
  const config::RouterSettings& settings = world_.settings();
  if (!settings.retry_budget) return;
  ++outcome_.totals.budgets_checked;
  const double bound =
      settings.retry_budget_burst + *settings.retry_budget * static_cast<double>(first_attempts_);
  if (static_cast<double>(retries_) > bound + 1e-3) {
    Violation(&flight, fmt::format("{} retries after {} first attempts: a storm", retries_, first_attempts_));
  }
}

void Referee::OnWait(Flight& flight, Duration wait) {
  flight.waited_s += Seconds(wait);
  ++outcome_.totals.waits;
  const config::RouterSettings& settings = world_.settings();
  if (wait <= Duration::zero()) Violation(&flight, "a pause of nothing");
  const double longest =
      std::max({61.0, settings.rate_limit_wait_max_s, settings.cooldown_wait_max_s, limits::kPriorityWaitSecondsMax});
  if (Seconds(wait) > longest) Violation(&flight, "a pause without a reason");
  if (settings.total_timeout_s && world_.now() + wait >= flight.begin + FromSeconds(*settings.total_timeout_s)) {
    Violation(&flight, "a pause beyond total_timeout");
  }
}

void Referee::OnRefused(const Flight& flight, const Error& error) {
  if (error.status < 400 || error.message.empty()) Violation(&flight, "an error without status or text");
  if (flight.attempts > 0) {
    ++outcome_.totals.failed;
    return;
  }
  ++outcome_.totals.refused;
  // "All cool down" must be true: nobody is turned away while a row of the group is eligible.
  // (Of a request that waited the rows may have come back since.)
  if (error.type != "all_deployments_in_cooldown" || flight.waited_s > 0) return;
  ModelIndex::Match scratch;
  const ModelIndex::Match* match =
      world_.index().Resolve(flight.controls->model, flight.controls->team_id, scratch);
  if (match == nullptr || world_.settings().health_check_routing) return;
  ++outcome_.totals.all_cooled_checked;
  for (const Deployment* row : match->deployments) {
    const Book& book = books_[row->index];
    const bool is_probed = book.half_open && world_.now() < book.probe_until;
    if (!IsCooled(book) && !is_probed) Violation(&flight, row->id + " was eligible, the client got 429");
  }
}

void Referee::EndAttempt(Flight& flight) {
  if (flight.hedge != nullptr) LeaveRow(flight, *flight.hedge, flight.hedge_probe);
  LeaveRow(flight, *flight.running, flight.probe);
  flight.running = flight.hedge = nullptr;
}

void Referee::LeaveRow(Flight& flight, const Deployment& row, uint64_t probe) {
  Book& book = books_[row.index];
  --book.running;
  if (probe != 0 && probe == book.probe) book.probe_until = {};
  const int held = world_.state().at(row.index).in_flight.load();
  if (held != book.running) Violation(&flight, fmt::format("{} slots held, {} attempts run", held, book.running));
}

void Referee::OnFailed(Flight& flight, const Error& error, const FailureEffect& effect) {
  NoteCooldown(flight, *flight.running, effect);
  if (error.mid_stream) ++outcome_.totals.mid_stream;
  EndAttempt(flight);
}

void Referee::NoteCooldown(const Flight& flight, const Deployment& row, const FailureEffect& effect) {
  Book& book = books_[row.index];
  const bool was_cooled = IsCooled(book);
  if (effect.cooldown_started) {
    ++outcome_.totals.cooldowns;
    if (was_cooled) Violation(&flight, "a cooldown began while one ran");
    if (world_.settings().disable_cooldowns) Violation(&flight, "a cooldown although they are off");
  }
  if (effect.cooldown > Duration::zero()) {
    if (world_.now() + effect.cooldown > book.cooled_until) book.cooldown_length = effect.cooldown;
    book.cooled_until = std::max(book.cooled_until, world_.now() + effect.cooldown);
    book.half_open = world_.settings().half_open_probes;
    book.probe_until = {};  // what a probe that still runs finds out says nothing any more
    ++book.probe;
  }
}

void Referee::OnSucceeded(Flight& flight) {
  Book& book = books_[flight.running->index];
  if (flight.probe != 0 && flight.probe == book.probe) book.half_open = false;
  const std::string group = flight.candidate.model_group;
  EndAttempt(flight);
  const std::vector<FallbackHop> hops = flight.route->TakeHops();
  if (hops.empty() != (flight.route->attempted_fallbacks() == 0)) Violation(&flight, "hops and fallbacks differ");
  if (!hops.empty() && (!hops.back().succeeded || hops.back().to_group != group)) {
    Violation(&flight, "the last hop is not the one that answered");
  }
  if (!flight.route->TakeHops().empty()) Violation(&flight, "a hop is told twice");
}

void Referee::OnAbandoned(Flight& flight) {
  ++outcome_.totals.abandoned;
  EndAttempt(flight);
}

void Referee::OnEnd() {
  for (const Deployment& row : world_.snapshot().deployments) {
    const DeploymentState& state = world_.state().at(row.index);
    if (state.in_flight.load() != 0) Violation(nullptr, row.id + " keeps a slot");
    const TokenCounts reserved = ReservedTokens(state);
    if (reserved.input != 0 || reserved.output != 0) Violation(nullptr, row.id + " keeps reserved tokens");
  }
  if (plan_.is_calm) CheckWeights();
}

// Six standard deviations: with the number of looks we take, chance alone stays within.
void Referee::CheckWeights() {
  for (size_t g = 0; g < plan_.groups; ++g) {
    double weights = 0;
    double picks = 0;
    const auto each = [&](auto&& look) {
      for (const Deployment& row : world_.snapshot().deployments) {
        if (row.model_name == GroupName(g)) look(row);
      }
    };
    each([&](const Deployment& row) {
      weights += row.weight.value_or(0);
      picks += static_cast<double>(books_[row.index].picks);
    });
    double rows = 0;
    each([&](const Deployment&) { ++rows; });
    each([&](const Deployment& row) {
      const double share = weights > 0 ? row.weight.value_or(0) / weights : 1 / rows;
      const double bound = 6 * std::sqrt(picks * share * (1 - share)) + 1e-9;
      const auto got = static_cast<double>(books_[row.index].picks);
      ++outcome_.totals.weights_checked;
      if (std::abs(got - picks * share) > bound) {
        Violation(nullptr, fmt::format("{} got {} of {} requests, its share is {:.3f}", row.id, got, picks, share));
      }
    });
  }
}

}  // namespace gw::routing::simulation
