// What happened to one inference request: for access log, traces and callbacks.
//
// Made on the request's loop only when somebody wants records, filled where the request is accounted
// (gateway/account.cc), handed over once it is over. Plain data: the reader owns it. Clock points are
// steady; `finished_unix_ns` anchors them to the calendar (UnixNs).
// Holds no secret: the key is a hash, upstream keys lie in the snapshot and are never printed from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/usage.h"
#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "telemetry/trace_context.h"

namespace gw::telemetry {

struct AttemptRecord {
  enum class Outcome : uint8_t {
    kRunning,     // never seen to its end: counts as kCancelled
    kSuccess,
    kFailed,      // nothing had gone out
    kBroken,      // content had gone out
    kCancelled,   // the client left
    kHedgedAway,  // lost the race against another attempt
  };
  const config::Deployment* deployment = nullptr;  // of RequestRecord::snapshot
  std::string model_group, upstream_model;
  SpanId span_id{};  // all zero: the request is not traced
  bool is_fallback = false;
  bool is_side_call = false;  // the gateway's own: an embedding for the semantic cache
  TimePoint begin{}, first_content{}, end{};  // first_content: streams only, zero: none
  Outcome outcome = Outcome::kRunning;
  int status = 0;           // 200, or of the error
  std::string error_class;  // "RateLimitError"; empty: none
  std::string error_message;  // cut to kErrorTextBytesMax
  bool cooldown_started = false;
  bool has_usage = false;
  api::Usage usage;
  double cost_usd = 0;
};

struct RequestRecord {
  // kStarted: it is known what is asked; a second record tells the end. Only when
  // TelemetrySettings::wants_starts; identity and model are filled, nothing of the outcome.
  // kTest: no request; `test_of` is to send an event so that an operator sees whether it arrives.
  enum class Kind : uint8_t { kStarted, kEnded, kTest };
  enum class Outcome : uint8_t { kSuccess, kFailure, kAbandoned };

  config::SnapshotPtr snapshot;  // keeps deployments alive
  Kind kind = Kind::kEnded;
  std::string test_of;  // kTest: a callback's name, "slack" or "ms_teams"
  uint32_t worker = 0;
  uint64_t id = 0;  // of this request in this process: its start and its end share it

  // Who and what.
  std::string call_id;
  TraceContext trace;
  bool is_traced = false;  // tracing is on (sampled or not)
  std::string method, path;  // path without query
  std::string route;         // "/v1/chat/completions", bounded
  api::Endpoint endpoint = api::Endpoint::kChat;
  std::string client_ip, user_agent;
  HeaderList headers;  // of the client, lower case: those of IsLoggedHeader; only with content
  std::string key_hash, key_alias, team, team_alias, user, end_user;
  std::string requested_model;  // as the client wrote it
  bool stream = false;

  // How it ended.
  Outcome outcome = Outcome::kFailure;
  int status = 0;  // what the client was told; 499: it left
  std::string error_class, error_message;
  bool from_cache = false;
  std::string cache_key;  // of a hit
  const config::Deployment* deployment = nullptr;  // that answered, or was tried last; null: none
  std::string model_group, upstream_model;         // of it
  int retries = 0, fallbacks = 0;
  std::vector<AttemptRecord> attempts;  // in the order they began
  api::Usage usage;
  double cost_usd = 0;  // all attempts together

  // When.
  TimePoint arrived{}, started{}, first_chunk{}, finished{};
  Duration upstream{}, backoff{};
  int64_t finished_unix_ns = 0;

  uint64_t seed = 0;  // of span ids

  // Bodies, in the client's schema: only when TelemetrySettings::wants_content. A stream's answer is
  // its SSE text as it went out. Cut at limits::kTelemetryContentBytesMax (then is_cut); of a request
  // whole members are left out then (kept_request.h).
  std::string request_body, response_body;
  bool request_is_cut = false, response_is_cut = false;
  bool no_log = false;  // the client asks not to be logged, and may: no bodies, no callback

  [[nodiscard]] int64_t UnixNs(TimePoint point) const {
    return finished_unix_ns - std::chrono::duration_cast<std::chrono::nanoseconds>(finished - point).count();
  }
  [[nodiscard]] double DurationSeconds() const { return Seconds(finished - arrived); }
  // What it occupies, roughly: for the bound on what waits.
  [[nodiscard]] size_t Bytes() const;

  // A copy of Kind::kStarted; before bodies are kept.
  [[nodiscard]] std::unique_ptr<RequestRecord> Started() const;
  // Bodies are bytes of others: what is not UTF-8 in them becomes '?'. On the telemetry thread.
  void MakeUtf8();
  [[nodiscard]] SpanId NextSpanId();
  // The attempt on this deployment that is still running; null: none.
  [[nodiscard]] AttemptRecord* RunningAttempt(const config::Deployment* on);
};

inline constexpr size_t kErrorTextBytesMax = 2048;

// May a header of the client stand in a record? What steers logging (langfuse_*, litellm-*), and x-
// headers; of both only what carries no credential.
[[nodiscard]] bool IsLoggedHeader(std::string_view name);
// Does a header, or a member of the metadata, sound like a credential? By words: "x-prompt-tokens" does not.
[[nodiscard]] bool IsCredentialName(std::string_view name);

}  // namespace gw::telemetry
