#include "net/tcp_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cerrno>
#include <climits>
#include <vector>

namespace gw::net {

namespace asio = boost::asio;
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

namespace {

IoStatus StatusOf(const boost::system::error_code& error) {
  if (!error) return IoStatus::kOk;
  if (error == asio::error::eof) return IoStatus::kEof;
  if (error == asio::error::operation_aborted) return IoStatus::kCancelled;
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
    return IoStatus::kReset;
  return IoStatus::kFailed;
}

class TcpStream final : public SocketStream {
 public:
  TcpStream(EventLoop& loop, int fd, std::string peer)
      : socket_(loop.io().get_executor()), peer_(std::move(peer)) {
    boost::system::error_code ignored;
    socket_.assign(asio::ip::tcp::v4(), fd, ignored);
    socket_.non_blocking(true, ignored);
  }

  bool StartRead(std::span<char> into, IoOp& op) override {
    if (cancelled_) {
      op.result = {0, IoStatus::kCancelled};
      return true;
    }
    socket_.async_read_some(asio::buffer(into.data(), into.size()),
                            [&op](const boost::system::error_code& error, size_t bytes) {
                              op.Complete({bytes, StatusOf(error)});
                            });
    return false;
  }

  void StartConnectWait(IoOp& op) override {
    socket_.async_wait(Socket::wait_write, [this, &op](const boost::system::error_code& error) {
      if (error) {
        op.Complete({0, StatusOf(error)});
        return;
      }
      int trouble = 0;
      socklen_t length = sizeof(trouble);
      getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &trouble, &length);
      op.Complete({0, trouble == 0 ? IoStatus::kOk : IoStatus::kReset});
    });
  }

  bool StartWrite(std::span<const std::string_view> pieces, IoOp& op) override {
    if (cancelled_) {
      op.result = {0, IoStatus::kCancelled};
      return true;
    }
    // Nearly every write fits the socket buffer: try at once, wait only for the rest.
    size_t skip = 0;
    const IoStatus status = SendSome(pieces, &skip);
    if (status != IoStatus::kOk || skip == kAllSent) {
      op.result = {0, status};
      return true;
    }
    pieces_.assign(pieces.begin(), pieces.end());
    sent_ = skip;
    write_op_ = &op;
    WaitWritable();
    return false;
  }

  void Cancel() override {
    if (cancelled_) return;
    cancelled_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  [[nodiscard]] const std::string& peer_address() const override { return peer_; }

 private:
  static constexpr size_t kAllSent = SIZE_MAX;
  static constexpr size_t kPiecesPerCall = 64;

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
      const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno == EINTR) continue;
        *skip = done;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return IoStatus::kOk;
        return (errno == EPIPE || errno == ECONNRESET) ? IoStatus::kReset : IoStatus::kFailed;
      }
      done += static_cast<size_t>(sent);
      if (static_cast<size_t>(sent) < offered) {
        *skip = done;
        return IoStatus::kOk;
      }
    }
  }

  void WaitWritable() {
    socket_.async_wait(Socket::wait_write, [this](const boost::system::error_code& error) {
      if (error) {
        write_op_->Complete({0, StatusOf(error)});
        return;
      }
      const IoStatus status = SendSome(pieces_, &sent_);
      if (status == IoStatus::kOk && sent_ != kAllSent) {
        WaitWritable();
        return;
      }
      write_op_->Complete({0, status});
    });
  }

  Socket socket_;
  std::string peer_;
  bool cancelled_ = false;
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
