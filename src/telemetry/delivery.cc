#include "telemetry/delivery.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "http/gzip.h"
#include "net/tls_stream.h"
#include "upstream/pool.h"

namespace gw::telemetry {

namespace {

// What a receiver says is read to this length; more than that closes the connection.
constexpr size_t kAnswerBytesMax = size_t{256} << 10;
constexpr Duration kRetryAfterMax = std::chrono::seconds(60);
constexpr Duration kComplaintInterval = std::chrono::seconds(60);
constexpr Duration kDrainLook = std::chrono::milliseconds(5);

enum class Verdict : uint8_t { kDelivered, kRetry, kRefused };

struct Answer {
  Verdict verdict = Verdict::kRetry;
  int status = 0;  // 0: none came
  std::string why;
  Duration retry_after{};
  Rejection rejection;  // kDelivered
};

// 408, 429 and what a proxy or an overloaded server says; OTLP names 429, 502, 503 and 504.
bool IsTransient(int status) { return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504); }

std::shared_ptr<net::TlsContext> MakeTls(const DeliveryOptions& options) {
  if (!options.url.tls) return nullptr;
  auto made = net::TlsContext::Client(options.tls_verify, options.ca_file);
  if (made.ok()) return made.value();
  log::Error("TLS set-up of a telemetry receiver failed", {{"sink", options.sink}, {"why", made.error().message}});
  return net::TlsContext::Client(true, "").value();
}

// What pumps share with their Delivery; lives until both are gone.
struct State {
  State(const DeliveryContext& c, DeliveryOptions o)
      : context(c), options(std::move(o)),
        pool(c.loop, c.dns, net::DialTarget{options.url.host, options.url.port, MakeTls(options)}) {}

  const DeliveryContext context;
  const DeliveryOptions options;
  upstream::OriginPool pool;
  std::deque<HttpMessage> queue;
  size_t bytes = 0;          // queued and under way
  int running = 0;           // pumps
  bool closed = false;       // no further attempt
  TimePoint end = TimePoint::max();
  std::vector<net::CancelSlot*> waits;  // of running pumps
  struct Complaint {
    TimePoint at{};
    int held = 0;
  };
  std::map<std::string_view, Complaint> complaints;  // by what they say

  void Count(std::string_view outcome, uint64_t records) {
    context.observer.OnRecords(options.sink, outcome, records);
  }
  void Complain(const Answer& answer, std::string_view what);
  void DropQueue(std::string_view outcome);
};

// A receiver that is down fails every batch: one line a minute says so. `what` is a literal.
void State::Complain(const Answer& answer, std::string_view what) {
  const TimePoint now = SteadyClock::now();
  Complaint& last = complaints[what];
  if (last.at != TimePoint{} && now - last.at < kComplaintInterval) {
    ++last.held;
    return;
  }
  log::Warn(std::string("telemetry: ").append(what),
            {{"sink", options.sink},
             {"host", options.url.host_header},
             {"status", std::to_string(answer.status)},
             {"why", answer.why},
             {"not_logged", std::to_string(last.held)}});
  last = {now, 0};
}

void State::DropQueue(std::string_view outcome) {
  for (const HttpMessage& message : queue) {
    Count(outcome, message.records);
    bytes -= message.body.size();
  }
  queue.clear();
}

std::string HeadOf(const State& state, const HttpMessage& message) {
  const Url& url = state.options.url;
  std::string head = message.method;
  head.append(" ").append(message.target.empty() ? url.target : message.target).append(" HTTP/1.1\r\nhost: ");
  head.append(url.host_header).append("\r\nuser-agent: intertie/" GW_VERSION "\r\ncontent-length: ");
  head.append(std::to_string(message.body.size())).append("\r\n");
  for (const auto& [name, value] : message.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (state.options.sign) {
    for (const auto& [name, value] : state.options.sign(message)) head.append(name).append(": ").append(value).append("\r\n");
  }
  return head.append("\r\n");
}

Answer Judge(const http::ResponseHead& head) {
  Answer answer;
  answer.status = head.status;
  if (head.status >= 200 && head.status <= 299) {
    answer.verdict = Verdict::kDelivered;
    return answer;
  }
  answer.verdict = IsTransient(head.status) ? Verdict::kRetry : Verdict::kRefused;
  answer.why = "HTTP " + std::to_string(head.status);
  if (const auto seconds = ParseInt(head.headers.Get("retry-after")); seconds && *seconds > 0)
    answer.retry_after = std::min<Duration>(std::chrono::seconds(std::min<int64_t>(*seconds, 3600)), kRetryAfterMax);
  return answer;
}

// One exchange on a pooled connection; one that turns out to be dead is replaced once.
net::Task<Answer> Exchange(State& state, const HttpMessage& message, net::CancelSlot& cancel) {
  const TimePoint deadline = std::min(SteadyClock::now() + state.options.timeout, state.end);
  const std::string head = HeadOf(state, message);
  const std::array<std::string_view, 2> pieces = {head, message.body};
  Answer answer;
  for (bool fresh = false;; fresh = true) {
    upstream::Lease lease = co_await state.pool.Acquire(fresh, deadline, &cancel);
    if (!lease.connection) {
      answer.why = lease.error.empty() ? "no connection" : std::move(lease.error);
      co_return answer;
    }
    upstream::PooledConnection& connection = *lease.connection;
    net::IoStatus status = net::IoStatus::kFailed;
    std::string body;
    {
      const net::CancelScope scope(cancel, connection.http);
      status = co_await connection.http.SendRequest(pieces, deadline);
      if (status == net::IoStatus::kOk) status = co_await connection.http.ReadHead(deadline);
      if (status == net::IoStatus::kOk) {
        answer = Judge(connection.http.head());
        (void)co_await connection.http.ReadWholeBody(body, kAnswerBytesMax, deadline);
      }
    }
    if (status == net::IoStatus::kOk) {
      state.pool.Release(std::move(lease.connection));
      if (answer.verdict == Verdict::kDelivered && state.options.on_delivered)
        answer.rejection = state.options.on_delivered(body);
      co_return answer;
    }
    const bool is_stale = connection.reused && !connection.http.got_any_byte() &&
                          (status == net::IoStatus::kEof || status == net::IoStatus::kReset);
    if (!is_stale || fresh) {
      answer.why = status == net::IoStatus::kTimeout ? "no answer in time" : "the connection broke";
      co_return answer;
    }
  }
}

// Until the message is delivered or given up.
net::Task<void> Deliver(State& state, const HttpMessage& message, net::CancelSlot& cancel) {
  Duration pause = state.options.backoff_first;
  for (int attempt = 1;; ++attempt) {
    Answer answer = co_await Exchange(state, message, cancel);
    if (answer.verdict == Verdict::kDelivered) {
      const uint64_t rejected = std::min<uint64_t>(answer.rejection.records, message.records);
      if (message.records > rejected) state.Count("delivered", message.records - rejected);
      if (rejected > 0) state.Count("dropped_error", rejected);
      if (rejected == 0 && answer.rejection.why.empty()) co_return;
      answer.why = std::move(answer.rejection.why);
      state.Complain(answer, "the receiver did not take everything");
      co_return;
    }
    if (answer.verdict == Verdict::kRefused) {
      state.Count("dropped_error", message.records);
      state.Complain(answer, "a receiver refuses what it is sent");
      co_return;
    }
    state.Complain(answer, "a receiver does not take what it is sent");
    if (attempt >= state.options.attempts_max || state.closed) {
      state.Count("dropped_retries", message.records);
      co_return;
    }
    (void)co_await net::Sleep(state.context.loop, std::max(pause, answer.retry_after), &cancel);
    pause = std::min(pause * 2, state.options.backoff_max);
    if (state.closed) {
      state.Count("dropped_retries", message.records);
      co_return;
    }
  }
}

// A pump that runs, whatever ends it.
class RunningPump {
 public:
  RunningPump(State& state, net::CancelSlot& cancel) : state_(state), cancel_(cancel) {
    state_.waits.push_back(&cancel_);
    ++state_.running;
  }
  ~RunningPump() {
    std::erase(state_.waits, &cancel_);
    --state_.running;
    if (state_.closed) state_.pool.CloseIdle();
  }
  RunningPump(const RunningPump&) = delete;
  RunningPump& operator=(const RunningPump&) = delete;

 private:
  State& state_;
  net::CancelSlot& cancel_;
};

net::Task<void> Pump(std::shared_ptr<State> state) {
  net::CancelSlot cancel;
  const RunningPump running(*state, cancel);
  while (!state->queue.empty()) {
    const HttpMessage message = std::move(state->queue.front());
    state->queue.pop_front();
    bool failed = false;
    try {
      co_await Deliver(*state, message, cancel);
    } catch (const std::exception&) {  // memory: this message is lost, the pump goes on
      cancel.Clear();
      failed = true;
    }
    state->bytes -= message.body.size();
    if (failed) state->Count("dropped_error", message.records);
  }
}

class HttpDelivery final : public Delivery {
 public:
  HttpDelivery(const DeliveryContext& context, DeliveryOptions options)
      : state_(std::make_shared<State>(context, std::move(options))) {}
  ~HttpDelivery() override { Close(); }

  bool Send(HttpMessage message) override {
    State& state = *state_;
    if (state.options.gzip && !message.body.empty()) {
      message.body = http::Gzip(message.body);
      message.headers.emplace_back("content-encoding", "gzip");
    }
    if (state.closed || state.bytes + message.body.size() > state.options.queue_bytes_max) {
      state.Count("dropped_queue", message.records);
      return false;
    }
    state.bytes += message.body.size();
    state.queue.push_back(std::move(message));
    if (state.running < state.options.parallel) net::Spawn(Pump(state_));
    return true;
  }

  net::Task<void> Drain(TimePoint deadline) override {
    const std::shared_ptr<State> state = state_;
    state->end = deadline;
    while (state->running > 0 && SteadyClock::now() < deadline) {
      (void)co_await net::Sleep(state->context.loop, kDrainLook, nullptr);
    }
    Close();
    while (state->running > 0) {
      (void)co_await net::Sleep(state->context.loop, kDrainLook, nullptr);
    }
    state->pool.CloseIdle();
  }

  [[nodiscard]] size_t queued_bytes() const override { return state_->bytes; }

 private:
  void Close() {
    State& state = *state_;
    state.closed = true;
    state.DropQueue("dropped_retries");
    const std::vector<net::CancelSlot*> waits = state.waits;  // a pump that ends leaves the list
    for (net::CancelSlot* wait : waits) wait->Fire();
    if (state.running == 0) state.pool.CloseIdle();
  }

  const std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Delivery> MakeDelivery(const DeliveryContext& context, DeliveryOptions options) {
  return std::make_unique<HttpDelivery>(context, std::move(options));
}

}  // namespace gw::telemetry
