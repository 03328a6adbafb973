#include "redis/node.h"

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <utility>

#include "base/limits.h"
#include "base/log.h"

namespace gw::redis {

namespace {

constexpr std::string_view kTimeoutError = "TimeoutError", kConnectionError = "ConnectionError";
constexpr std::chrono::milliseconds kPauseMin{50};
constexpr std::chrono::milliseconds kPauseMax{1000};
constexpr std::chrono::milliseconds kProbePause{20};

// co_await ReadSome(stream, into)
class ReadSome {
 public:
  ReadSome(net::Stream& stream, std::span<char> into) : stream_(stream), into_(into) {}
  bool await_ready() noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    op_.context = this;
    op_.on_done = [](void* self) { static_cast<ReadSome*>(self)->waiter_.resume(); };
    return !stream_.StartRead(into_, op_);
  }
  net::IoResult await_resume() const noexcept { return op_.result; }

 private:
  net::Stream& stream_;
  std::span<char> into_;
  std::coroutine_handle<> waiter_;
  net::IoOp op_;
};

// Errors that say: this server serves nobody now, or is no longer the one to ask.
bool MeansAway(std::string_view error) {
  for (const std::string_view prefix : {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH"}) {
    if (error.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

std::string Login::AuthCommand() const {
  if (password.empty()) return {};
  Command auth("AUTH");
  if (!username.empty()) auth.Add(username);
  return auth.Add(password).Encode();
}

struct Node::Settled {
  Waiter& waiter;
  bool await_ready() const noexcept { return waiter.done; }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { waiter.handle = handle; }
  void await_resume() const noexcept {}
};

struct Node::WriterEnd {
  Node& node;
  bool await_ready() const noexcept { return !node.writing_; }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { node.writer_waiter_ = handle; }
  void await_resume() const noexcept {}
};

Node::Node(net::EventLoop& loop, net::DnsCache& dns, std::shared_ptr<Locator> locator, Login login, Observer* observer,
           std::string name)
    : loop_(loop), dns_(dns), locator_(std::move(locator)), login_(std::move(login)), observer_(observer),
      name_(std::move(name)), timer_(loop, &Node::OnTimer, this) {}

void Node::Start() {
  if (closed_) return;
  started_ = true;
  if (observer_ != nullptr) observer_->OnServers(1, 0);
  net::Spawn(Run(shared_from_this()));
}

void Node::Close() {
  const std::shared_ptr<Node> self = shared_from_this();
  if (started_ && !closed_ && observer_ != nullptr) observer_->OnServers(healthy_ ? 0 : -1, healthy_ ? -1 : 0);
  closed_ = true;
  healthy_ = false;
  if (stream_) stream_->Cancel();
  dial_cancel_.Fire();
  wake_.Fire();
}

net::Task<Answer> Node::Ask(std::string command, int replies, Duration limit, bool patient) {
  Waiter waiter;
  const bool can_send = !closed_ && (healthy_ || (patient && stream_ != nullptr));
  if (!can_send) co_return std::move(waiter.answer);
  const TimePoint now = SteadyClock::now();
  Pending pending;
  pending.sent = now;
  pending.deadline = now + limit;
  if (pending_.size() + static_cast<size_t>(replies) > limits::kRedisPendingMax ||
      outbox_.size() + command.size() > limits::kRedisOutboxBytesMax) {
    co_return std::move(waiter.answer);
  }
  outbox_.reserve(outbox_.size() + command.size());  // throws before anything has changed, or not at all
  for (int i = 1; i < replies; ++i) Push("", pending);
  pending.waiter = &waiter;
  Push(command, pending);
  co_await Settled{waiter};
  co_return std::move(waiter.answer);
}

void Node::Push(std::string_view bytes, const Pending& pending) {
  pending_.push_back(pending);
  outbox_ += bytes;
  if (!timer_.armed() || pending.deadline < timer_.when()) timer_.Arm(pending.deadline);
  if (writing_ || outbox_.empty()) return;
  try {
    net::Spawn(Write(shared_from_this()));
  } catch (const std::bad_alloc&) {
    Break("no memory");  // ends the wait of everybody in the queue
  }
}

net::Task<void> Node::Write(std::shared_ptr<Node> self) {
  self->writing_ = true;
  // What gathers while a write is under way goes out with the next one.
  while (!self->outbox_.empty() && self->stream_ != nullptr) {
    std::string batch;
    batch.swap(self->outbox_);
    const std::string_view piece = batch;
    const net::IoResult result = co_await net::WriteAll(*self->stream_, std::span(&piece, 1));
    if (!result.ok()) {
      self->stream_->Cancel();  // the reader ends the connection
      break;
    }
  }
  self->writing_ = false;
  if (self->writer_waiter_) std::exchange(self->writer_waiter_, {}).resume();
}

void Node::Finish(Waiter* waiter, Answer answer) {
  waiter->answer = std::move(answer);
  waiter->done = true;
  if (waiter->handle) waiter->handle.resume();
}

net::Task<void> Node::Connect() {
  const auto target = co_await locator_->Locate(loop_, dns_, dial_cancel_);
  if (closed_) co_return;
  if (!target) {
    trouble_ = "nobody knows the master";
    co_return;
  }
  const TimePoint deadline = SteadyClock::now() + limits::kRedisConnectTimeout;
  net::DialResult dialled = co_await net::Dial(loop_, dns_, *target, deadline, &dial_cancel_);
  if (dialled.stream == nullptr) trouble_ = dialled.error;
  stream_ = std::move(dialled.stream);
}

void Node::SayHello() {
  const TimePoint now = SteadyClock::now();
  Pending login;
  login.kind = Pending::Kind::kLogin;
  login.sent = now;
  login.deadline = now + limits::kRedisProbeTimeout;
  if (const std::string auth = login_.AuthCommand(); !auth.empty()) Push(auth, login);
  if (login_.db != 0) Push(Command("SELECT").Add(login_.db).Encode(), login);
  Probe(now);
}

void Node::Probe(TimePoint now) {
  probe_at_ = {};
  if (probing_ || stream_ == nullptr) return;
  probing_ = true;
  Pending probe;
  probe.kind = Pending::Kind::kProbe;
  probe.sent = now;
  probe.deadline = now + limits::kRedisProbeTimeout;
  Push(Command("PING").Encode(), probe);
}

void Node::OnPong(const Pending& pending, const Reply& reply) {
  probing_ = false;
  if (!trouble_.empty()) return;  // the connection is about to end, and says why itself
  const TimePoint now = SteadyClock::now();
  const bool in_time = now - pending.sent <= limits::kRedisAnswerTimeout;
  if (!reply.IsError() && in_time) {
    SetHealthy(true, "", "");
    return;
  }
  const bool refuses = reply.IsError();
  SetHealthy(false, refuses ? reply.text : "answers take longer than a request may wait",
             refuses ? kConnectionError : kTimeoutError);
  probe_at_ = now + kProbePause;
  ArmTimer();
}

void Node::TakeReply(Reply reply) {
  if (pending_.empty()) return Break("an answer to no question");
  const Pending pending = pending_.front();
  pending_.pop_front();
  if (pending.kind == Pending::Kind::kProbe) return OnPong(pending, reply);
  if (pending.kind == Pending::Kind::kLogin) {
    // Its first word only: some servers repeat what they were sent.
    if (reply.IsError()) Break("the login is refused: " + reply.text.substr(0, reply.text.find(' ')));
    return;
  }
  Answer answer;
  answer.state = reply.IsError() ? Answer::State::kError : Answer::State::kOk;
  if (reply.IsError()) {
    // Another server has become the master: look for it.
    if (reply.text.starts_with("READONLY")) {
      was_refused_ = true;
      Break(reply.text);
    }
    if (MeansAway(reply.text) && healthy_) {
      SetHealthy(false, reply.text, kConnectionError);
      probe_at_ = SteadyClock::now() + refusal_pause_;
      refusal_pause_ = std::min<Duration>(refusal_pause_ * 2, kPauseMax);
      ArmTimer();
    }
  } else {
    refusal_pause_ = kProbePause;
  }
  answer.reply = std::move(reply);
  if (pending.waiter != nullptr) Finish(pending.waiter, std::move(answer));
}

net::Task<void> Node::ReadReplies() {
  const auto buffer = std::make_unique<std::array<char, limits::kReadBufferBytes>>();
  while (!closed_) {
    const net::IoResult result = co_await ReadSome(*stream_, *buffer);
    if (!result.ok()) {
      if (trouble_.empty()) trouble_ = "the connection ended";
      co_return;
    }
    decoder_.Feed(std::string_view(buffer->data(), result.bytes));
    Reply reply;
    auto outcome = ReplyDecoder::Outcome::kMore;
    while ((outcome = decoder_.Next(reply)) == ReplyDecoder::Outcome::kReply) TakeReply(std::move(reply));
    if (outcome == ReplyDecoder::Outcome::kBroken) {
      trouble_ = "not the Redis protocol";
      co_return;
    }
  }
}

void Node::Break(std::string_view why) {
  if (trouble_.empty()) trouble_ = why;
  if (stream_) stream_->Cancel();
}

void Node::SetHealthy(bool healthy, std::string_view why, std::string_view failure_class) {
  if (closed_) return;
  const bool changed = healthy != healthy_;
  healthy_ = healthy;
  if (changed && observer_ != nullptr) {
    observer_->OnBreaker(failure_class);
    observer_->OnServers(healthy ? -1 : 1, healthy ? 1 : -1);
  }
  if (healthy && was_told_) {
    was_told_ = false;
    log::Info("Redis is back", {{"server", name_}});
  } else if (!healthy && !was_told_) {
    was_told_ = true;
    log::Warn("Redis is away; what is local goes on", {{"server", name_}, {"why", std::string(why)}});
  }
}

void Node::Drop() {
  SetHealthy(false, trouble_, kConnectionError);
  stream_.reset();
  decoder_ = {};
  outbox_.clear();
  probing_ = false;
  probe_at_ = {};
  timer_.Disarm();
  // A waiter that goes on may call again: it finds an empty queue and no connection.
  std::deque<Pending> lost;
  lost.swap(pending_);
  for (const Pending& pending : lost) {
    if (pending.waiter == nullptr) continue;
    Answer answer;
    answer.state = Answer::State::kTimeout;
    Finish(pending.waiter, std::move(answer));
  }
}

net::Task<void> Node::Run(std::shared_ptr<Node> self) {
  Duration pause = kPauseMin;
  while (!self->closed_) {
    self->trouble_.clear();
    co_await self->Connect();
    if (self->stream_ != nullptr) {
      if (!self->closed_) {
        self->SayHello();
        co_await self->ReadReplies();
      }
      if (self->healthy_ && !std::exchange(self->was_refused_, false)) pause = kPauseMin;
      self->stream_->Cancel();
      co_await WriterEnd{*self};
    }
    self->Drop();
    if (self->closed_) break;
    (void)co_await net::Sleep(self->loop_, pause, &self->wake_);
    pause = std::min<Duration>(pause * 2, kPauseMax);
  }
}

void Node::OnTimer(void* self) {
  const std::shared_ptr<Node> node = static_cast<Node*>(self)->shared_from_this();
  node->CheckDeadlines();
}

void Node::CheckDeadlines() {
  const TimePoint now = SteadyClock::now();
  std::vector<Waiter*> late;
  for (Pending& pending : pending_) {
    if (pending.deadline > now) continue;
    if (pending.kind == Pending::Kind::kCall) {
      if (pending.waiter != nullptr) late.push_back(std::exchange(pending.waiter, nullptr));
      continue;
    }
    Break("no answer");
  }
  if (!late.empty()) SetHealthy(false, "no answer in time", kTimeoutError);
  const bool is_due = probe_at_ != TimePoint() && probe_at_ <= now;
  if (!late.empty() || is_due) Probe(now);
  ArmTimer();
  for (Waiter* waiter : late) {
    Answer answer;
    answer.state = Answer::State::kTimeout;
    Finish(waiter, std::move(answer));
  }
}

void Node::ArmTimer() {
  TimePoint next = TimePoint::max();
  if (probe_at_ != TimePoint()) next = probe_at_;
  for (const Pending& pending : pending_) {
    const bool counts = pending.kind != Pending::Kind::kCall || pending.waiter != nullptr;
    if (counts) next = std::min(next, pending.deadline);
  }
  if (next == TimePoint::max()) {
    timer_.Disarm();
  } else {
    timer_.Arm(next);
  }
}

}  // namespace gw::redis
