#include "gateway/stream_relay.h"

#include <algorithm>

#include "base/limits.h"
#include "gateway/request_record.h"
#include "gateway/response_headers.h"

namespace gw::gateway {

namespace {

// After [DONE] the upstream owes only the end of its chunked body; waiting shortly for it keeps the
// connection usable.
constexpr std::chrono::milliseconds kTailWait{200};

}  // namespace

StreamRelay::StreamRelay(RequestContext& context, routing::RequestRoute& route, const RelayInput& input,
                         AttemptReport& report)
    : context_(context), route_(route), input_(input), http_(*input.http), report_(report) {
  if (context_.stream_started) CountActive();
}

StreamRelay::~StreamRelay() {
  if (is_counted_) context_.core.counts[context_.worker].active_streams.fetch_sub(1, std::memory_order_relaxed);
}

void StreamRelay::CountActive() {
  is_counted_ = true;
  context_.core.counts[context_.worker].active_streams.fetch_add(1, std::memory_order_relaxed);
}

void StreamRelay::TakeUsage() {
  report_.usage = input_.translator->usage();
  if (report_.usage.service_tier.empty()) report_.usage.service_tier = context_.service_tier;
  report_.has_usage = true;
}

Error StreamRelay::ReadError(net::IoStatus status) const {
  const config::Deployment& deployment = *input_.candidate->deployment;
  if (status == net::IoStatus::kTimeout) {
    const double taken = Seconds(SteadyClock::now() - input_.begin);
    const bool first = !sent_content_ && SteadyClock::now() >= input_.first_content_by;
    Error error = first ? translate::MapStreamTimeout(deployment, input_.first_content_s, taken)
                        : translate::MapStreamTimeout(deployment, input_.gap_s, input_.gap_s);
    error.client_set_timeout = input_.timeout_by_client;
    return error;
  }
  const char* why = http_.malformed();
  return translate::MapStreamBreak(deployment, why != nullptr ? why : "the upstream closed the connection");
}

// Feeds one part to the translator. False: trouble_ is set.
bool StreamRelay::Digest(const http::BodyPart& part) {
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

net::Task<bool> StreamRelay::Send() {
  if (!sent_content_ && !progress_.has_content && !progress_.done) co_return true;  // hold
  sent_content_ = true;
  if (context_.continuing) {
    context_.continuation->Rewrite(out_);
  } else if (context_.continuation) {
    context_.continuation->Note(out_);
  }
  if (context_.stream_started) {
    if (context_.listener != nullptr) [[unlikely]] context_.listener->OnStreamBytes(out_);
    NoteAnswer(context_, out_);
    const bool sent = co_await context_.exchange.WriteChunk(out_);
    out_.clear();
    co_return sent;
  }
  const TimePoint now = SteadyClock::now();
  context_.timing.first_chunk = now;
  context_.stream_started = true;
  CountActive();
  SuccessHeaders values;
  values.model_group = input_.candidate->model_group;
  values.attempted_retries = route_.attempted_retries();
  values.max_retries = route_.max_retries();
  values.attempted_fallbacks = route_.attempted_fallbacks();
  values.upstream = &http_.head().headers;
  values.total_s = Seconds(now - context_.timing.arrived);
  const Duration upstream = context_.timing.upstream + (now - input_.begin);
  values.overhead_s = Seconds(now - context_.timing.arrived - upstream - context_.timing.backoff);
  values.stream = true;
  std::string lines;
  AppendSuccessHeaders(context_, values, lines);
  if (context_.listener != nullptr) [[unlikely]] context_.listener->OnStreamBytes(out_);
  NoteAnswer(context_, out_);
  const bool sent = co_await context_.exchange.StartStream(200, lines, out_);
  out_.clear();
  co_return sent;
}

// Content has gone out: the client learns of the trouble inside its stream.
net::Task<void> StreamRelay::Break(Error error) {
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
  NoteAnswer(context_, out_);
  // g++ 12 miscompiles a co_await in both the condition and the unbraced branch of an if.
  const bool sent = co_await context_.exchange.WriteChunk(out_);
  if (sent) {
    (void)co_await context_.exchange.EndStream();
  }
}

// Between chunks the gap counts; until the first content the operator may want it sooner.
TimePoint StreamRelay::Deadline() const {
  const TimePoint gap = SteadyClock::now() + FromSeconds(input_.gap_s);
  return sent_content_ ? gap : std::min(gap, input_.first_content_by);
}

bool StreamRelay::Abandon() {
  TakeUsage();
  report_.end = AttemptEnd::kAbandoned;
  return false;
}

net::Task<bool> StreamRelay::Advance(Until until) {
  while (true) {
    if (!is_gathered_) {
      healthy_ = Digest(co_await http_.ReadBody(Deadline()));
      while (healthy_ && !progress_.done && http_.HasDecodedBody()) {
        // Everything that is here already goes out in one write.
        healthy_ = Digest(co_await http_.ReadBody(TimePoint::max()));
      }
      if (context_.exchange.client_gone()) co_return Abandon();
      if (until == Until::kContent && IsContentAtHand()) {
        is_gathered_ = true;
        co_return true;
      }
    }
    is_gathered_ = false;
    // What came before the trouble goes out first, also when both arrived together.
    if (healthy_ || (!out_.empty() && (sent_content_ || progress_.has_content))) {
      const bool sent = co_await Send();
      if (!sent) co_return Abandon();
    }
    if (!healthy_) break;
    if (progress_.done) co_return true;
  }
  if (sent_content_) {
    co_await Break(std::move(*trouble_));
  } else {
    report_.end = AttemptEnd::kFailed;
    report_.error = std::move(*trouble_);
  }
  co_return false;
}

net::Task<void> StreamRelay::Deliver() {
  const bool complete = co_await Advance(Until::kEnd);
  if (!complete) co_return;
  TakeUsage();
  const bool ended = co_await context_.exchange.EndStream();
  report_.end = ended ? AttemptEnd::kAnswered : AttemptEnd::kAbandoned;
  context_.timing.finished = SteadyClock::now();
  const TimePoint deadline = context_.timing.finished + kTailWait;
  while (!http_.reusable()) {
    const http::BodyPart tail = co_await http_.ReadBody(deadline);
    if (tail.status != net::IoStatus::kOk || tail.data.empty()) break;
  }
}

}  // namespace gw::gateway
