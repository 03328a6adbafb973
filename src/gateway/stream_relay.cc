#include "gateway/stream_relay.h"

#include <algorithm>

#include "base/limits.h"
#include "gateway/response_headers.h"

namespace gw::gateway {

namespace {

// After [DONE] the upstream owes only the end of its chunked body; waiting shortly for it keeps the
// connection usable.
constexpr std::chrono::milliseconds kTailWait{200};

// State of one relayed stream.
class Relay {
 public:
  Relay(RequestContext& context, routing::RequestRoute& route, const RelayInput& input)
      : context_(context), route_(route), input_(input), http_(input.connection->http) {}

  net::Task<AttemptReport> Run();

 private:
  net::Task<bool> Step();  // false: over, report_ says how
  bool Digest(const http::BodyPart& part);
  net::Task<bool> Send();
  net::Task<void> Break(Error error);
  [[nodiscard]] TimePoint Deadline() const;
  Error ReadError(net::IoStatus status) const;
  void TakeUsage();
  void CountActive(int64_t by) {
    context_.core.counts[context_.worker].active_streams.fetch_add(by, std::memory_order_relaxed);
  }

  RequestContext& context_;
  routing::RequestRoute& route_;
  const RelayInput& input_;
  http::ClientConnection& http_;
  AttemptReport report_;
  std::string out_;  // reused: no allocation per chunk
  std::optional<Error> trouble_;
  translate::StreamProgress progress_;
  bool sent_content_ = false;  // of this attempt; the client may have content of an earlier one
};

void Relay::TakeUsage() {
  report_.usage = input_.translator->usage();
  report_.has_usage = true;
}

Error Relay::ReadError(net::IoStatus status) const {
  const config::Deployment& deployment = *input_.candidate->deployment;
  if (status == net::IoStatus::kTimeout) {
    const double taken = Seconds(SteadyClock::now() - context_.timing.attempt_begin);
    const bool first = !sent_content_ && SteadyClock::now() >= input_.first_content_by;
    Error error = first ? translate::MapTimeout(deployment, input_.first_content_s, taken)
                        : translate::MapTimeout(deployment, input_.gap_s, input_.gap_s);
    error.client_set_timeout = input_.timeout_by_client;
    return error;
  }
  const char* why = http_.malformed();
  return translate::MapStreamBreak(deployment, why != nullptr ? why : "the upstream closed the connection");
}

// Feeds one part to the translator. False: trouble_ is set.
bool Relay::Digest(const http::BodyPart& part) {
  if (part.status != net::IoStatus::kOk) {
    trouble_ = ReadError(part.status);
    return false;
  }
  auto progress = part.data.empty() ? input_.translator->Finish(out_)
                                    : input_.translator->Feed(part.data, out_);
  if (!progress.ok()) {
    trouble_ = std::move(progress.error());
    return false;
  }
  progress_ = *progress;
  if (part.data.empty()) progress_.done = true;
  if (!sent_content_ && !progress_.has_content && out_.size() > limits::kStreamHoldBytesMax) {
    trouble_ = translate::MapStreamBreak(*input_.candidate->deployment, "too much before the first content");
    return false;
  }
  return true;
}

net::Task<bool> Relay::Send() {
  if (!sent_content_ && !progress_.has_content && !progress_.done) co_return true;  // hold
  sent_content_ = true;
  if (context_.continuing) {
    context_.continuation->Rewrite(out_);
  } else if (context_.continuation) {
    context_.continuation->Note(out_);
  }
  if (context_.stream_started) {
    if (context_.listener != nullptr) [[unlikely]] context_.listener->OnStreamBytes(out_);
    const bool sent = co_await context_.exchange.WriteChunk(out_);
    out_.clear();
    co_return sent;
  }
  const TimePoint now = SteadyClock::now();
  context_.timing.first_chunk = now;
  context_.stream_started = true;
  CountActive(1);
  SuccessHeaders values;
  values.model_group = input_.candidate->model_group;
  values.attempted_retries = route_.attempted_retries();
  values.max_retries = route_.max_retries();
  values.attempted_fallbacks = route_.attempted_fallbacks();
  values.upstream = &http_.head().headers;
  values.total_s = Seconds(now - context_.timing.arrived);
  const Duration upstream = context_.timing.upstream + (now - context_.timing.attempt_begin);
  values.overhead_s = Seconds(now - context_.timing.arrived - upstream - context_.timing.backoff);
  values.stream = true;
  std::string lines;
  AppendSuccessHeaders(context_, values, lines);
  if (context_.listener != nullptr) [[unlikely]] context_.listener->OnStreamBytes(out_);
  const bool sent = co_await context_.exchange.StartStream(200, lines, out_);
  out_.clear();
  co_return sent;
}

// Content has gone out: the client learns of the trouble inside its stream.
net::Task<void> Relay::Break(Error error) {
  error.mid_stream = true;
  TakeUsage();
  out_.clear();
  input_.translator->AppendStreamError(error, out_);
  error.can_continue = context_.continuation && context_.continuation->IsPossible();
  report_.error = std::move(error);
  report_.end = AttemptEnd::kBroken;
  if (report_.error->can_continue) {
    report_.stream_error = std::move(out_);
    co_return;
  }
  // g++ 12 miscompiles a co_await in both the condition and the unbraced branch of an if.
  const bool sent = co_await context_.exchange.WriteChunk(out_);
  if (sent) {
    (void)co_await context_.exchange.EndStream();
  }
}

// Between chunks the gap counts; until the first content the operator may want it sooner.
TimePoint Relay::Deadline() const {
  const TimePoint gap = SteadyClock::now() + FromSeconds(input_.gap_s);
  return sent_content_ ? gap : std::min(gap, input_.first_content_by);
}

net::Task<bool> Relay::Step() {
  const http::BodyPart part = co_await http_.ReadBody(Deadline());
  bool healthy = Digest(part);
  while (healthy && !progress_.done && http_.HasDecodedBody()) {
    // Everything that is here already goes out in one write.
    healthy = Digest(co_await http_.ReadBody(TimePoint::max()));
  }
  if (context_.exchange.client_gone()) {
    TakeUsage();
    report_.end = AttemptEnd::kAbandoned;
    co_return false;
  }
  // What came before the trouble goes out first, also when both arrived together.
  if (healthy || (!out_.empty() && (sent_content_ || progress_.has_content))) {
    if (!co_await Send()) {
      TakeUsage();
      report_.end = AttemptEnd::kAbandoned;
      co_return false;
    }
  }
  if (healthy) co_return !progress_.done;
  if (sent_content_) {
    co_await Break(std::move(*trouble_));
  } else {
    report_.end = AttemptEnd::kFailed;
    report_.error = std::move(*trouble_);
  }
  co_return false;
}

net::Task<AttemptReport> Relay::Run() {
  report_.end = AttemptEnd::kAnswered;
  if (context_.stream_started) CountActive(1);
  while (co_await Step()) {
  }
  if (report_.end == AttemptEnd::kAnswered) {
    TakeUsage();
    if (!co_await context_.exchange.EndStream()) report_.end = AttemptEnd::kAbandoned;
    context_.timing.finished = SteadyClock::now();
    const TimePoint deadline = context_.timing.finished + kTailWait;
    while (!http_.reusable()) {
      const http::BodyPart tail = co_await http_.ReadBody(deadline);
      if (tail.status != net::IoStatus::kOk || tail.data.empty()) break;
    }
  }
  if (context_.stream_started) CountActive(-1);
  co_return std::move(report_);
}

}  // namespace

net::Task<AttemptReport> RelayStream(RequestContext& context, routing::RequestRoute& route, const RelayInput& input) {
  Relay relay(context, route, input);
  co_return co_await relay.Run();
}

}  // namespace gw::gateway
