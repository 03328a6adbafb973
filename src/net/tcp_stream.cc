#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

namespace gw::net {

namespace {

constexpr uint32_t kBothWays = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// A socket whose readiness is remembered: a read or write is only tried when it may succeed.
class TcpStream final : public SocketStream, private Watcher {
 public:
  TcpStream(EventLoop& loop, int fd, std::string peer)
      : Watcher(loop, fd, kBothWays), peer_(std::move(peer)) {}

  bool StartRead(std::span<char> into, IoOp& op) override {
    if (cancelled_) {
      op.result = {0, IoStatus::kCancelled};
      return true;
    }
    read_into_ = into;
    read_op_ = &op;
    // Not here and now: a busy peer must not keep the loop to itself.
    if (readable_) Requeue();
    return false;
  }

  bool StartWrite(std::span<const std::string_view> pieces, IoOp& op) override {
    if (cancelled_) {
      op.result = {0, IoStatus::kCancelled};
      return true;
    }
    // Nearly every write fits the socket buffer: try at once, wait only for the rest.
    size_t sent = 0;
    const IoStatus status = SendSome(pieces, &sent);
    if (status != IoStatus::kOk || sent == kAllSent) {
      op.result = {0, status};
      return true;
    }
    pieces_.assign(pieces.begin(), pieces.end());
    sent_ = sent;
    write_op_ = &op;
    return false;
  }

  void StartConnectWait(IoOp& op) override {
    connecting_ = true;
    write_op_ = &op;
  }

  void Cancel() override {
    if (cancelled_) return;
    cancelled_ = true;
    if (read_op_ != nullptr || write_op_ != nullptr) Requeue();
  }

  [[nodiscard]] const std::string& peer_address() const override { return peer_; }

 private:
  static constexpr size_t kAllSent = SIZE_MAX;
  static constexpr size_t kPiecesPerCall = 64;

  // At most one operation is completed per call: completing may destroy the stream.
  void OnReady(uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    const bool writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    writable_ = writable_ || writable;

    if (write_op_ != nullptr && (cancelled_ || writable_)) {
      if (ContinueWrite()) return;
    }
    if (read_op_ != nullptr && (cancelled_ || readable_)) TryRead();
  }

  // True when the write completed (and `this` may be gone).
  bool ContinueWrite() {
    IoStatus status = IoStatus::kCancelled;
    if (!cancelled_ && connecting_) {
      connecting_ = false;
      status = ConnectResult();
    } else if (!cancelled_) {
      status = SendSome(pieces_, &sent_);
      if (status == IoStatus::kOk && sent_ != kAllSent) return false;
    }
    // The reading side gets its turn in the next round.
    if (read_op_ != nullptr && (cancelled_ || readable_)) Requeue();
    std::exchange(write_op_, nullptr)->Complete({0, status});
    return true;
  }

  void TryRead() {
    if (cancelled_) {
      std::exchange(read_op_, nullptr)->Complete({0, IoStatus::kCancelled});
      return;
    }
    const ssize_t n = ::recv(fd(), read_into_.data(), read_into_.size(), 0);
    if (n > 0) {
      const auto bytes = static_cast<size_t>(n);
      // A short read emptied the socket; what comes later raises a new event. After a hang-up the
      // end still has to be read.
      if (bytes < read_into_.size() && !hung_up_) readable_ = false;
      std::exchange(read_op_, nullptr)->Complete({bytes, IoStatus::kOk});
      return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      readable_ = false;
      return;
    }
    if (n < 0 && errno == EINTR) {
      Requeue();
      return;
    }
    IoStatus status = IoStatus::kEof;
    if (n < 0) status = errno == ECONNRESET || errno == EPIPE ? IoStatus::kReset : IoStatus::kFailed;
    std::exchange(read_op_, nullptr)->Complete({0, status});
  }

  [[nodiscard]] IoStatus ConnectResult() const {
    int trouble = 0;
    socklen_t length = sizeof(trouble);
    getsockopt(fd(), SOL_SOCKET, SO_ERROR, &trouble, &length);
    return trouble == 0 ? IoStatus::kOk : IoStatus::kReset;
  }

  // Sends from byte *skip on; *skip becomes the bytes sent so far, or kAllSent.
  IoStatus SendSome(std::span<const std::string_view> pieces, size_t* skip) {
    size_t done = *skip;
    while (true) {
      iovec vectors[kPiecesPerCall];
      size_t count = 0, offered = 0, before = 0;
      for (const std::string_view piece : pieces) {
        const size_t end = before + piece.size();
        if (end > done && count < kPiecesPerCall) {
          const size_t from = done > before ? done - before : 0;
          vectors[count++] = {const_cast<char*>(piece.data()) + from, piece.size() - from};
          offered += piece.size() - from;
        }
        before = end;
      }
      if (count == 0) {
        *skip = kAllSent;
        return IoStatus::kOk;
      }
      msghdr message{};
      message.msg_iov = vectors;
      message.msg_iovlen = count;
      const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno == EINTR) continue;
        *skip = done;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
          writable_ = false;
          return IoStatus::kOk;
        }
        return (errno == EPIPE || errno == ECONNRESET) ? IoStatus::kReset : IoStatus::kFailed;
      }
      done += static_cast<size_t>(sent);
      if (static_cast<size_t>(sent) < offered) {
        writable_ = false;  // an event will say when there is room again
        *skip = done;
        return IoStatus::kOk;
      }
    }
  }

  std::string peer_;
  bool readable_ = false;
  bool writable_ = false;
  bool hung_up_ = false;
  bool connecting_ = false;
  bool cancelled_ = false;
  std::span<char> read_into_;
  IoOp* read_op_ = nullptr;
  std::vector<std::string_view> pieces_;  // of the outstanding write
  size_t sent_ = 0;
  IoOp* write_op_ = nullptr;
};

}  // namespace

std::unique_ptr<SocketStream> WrapSocket(EventLoop& loop, int fd, std::string peer_address) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return std::make_unique<TcpStream>(loop, fd, std::move(peer_address));
}

}  // namespace gw::net
