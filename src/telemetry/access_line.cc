#include "telemetry/access_line.h"

#include <fmt/format.h>

#include <ctime>

#include "base/json.h"

namespace gw::telemetry {

namespace {

// Members of one JSON object; absent values are left out.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) { out_ += '{'; }
  void Close() { out_ += '}'; }

  void Text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    Key(key);
    json::AppendQuoted(out_, value);
  }
  void Int(std::string_view key, int64_t value) {
    Key(key);
    out_ += std::to_string(value);
  }
  void Positive(std::string_view key, int64_t value) {
    if (value > 0) Int(key, value);
  }
  void Flag(std::string_view key, bool value) {
    Key(key);
    out_ += value ? "true" : "false";
  }
  // Milliseconds with three digits behind the point.
  void Millis(std::string_view key, Duration value) {
    Key(key);
    fmt::format_to(std::back_inserter(out_), "{:.3f}", Seconds(value) * 1e3);
  }
  void Money(std::string_view key, double value) {
    Key(key);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void Key(std::string_view key) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }

 private:
  std::string& out_;
};

void AppendUsage(LineWriter& line, const api::Usage& usage) {
  line.Int("prompt_tokens", usage.prompt_tokens);
  line.Int("completion_tokens", usage.completion_tokens);
  line.Int("total_tokens", usage.total_tokens);
  line.Positive("cached_tokens", usage.cached_tokens);
  line.Positive("reasoning_tokens", usage.reasoning_tokens);
}

void AppendAttempt(const RequestRecord& record, const AttemptRecord& attempt, std::string& out) {
  LineWriter line(out);
  line.Text("model_id", attempt.deployment->id);
  line.Text("model_group", attempt.model_group);
  line.Text("upstream_model", attempt.upstream_model);
  line.Text("provider", attempt.deployment->provider);
  line.Text("outcome", NameOf(attempt.outcome));
  line.Positive("status", attempt.status);
  line.Text("error_class", attempt.error_class);
  line.Millis("at_ms", attempt.begin - record.arrived);
  line.Millis("ms", attempt.end - attempt.begin);
  if (attempt.first_content != TimePoint{}) line.Millis("first_token_ms", attempt.first_content - attempt.begin);
  if (attempt.cooldown_started) line.Flag("cooldown", true);
  if (attempt.is_side_call) line.Flag("side_call", true);
  line.Close();
}

void AppendCaller(LineWriter& line, const RequestRecord& record) {
  line.Text("key_hash", record.key_hash);
  line.Text("key_alias", record.key_alias);
  line.Text("team", record.team);
  line.Text("team_alias", record.team_alias);
  line.Text("user", record.user);
  line.Text("end_user", record.end_user);
  line.Text("client_ip", record.client_ip);
  line.Text("user_agent", record.user_agent);
}

void AppendTimes(LineWriter& line, const RequestRecord& record) {
  const Duration total = record.finished - record.arrived;
  line.Millis("ms", total);
  line.Millis("upstream_ms", record.upstream);
  line.Millis("backoff_ms", record.backoff);
  if (record.first_chunk != TimePoint{}) {
    line.Millis("first_token_ms", record.first_chunk - record.arrived);
  } else {
    line.Millis("overhead_ms", total - record.upstream - record.backoff);
  }
}

}  // namespace

std::string_view NameOf(RequestRecord::Outcome outcome) {
  switch (outcome) {
    case RequestRecord::Outcome::kSuccess: return "success";
    case RequestRecord::Outcome::kFailure: return "failure";
    case RequestRecord::Outcome::kAbandoned: return "abandoned";
  }
  return "failure";
}

std::string_view NameOf(AttemptRecord::Outcome outcome) {
  switch (outcome) {
    case AttemptRecord::Outcome::kSuccess: return "success";
    case AttemptRecord::Outcome::kFailed: return "failed";
    case AttemptRecord::Outcome::kBroken: return "broken";
    case AttemptRecord::Outcome::kHedgedAway: return "hedged_away";
    case AttemptRecord::Outcome::kRunning:
    case AttemptRecord::Outcome::kCancelled: break;
  }
  return "cancelled";
}

std::string Rfc3339(int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  const size_t size = std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(date, size), unix_ns / 1'000'000 % 1000);
}

void AppendAccessLine(const RequestRecord& record, std::string& out) {
  LineWriter line(out);
  line.Text("time", Rfc3339(record.UnixNs(record.arrived)));
  line.Text("call_id", record.call_id);
  if (record.is_traced) {
    line.Text("trace_id", Hex(record.trace.trace_id));
    line.Text("span_id", Hex(record.trace.span_id));
  }
  line.Text("method", record.method);
  line.Text("path", record.path);
  line.Int("status", record.status);
  line.Text("outcome", NameOf(record.outcome));
  line.Text("error_class", record.error_class);
  line.Text("error", record.error_message);
  line.Text("model", record.requested_model);
  line.Text("model_group", record.model_group);
  line.Text("upstream_model", record.upstream_model);
  if (record.deployment != nullptr) {
    line.Text("model_id", record.deployment->id);
    line.Text("provider", record.deployment->provider);
    line.Text("api_base", record.deployment->api_base);
  }
  line.Flag("stream", record.stream);
  line.Flag("cache_hit", record.from_cache);
  AppendTimes(line, record);
  AppendUsage(line, record.usage);
  line.Money("spend_usd", record.cost_usd);
  line.Int("retries", record.retries);
  line.Int("fallbacks", record.fallbacks);
  AppendCaller(line, record);
  line.Key("attempts");
  out += '[';
  for (size_t i = 0; i < record.attempts.size(); ++i) {
    if (i > 0) out += ',';
    AppendAttempt(record, record.attempts[i], out);
  }
  out += ']';
  line.Close();
  out += '\n';
}

}  // namespace gw::telemetry
