#include "net/dial.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/tcp_stream.h"

namespace gw::net {

namespace {

// Waits for an operation of `stream` that `start` begins; deadline and cancel end it early.
template <typename Start>
class TimedOp {
 public:
  TimedOp(EventLoop& loop, Stream& stream, TimePoint deadline, CancelSlot* cancel, Start start)
      : stream_(stream), deadline_(deadline), cancel_(cancel), start_(start),
        timer_(loop.timers(), &TimedOp::OnDeadline, this) {}
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    op_.context = this;
    op_.on_done = &TimedOp::OnDone;
    timer_.Arm(deadline_);
    if (cancel_ != nullptr) cancel_->Set(&TimedOp::OnCancel, this);
    start_(op_);
  }
  IoStatus await_resume() const { return timed_out_ ? IoStatus::kTimeout : op_.result.status; }

 private:
  static void OnDone(void* self) {
    auto* op = static_cast<TimedOp*>(self);
    op->timer_.Disarm();
    if (op->cancel_ != nullptr) op->cancel_->Clear();
    op->waiter_.resume();
  }
  static void OnDeadline(void* self) {
    static_cast<TimedOp*>(self)->timed_out_ = true;
    static_cast<TimedOp*>(self)->stream_.Cancel();
  }
  static void OnCancel(void* self) { static_cast<TimedOp*>(self)->stream_.Cancel(); }

  Stream& stream_;
  TimePoint deadline_;
  CancelSlot* cancel_;
  Start start_;
  Deadline timer_;
  std::coroutine_handle<> waiter_;
  IoOp op_;
  bool timed_out_ = false;
};

void SetPort(Address& address, uint16_t port) {
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  }
}

Task<DialResult> Connect(EventLoop& loop, const DialTarget& target, Address address,
                         TimePoint deadline, CancelSlot* cancel) {
  DialResult result;
  SetPort(address, target.port);
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    result.status = IoStatus::kFailed;
    result.error = std::strerror(errno);
    co_return result;
  }
  const int rc = connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  if (rc != 0 && errno != EINPROGRESS) {
    result.status = IoStatus::kReset;
    result.error = std::strerror(errno);
    close(fd);
    co_return result;
  }
  auto stream = WrapSocket(loop, fd, target.host);
  if (rc != 0) {
    SocketStream* raw = stream.get();
    auto start = [raw](IoOp& op) { raw->StartConnectWait(op); };
    result.status = co_await TimedOp<decltype(start)>(loop, *raw, deadline, cancel, start);
    if (result.status != IoStatus::kOk) {
      result.error = result.status == IoStatus::kTimeout ? "connect timed out" : "connection refused";
      co_return result;
    }
  }
  result.stream = std::move(stream);
  co_return result;
}

}  // namespace

Task<DialResult> Dial(EventLoop& loop, DnsCache& dns, const DialTarget& target, TimePoint deadline,
                      CancelSlot* cancel) {
  DialResult result;
  DnsCache::Lookup lookup(dns, target.host, deadline, cancel);
  const Resolution resolution = co_await lookup;
  if (lookup.status() != IoStatus::kOk) {
    result.status = lookup.status();
    result.error = "resolving " + target.host + (result.status == IoStatus::kTimeout ? " timed out" : " was given up");
    co_return result;
  }
  if (resolution.addresses.empty()) {
    result.status = IoStatus::kFailed;
    result.error = "cannot resolve " + target.host + ": " + resolution.error;
    co_return result;
  }
  for (const Address& address : resolution.addresses) {
    result = co_await Connect(loop, target, address, deadline, cancel);
    if (result.stream || result.status == IoStatus::kCancelled || result.status == IoStatus::kTimeout)
      break;
  }
  if (!result.stream || !target.tls) co_return result;

  auto tls = WrapTls(std::move(result.stream), target.tls, target.host);
  TlsStream* raw = tls.get();
  auto start = [raw](IoOp& op) { raw->StartHandshake(op); };
  result.status = co_await TimedOp<decltype(start)>(loop, *raw, deadline, cancel, start);
  if (result.status == IoStatus::kOk) {
    result.stream = std::move(tls);
  } else {
    result.error = "TLS handshake failed";
    if (!tls->HandshakeError().empty()) result.error += ": " + tls->HandshakeError();
  }
  co_return result;
}

Task<IoStatus> ServerHandshake(EventLoop& loop, TlsStream& stream, Duration limit) {
  TlsStream* raw = &stream;
  auto start = [raw](IoOp& op) { raw->StartHandshake(op); };
  co_return co_await TimedOp<decltype(start)>(loop, *raw, SteadyClock::now() + limit, nullptr, start);
}

}  // namespace gw::net
