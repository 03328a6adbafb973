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
  std::atomic<uint64_t> rate_window{0};       // packed begin | requests of rows with rpm or tpm
  std::atomic<uint64_t> token_window{0};      // packed begin | tokens, likewise
  std::atomic<uint64_t> reserved_tokens{0};   // of running requests: row_limits.cc
  std::atomic<int64_t> latency_until_ns{0};   // latency.h; when the samples are forgotten
  std::atomic<float> latency{-1};             // what they come to; negative: none
  std::atomic<float> first_token{-1};

  std::atomic<int64_t> cooldown_length_ns{0};  // of the cooldown that set the deadline
  std::atomic<uint64_t> window{0};             // packed begin | failures | successes (facts 6.2 A)
  std::atomic<uint64_t> fails{0};              // packed begin | count (facts 6.2 B)
  std::atomic<uint64_t> input_window{0};       // packed begin | input tokens
  std::atomic<uint64_t> output_window{0};
  std::atomic<uint64_t> day_requests{0};       // packed day | count
  std::atomic<uint64_t> day_tokens{0};
  std::atomic<uint64_t> mean_tokens{0};        // of an answer: input | output; 0: none seen
};

// Values of the litellm_deployment_state gauge.
enum class Health : uint8_t { kHealthy = 0, kPartialOutage = 1, kCompleteOutage = 2 };

class AffinityTable;
struct LatencyRings;
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
  [[nodiscard]] Health HealthAt(uint32_t index, TimePoint now) const;
  [[nodiscard]] Duration CooldownLeft(uint32_t index, TimePoint now) const;
  // Tokens of a finished attempt, for rows with tpm under enforce_model_rate_limits. The gateway
  // calls it once it knows the usage; cheap for every row.
  void CountTokens(uint32_t index, int64_t tokens, TimePoint now);
  // What the row did in its running minute, for x-ratelimit-remaining-*. Requests are counted only
  // for rows with rpm or tpm.
  struct MinuteUsage {
    int64_t requests = 0;
    int64_t tokens = 0;
  };
  [[nodiscard]] MinuteUsage UsageAt(uint32_t index, TimePoint now) const;

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

 private:
  std::vector<std::shared_ptr<DeploymentState>> states_;
  std::atomic<int64_t> unix_offset_s_{0};
  // Empty where the configuration has no use for them.
  std::vector<std::shared_ptr<LatencyRings>> latency_;
  std::vector<std::shared_ptr<SpendWindow>> row_spend_;
  std::vector<std::shared_ptr<SpendWindow>> provider_spend_;
  std::shared_ptr<AffinityTable> affinity_;
};

// Names -> deployments of one snapshot; built once, immutable, shared.
class ModelIndex {
 public:
  explicit ModelIndex(config::SnapshotPtr snapshot);

  struct Match {
    std::vector<const config::Deployment*> deployments;  // config order
    std::string group;           // name as asked: what metrics and x-litellm-model-group show
    std::string wildcard_text;   // what '*' stood for; fills '*' of upstream models
    bool by_wildcard = false;
    bool by_id = false;
  };
  // Facts section 2, without the team rules. nullptr when nothing matches. The pointer stays valid
  // for the index's life when the name is a plain group; wildcard matches are put in `scratch`.
  [[nodiscard]] const Match* Resolve(std::string_view name, Match& scratch) const;
  // Would Resolve find it? (bounds the requested_model label)
  [[nodiscard]] bool Knows(std::string_view name) const;
  [[nodiscard]] const config::Snapshot& snapshot() const { return *snapshot_; }
  // Rows that share the row's model_name; "alone in its group" of the cooldown rules.
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

  void AddAliases();
  [[nodiscard]] const Match* ResolvePastAliases(std::string_view name, Match& scratch) const;

  config::SnapshotPtr snapshot_;
  RowTable table_;
  NameMap groups_;                    // model_name without '*'
  NameMap aliases_;                   // already resolved to the rows they mean
  NameMap ids_;                       // only ids that are not group names
  NameMap upstream_names_;            // facts 2, step 8
  std::vector<Match> patterns_;       // most specific first; "*" last; `group` is the pattern
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
  // Who comes back (affinity); empty and 0: unknown. The hash is of what a provider could cache.
  std::string session_id;
  std::string user_key;
  uint64_t prefix_hash = 0;
  // For token limits: reserved while the request runs. 0: unknown, the row's average is taken.
  int64_t input_tokens_estimate = 0;
  int64_t output_tokens_max = 0;
};

struct Timeouts {
  double first_byte_s;   // until the head (non-stream: the whole answer; stream: the first chunk)
  double chunk_gap_s;    // between chunks of a stream
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

class RouteMachine;

class RequestRoute {
 public:
  // All references must outlive the route. The route starts at controls.model, which must resolve.
  RequestRoute(const ModelIndex& index, SharedState& state, const RequestControls& controls);
  ~RequestRoute();  // gives a held slot back
  RequestRoute(const RequestRoute&) = delete;
  RequestRoute& operator=(const RequestRoute&) = delete;

  [[nodiscard]] Step Next(TimePoint now, Random& random);

  // Exactly one of these after each kAttempt, in the order of events:
  [[nodiscard]] FailureEffect OnAttemptFailed(const Error& error, TimePoint now);
  void OnAttemptSucceeded(TimePoint now);  // a stream: at its end
  void OnAttemptSucceeded(TimePoint now, const AttemptOutcome& outcome);
  void OnAbandoned();                      // client gone: neither success nor failure
  // What a broken or abandoned attempt consumed all the same; before the call that ends it.
  void Settle(const AttemptOutcome& outcome, TimePoint now);

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
