#include "net/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/tcp_stream.h"

namespace gw::net {

struct Listener::Impl {
  Impl(EventLoop& l, int fd, OnAccept callback) : loop(l), on_accept(std::move(callback)), listening_fd(fd) {}
  ~Impl() {
    if (listening_fd >= 0) close(listening_fd);
  }

  // Level-triggered: what a bounded batch leaves in the backlog raises the next event.
  class Door final : public Watcher {
   public:
    Door(EventLoop& loop, int fd, Impl& owner) : Watcher(loop, fd, EPOLLIN), owner_(owner) {}
    void OnReady(uint32_t) override { owner_.AcceptAll(fd()); }

   private:
    Impl& owner_;
  };

  EventLoop& loop;
  OnAccept on_accept;
  int listening_fd;  // until Start
  std::unique_ptr<Door> door;
  uint16_t port = 0;

  void AcceptAll(int fd);
};

namespace {

std::string Describe(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof(text));
    } else {
      inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    }
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr, text, sizeof(text));
  }
  return text;
}

Error BindError(const std::string& host, uint16_t port, const char* why) {
  Error error;
  error.message = "cannot listen on " + host + ":" + std::to_string(port) + ": " + why;
  return error;
}

}  // namespace

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::Open(EventLoop& loop, const std::string& host,
                                                 uint16_t port, OnAccept on_accept) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int rc = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (rc != 0) return BindError(host, port, gai_strerror(rc));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);

  const int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return BindError(host, port, std::strerror(errno));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, 4096) != 0) {
    const char* why = std::strerror(errno);
    close(fd);
    return BindError(host, port, why);
  }
  auto impl = std::make_unique<Impl>(loop, fd, std::move(on_accept));
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  impl->port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                                 : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

uint16_t Listener::port() const { return impl_->port; }

void Listener::Start() {
  impl_->door = std::make_unique<Impl::Door>(impl_->loop, std::exchange(impl_->listening_fd, -1), *impl_);
}

void Listener::Close() {
  if (!impl_->door) return;
  // The kernel has shaken hands for what waits in the backlog; closing would reset it.
  impl_->AcceptAll(impl_->door->fd());
  impl_->door.reset();
}

void Listener::Impl::AcceptAll(int door_fd) {
  // A bounded batch, so that a connection storm cannot starve the requests in progress.
  constexpr int kBatch = 64;
  for (int i = 0; i < kBatch; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof(peer);
    const int fd = accept4(door_fd, reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;  // EAGAIN, or out of descriptors: the backlog holds the rest
    }
    on_accept(WrapSocket(loop, fd, Describe(peer)));
  }
}

}  // namespace gw::net
