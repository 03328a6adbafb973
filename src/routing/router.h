// Which deployment is tried next, after which pause, and when is it over?
//
//   Next() --kAttempt--> the gateway calls the row, then OnAttemptFailed / OnAttemptSucceeded
//     ^    --kWait-----> the gateway sleeps `wait`, then asks again
//     |    --kFail-----> the error is the client's answer
//     '--- retries inside the group, then fallbacks, each a full retry layer of its own
//
// Pure: (shared state, request, now, random) in, a step out. No clock, socket, thread or log.
// One RequestRoute belongs to one client request and one thread. SharedState is shared by all
// threads and lock-free: atomics per deployment, written on outcomes.
// Semantics: routing facts 1-3, 5, 6, 8; deliberate differences are rows of docs/compat.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/prompt_blocks.h"
#include "routing/row_table.h"

namespace gw::routing {

// xoshiro or similar; one per thread, seeded; tests pass a fixed seed.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  double NextUnit();  // [0, 1)
 private:
  uint64_t state_[4];
};

// Live state of one deployment. All members are independent atomics: a reader may see one update
// without the other, which costs at most one attempt. What a decision reads of every candidate
// stands in the first cache line.
struct alignas(64) DeploymentState {
  std::atomic<int64_t> cooldown_until_ns{0};  // steady clock; in the past: not cooling down
  std::atomic<int64_t> probe_after_ns{0};     // half_open.h; 0: not half-open
  std::atomic<int32_t> in_flight{0};
  std::atomic<bool> last_failed{false};
  std::atomic<uint64_t> token_window{0};      // packed begin | tokens of rows with rpm or tpm
  std::atomic<uint64_t> reserved_tokens{0};   // of running requests: row_limits.cc
  std::atomic<uint64_t> others_tokens{0};     // elsewhere.h: packed begin | tokens of the others' minute
  std::atomic<int64_t> latency_until_ns{0};   // latency.h; when the samples are forgotten
  std::atomic<float> latency{-1};             // what they come to; negative: none
  std::atomic<float> first_token{-1};

  std::atomic<uint64_t> rate_window{0};        // packed begin | requests of rows with rpm or tpm
  std::atomic<int64_t> cooldown_length_ns{0};  // of the cooldown that set the deadline
  std::atomic<uint64_t> window{0};             // packed begin | failures | successes (facts 6.2 A)
  std::atomic<uint64_t> fails{0};              // packed begin | count (facts 6.2 B)
  std::atomic<uint64_t> input_window{0};       // packed begin | input tokens
  std::atomic<uint64_t> output_window{0};
  std::atomic<uint64_t> day_requests{0};       // packed day | count
  std::atomic<uint64_t> day_tokens{0};
  std::atomic<uint64_t> mean_tokens{0};        // of an answer: input | output; 0: none seen
  std::atomic<int64_t> probed_ns{0};           // last background probe: when; negative: it failed
  // elsewhere.h: what the replicas together have done.
  std::atomic<int64_t> elsewhere_until_ns{0};  // full by their count until then; in the past: not
  std::atomic<int64_t> elsewhere_free_ns{0};
  std::atomic<uint8_t> elsewhere_reason{0};
};

// Values of the litellm_deployment_state gauge.
enum class Health : uint8_t { kHealthy = 0, kPartialOutage = 1, kCompleteOutage = 2 };

class AffinityTable;
class EngineFleet;
enum class Reservation : uint8_t;
struct Explanation;
struct HedgeClock;
struct TokenCounts;
struct LatencyRings;
class RetryBudget;
class SpendWindow;

class SharedState {
 public:
  // Without samples, budgets and affinity; with what the configuration needs of them.
  explicit SharedState(size_t deployments);
  explicit SharedState(const config::Snapshot& snapshot) : SharedState(snapshot, nullptr, nullptr) {}
  // For `snapshot` after a reload (both null: at the start). A deployment that stays (same id, model
  // and address) shares its state with `previous`, so that requests of both count together; the
  // others begin anew.
  SharedState(const config::Snapshot& snapshot, const config::Snapshot* before, const SharedState* previous);
  ~SharedState();
  [[nodiscard]] DeploymentState& at(uint32_t index) { return *states_[index]; }
  [[nodiscard]] const DeploymentState& at(uint32_t index) const { return *states_[index]; }
  [[nodiscard]] size_t size() const { return states_.size(); }
  // By index, for what looks at many.
  [[nodiscard]] DeploymentState* const* states() const { return states_.data(); }
  [[nodiscard]] Health HealthAt(uint32_t index, TimePoint now) const;
  [[nodiscard]] Duration CooldownLeft(uint32_t index, TimePoint now) const;
  // What the row did in its running minute, for x-ratelimit-remaining-*. Requests are counted only
  // for rows with rpm or tpm.
  struct MinuteUsage {
    int64_t requests = 0;
    int64_t tokens = 0;
  };
  [[nodiscard]] MinuteUsage UsageAt(uint32_t index, TimePoint now) const;

  // What a background probe found; only enable_health_check_routing looks at it.
  void SetProbe(uint32_t index, bool healthy, TimePoint now);
  // nullptr without router_settings.retry_budget.
  [[nodiscard]] RetryBudget* retry_budget() const { return retry_budget_.get(); }
  // nullptr without router_settings.hedging, both.
  [[nodiscard]] RetryBudget* hedge_budget() const { return hedge_budget_.get(); }
  [[nodiscard]] HedgeClock* hedge(uint32_t index) const {
    return hedge_.empty() ? nullptr : hedge_[index].get();
  }
  // A copy to play through what would happen: nothing done to it is seen here. Affinity and
  // the map of prompts are left out.
  [[nodiscard]] std::unique_ptr<SharedState> CopyFor(const config::Snapshot& snapshot) const;

  // Daily limits begin anew by the wall clock: the caller says which time it is, once.
  void SetWallClock(TimePoint now, int64_t unix_seconds);
  [[nodiscard]] int64_t unix_offset_s() const {
    return unix_offset_s_.load(std::memory_order_relaxed);
  }
  // nullptr where the configuration has no use for them.
  [[nodiscard]] LatencyRings* latency(uint32_t index);
  [[nodiscard]] SpendWindow* row_spend(uint32_t index) const;
  [[nodiscard]] SpendWindow* provider_spend(int32_t budget) const;
  [[nodiscard]] AffinityTable* affinity() const { return affinity_.get(); }
  [[nodiscard]] EngineFleet* engines() const { return engines_.get(); }

 private:
  std::vector<std::shared_ptr<DeploymentState>> owners_;
  std::vector<DeploymentState*> states_;  // the same ones
  std::atomic<int64_t> unix_offset_s_{0};
  // Empty where the configuration has no use for them.
  std::vector<std::shared_ptr<LatencyRings>> latency_;
  std::vector<std::shared_ptr<SpendWindow>> row_spend_;
  std::vector<std::shared_ptr<SpendWindow>> provider_spend_;
  std::shared_ptr<AffinityTable> affinity_;
  std::unique_ptr<EngineFleet> engines_;  // only for inference-aware
  std::shared_ptr<RetryBudget> retry_budget_;
  std::shared_ptr<RetryBudget> hedge_budget_;
  std::vector<std::shared_ptr<HedgeClock>> hedge_;
};

// Names -> deployments of one snapshot; built once, immutable, shared.
class ModelIndex {
 public:
  explicit ModelIndex(config::SnapshotPtr snapshot);

  // Which rule of facts section 2 found the rows.
  enum class Rule : uint8_t {
    kId,
    kAlias,
    kRoutingGroup,
    kTeam,
    kGroup,
    kPattern,
    kUpstreamName,
  };

  struct Match {
    std::vector<const config::Deployment*> deployments;  // config order
    std::string group;                  // name as asked: what metrics and x-litellm-model-group show
    std::vector<std::string> captured;  // what each '*' stood for; fills '*' of upstream models
    std::string_view pattern;           // that matched; empty: none did
    Rule rule = Rule::kGroup;
    // With the strategy of the routing group; nullptr: the router's own.
    const config::RouterSettings* settings = nullptr;
  };
  // Facts section 2 for a caller of `team` (empty: of none). nullptr when nothing matches. The
  // pointer stays valid for the index's life when the name is a plain group; other matches are put
  // in `scratch`.
  [[nodiscard]] const Match* Resolve(std::string_view name, std::string_view team,
                                     Match& scratch) const;
  [[nodiscard]] const Match* Resolve(std::string_view name, Match& scratch) const {
    return Resolve(name, {}, scratch);
  }
  // Would Resolve find it? (bounds the requested_model label)
  [[nodiscard]] bool Knows(std::string_view name, std::string_view team = {}) const;
  [[nodiscard]] bool has_patterns() const { return !all_.patterns.empty(); }
  // The row behind a name that stands for exactly one; else nullptr. Not for ids of rows.
  [[nodiscard]] const config::Deployment* OnlyRow(std::string_view name, std::string_view team = {}) const;
  [[nodiscard]] const config::Snapshot& snapshot() const { return *snapshot_; }
  // Rows that share the row's name; "alone in its group" of the cooldown rules.
  [[nodiscard]] uint32_t GroupSize(uint32_t deployment_index) const {
    return group_sizes_[deployment_index];
  }
  [[nodiscard]] const RowTable& table() const { return table_; }

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  using NameMap = std::unordered_map<std::string, Match, NameHash, std::equal_to<>>;

  // What one audience can name: everybody, or the members of one team beyond that.
  struct Names {
    NameMap public_names;          // team_public_model_name without '*'
    NameMap groups;                // model_name without '*'
    std::vector<Match> patterns;   // most specific first; "*" last; `group` is the pattern
    NameMap ids;                   // only ids that are not group names
    NameMap upstream_names;        // facts 2, step 8
  };
  struct Alias {
    std::string model;
    Match match;  // what it means to callers without a team
    bool is_known = false;
  };

  void AddRow(const config::Deployment& row);
  void AddTeamRow(const config::Deployment& row);
  void AddRowsOfAll(Names& names) const;
  void AddIds();
  void AddAliases();
  void AddRoutingGroups();
  void ApplyRoutingGroups(Names& names) const;
  void CountGroups(const Names& names);
  [[nodiscard]] const Names* NamesOf(std::string_view team) const;
  [[nodiscard]] const Match* ResolvePastAliases(std::string_view name, const Names* team,
                                                Match& scratch) const;
  [[nodiscard]] static const Match* MatchPattern(const std::vector<Match>& patterns,
                                                 std::string_view name, Match& scratch);
  [[nodiscard]] const config::RouterSettings* SettingsOf(std::string_view model_name) const;

  config::SnapshotPtr snapshot_;
  RowTable table_;
  Names all_;  // rows without a team
  std::unordered_map<std::string, Names, NameHash, std::equal_to<>> teams_;
  std::unordered_map<std::string, Alias, NameHash, std::equal_to<>> aliases_;
  NameMap routing_groups_;
  // One per entry of RouterSettings::routing_groups; never moved.
  std::vector<std::unique_ptr<config::RouterSettings>> group_settings_;
  std::vector<uint32_t> group_sizes_;
};

// The answer to a name that Resolve does not know. The gateway puts "/<route>: " before it.
[[nodiscard]] Error ModelNotFound(std::string_view model);

// What the client said about routing; filled by the gateway from body and headers.
struct RequestControls {
  std::string model;                     // as asked
  bool stream = false;
  std::optional<int> num_retries;        // body, else x-litellm-num-retries
  bool disable_fallbacks = false;
  std::optional<std::vector<config::FallbackTarget>> fallbacks;  // body list: beats the config's
  std::optional<std::vector<config::FallbackList>> context_window_fallbacks;
  std::optional<std::vector<config::FallbackList>> content_policy_fallbacks;
  std::optional<double> timeout_s;         // x-litellm-timeout, else body timeout, request_timeout
  std::optional<double> stream_timeout_s;  // x-litellm-stream-timeout, else body stream_timeout
  std::vector<std::string> tags;
  bool tag_filtering = false;            // switched on by key, team or request; never off
  std::string_view user_agent;           // for tag_regex; lives as long as the request
  std::string team_id;                   // of the caller's key; empty: no team
  std::string allowed_region;            // empty: every region
  std::optional<int> priority;           // 0 is the highest; set: wait for a healthy row
  // The error of a row that does not take a parameter of the request; empty: not asked for.
  std::function<std::optional<Error>(const config::Deployment&)> refuse_params;
  // Guarded mock_testing_* members: what to pretend before a row is called.
  enum class Mock : uint8_t { kNone, kFallbacks, kContextWindow, kContentPolicy, kRateLimit };
  Mock mock = Mock::kNone;
  // Who comes back (affinity); empty and 0: unknown. The hash is of what a provider could cache.
  std::string session_id;
  std::string user_key;
  uint64_t prefix_hash = 0;
  PromptBlocks prompt;  // only for inference-aware
  // For token limits (reserved while the request runs; 0: unknown, the row's average is taken) and
  // for the context window (0: not checked).
  int64_t input_tokens_estimate = 0;
  int64_t output_tokens_max = 0;
};

struct Timeouts {
  double first_byte_s;   // until the head (non-stream: the whole answer; stream: the first chunk)
  double chunk_gap_s;    // between chunks of a stream
  std::optional<double> first_content_s;  // of a stream: until its first content; unset: no own limit
  bool set_by_client = false;
};
// Facts section 7.
[[nodiscard]] Timeouts ComputeTimeouts(const config::Snapshot& snapshot,
                                       const config::Deployment& deployment,
                                       const RequestControls& controls);

struct Candidate {
  const config::Deployment* deployment = nullptr;
  std::string upstream_model;               // '*' filled
  std::string model_group;                  // group that serves: label and header
  const config::FallbackTarget* target = nullptr;  // set when a fallback target has overrides
  std::string_view mirror_model;            // silent_model of the first row; empty: no copy is sent
  // Not the group the client asked for, or a later `order` level of it: both count as fallbacks.
  bool is_fallback = false;
};

struct Step {
  enum class Kind : uint8_t { kAttempt, kWait, kFail };
  Kind kind = Kind::kFail;
  // kAttempt: whom to call. kFail: the row attempted or refused last, for the error's headers;
  // deployment is nullptr when no row was touched.
  Candidate candidate;
  Duration wait{};      // kWait
  Error error;          // kFail
};

struct FailureEffect {
  bool cooldown_started = false;  // by this very failure: count litellm_deployment_cooled_down once
  Duration cooldown{};
  // Not cooled down, but such failures are counted: were they more than these within the window over
  // all replicas, the row would have to leave for `cooldown_then`.
  std::optional<int64_t> fails_allowed{};
  Duration fails_window{};
  Duration cooldown_then{};
};

// What an attempt took and consumed.
struct AttemptOutcome {
  Duration duration{};
  std::optional<Duration> first_token;  // streams
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  double cost_usd = 0;
  bool is_chat = true;
  bool is_stream = false;
};

// One hop from a failed group to a fallback target, reported when its fate is known.
struct FallbackHop {
  std::string from_group;     // as asked in that layer
  std::string to_group;
  int exception_status = 0;   // of the error that caused the hop
  std::string exception_class;
  bool succeeded = false;
};

// A second row beside the one that runs.
struct HedgeOffer {
  enum class Kind : uint8_t { kNone, kRefusedByCap, kPicked };
  Kind kind = Kind::kNone;
  Candidate candidate;  // kPicked
};

// Of the two attempts of a hedged request.
enum class Racer : uint8_t { kFirst, kHedge };

class RouteMachine;

class RequestRoute {
 public:
  // All references must outlive the route. The route starts at controls.model, which must resolve.
  // `why` (explanation.h) is told every step of the decision; nullptr costs nothing.
  RequestRoute(const ModelIndex& index, SharedState& state, const RequestControls& controls,
               Explanation* why = nullptr);
  ~RequestRoute();  // gives a held slot back
  RequestRoute(const RequestRoute&) = delete;
  RequestRoute& operator=(const RequestRoute&) = delete;

  [[nodiscard]] Step Next(TimePoint now, Random& random);

  // Exactly one of these after each kAttempt, in the order of events:
  [[nodiscard]] FailureEffect OnAttemptFailed(const Error& error, TimePoint now);
  void OnAttemptSucceeded(TimePoint now);  // a stream: at its end
  void OnAttemptSucceeded(TimePoint now, const AttemptOutcome& outcome);
  void OnAbandoned();                      // client gone: neither success nor failure
  // Instead of an outcome: a store that replicas share refuses the row. Nothing was called; Next()
  // tries the others and ends like a refusal by our own count. elsewhere.h tells the durations.
  void OnRefusedElsewhere(Reservation reason, Duration trusted, Duration free_in, TimePoint now);
  // What the attempt that runs has reserved.
  [[nodiscard]] TokenCounts reserved() const;
  // What a broken or abandoned attempt consumed all the same; before the call that ends it.
  void Settle(const AttemptOutcome& outcome, TimePoint now);

  // Hedging. While an attempt runs: after which time without content NextHedge is worth asking.
  [[nodiscard]] std::optional<Duration> HedgeAfter() const;
  // Once per attempt. kPicked: both rows are held until one call of these two leaves one, for
  // which one of the calls above follows; OnAbandoned gives both back.
  [[nodiscard]] HedgeOffer NextHedge(TimePoint now, Random& random);
  // The other one was faster: neither blame nor praise. `waited`: since it was called; `used`: what
  // it consumed, nullptr: not known.
  void OnOvertaken(Racer loser, Duration waited, const AttemptOutcome* used, TimePoint now);
  [[nodiscard]] FailureEffect OnRacerFailed(Racer who, const Error& error, TimePoint now);

  // For headers and metrics.
  [[nodiscard]] int attempts() const { return attempts_; }
  [[nodiscard]] int attempted_retries() const;    // within the group that answers
  [[nodiscard]] int max_retries() const;          // of that group
  // compat: 0 or 1, however many hops were made. LiteLLM (seen in 1.109.1) overwrites the inner
  // count on the way out, and clients compare the header.
  [[nodiscard]] int attempted_fallbacks() const;
  // Hops whose fate is known, each returned once, in the order it became known. After the last step
  // all are known; those of an abandoned request never are.
  [[nodiscard]] std::vector<FallbackHop> TakeHops();

 private:
  int attempts_ = 0;
  std::unique_ptr<RouteMachine> machine_;
};

}  // namespace gw::routing
