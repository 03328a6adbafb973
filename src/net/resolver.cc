#include "net/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/limits.h"

namespace gw::net {

struct Resolver::Impl {
  struct Query {
    std::string host;
    std::function<void(Resolution)> done;
  };

  ares_channel channel = nullptr;
  int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::mutex mutex;                // guards queue; never held during I/O
  std::vector<Query> queue;
  std::atomic<bool> stopping{false};
  std::thread thread;

  void Run();
  void StartQueued();
  static void OnAnswer(void* arg, int status, int timeouts, ares_addrinfo* info);
};

Resolver::Resolver() : impl_(std::make_unique<Impl>()) {
  ares_library_init(ARES_LIB_INIT_ALL);
  ares_options options{};
  options.timeout = 2000;
  options.tries = 2;
  ares_init_options(&impl_->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  impl_->thread = std::thread([this] { impl_->Run(); });
}

Resolver::~Resolver() {
  Stop();
  close(impl_->wake_fd);
}

void Resolver::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stopping = true;
  const uint64_t one = 1;
  (void)!write(impl_->wake_fd, &one, sizeof(one));
  impl_->thread.join();
  ares_destroy(impl_->channel);  // tells every query that is under way of its end
}

void Resolver::Resolve(std::string host, std::function<void(Resolution)> done) {
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->queue.push_back({std::move(host), std::move(done)});
  }
  const uint64_t one = 1;
  (void)!write(impl_->wake_fd, &one, sizeof(one));
}

void Resolver::Impl::OnAnswer(void* arg, int status, int, ares_addrinfo* info) {
  const std::unique_ptr<Query> query(static_cast<Query*>(arg));
  Resolution resolution;
  int ttl = 60;
  if (status == ARES_SUCCESS && info != nullptr) {
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
      Address address;
      address.length = node->ai_addrlen;
      std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
      resolution.addresses.push_back(address);
      if (node->ai_ttl > 0) ttl = std::min(ttl, node->ai_ttl);
    }
  } else {
    resolution.error = ares_strerror(status);
    ttl = 1;
  }
  const std::chrono::seconds bounded = std::clamp<std::chrono::seconds>(
      std::chrono::seconds(ttl), limits::kDnsTtlMin, limits::kDnsTtlMax);
  resolution.expires_at = SteadyClock::now() + bounded;
  if (info != nullptr) ares_freeaddrinfo(info);
  query->done(std::move(resolution));
}

void Resolver::Impl::StartQueued() {
  std::vector<Query> batch;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    batch.swap(queue);
  }
  for (Query& query : batch) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto* heap = new Query(std::move(query));  // owned by OnAnswer, which c-ares always calls
    ares_getaddrinfo(channel, heap->host.c_str(), nullptr, &hints, &Impl::OnAnswer, heap);
  }
}

void Resolver::Impl::Run() {
  while (!stopping) {
    StartQueued();
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int mask = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    std::vector<pollfd> fds{{wake_fd, POLLIN, 0}};
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      short events = 0;
      if (ARES_GETSOCK_READABLE(mask, i)) events = static_cast<short>(events | POLLIN);
      if (ARES_GETSOCK_WRITABLE(mask, i)) events = static_cast<short>(events | POLLOUT);
      if (events != 0) fds.push_back({sockets[i], events, 0});
    }
    timeval most{60, 0}, next{};
    const timeval* wait = ares_timeout(channel, &most, &next);
    poll(fds.data(), fds.size(), static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
    uint64_t drained = 0;
    (void)!read(wake_fd, &drained, sizeof(drained));
    bool any = false;
    for (size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      any = true;
      ares_process_fd(channel, (fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? fds[i].fd : ARES_SOCKET_BAD,
                      (fds[i].revents & POLLOUT) != 0 ? fds[i].fd : ARES_SOCKET_BAD);
    }
    if (!any) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
}

Address ParseLiteral(const std::string& host) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    address.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    address.length = sizeof(sockaddr_in6);
  }
  return address;
}

bool DnsCache::Lookup::await_ready() {
  const Address literal = ParseLiteral(host_);
  if (literal.length != 0) {
    result_.addresses.push_back(literal);
    return true;
  }
  const auto entry = cache_.entries_.find(host_);
  if (entry == cache_.entries_.end() || entry->second.expires_at < SteadyClock::now()) return false;
  result_ = entry->second;
  return true;
}

void DnsCache::Lookup::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  wait_ = std::make_shared<Wait>();
  wait_->lookup = this;
  // The loop outlives the resolver's answers: Server stops the resolver before it frees the loops.
  cache_.resolver_.Resolve(host_, [cache = &cache_, host = host_, wait = wait_](Resolution resolution) {
    cache->loop_.Post([cache, host, wait, resolution = std::move(resolution)]() mutable {
      if (resolution.error.empty()) cache->entries_[host] = resolution;
      if (wait->lookup != nullptr) wait->lookup->Settle(IoStatus::kOk, std::move(resolution));
    });
  });
  if (when_ != TimePoint::max()) deadline_.Arm(when_);
  if (cancel_ != nullptr) cancel_->Set(&Lookup::OnCancel, this);
}

void DnsCache::Lookup::Settle(IoStatus status, Resolution result) {
  wait_->lookup = nullptr;
  status_ = status;
  result_ = std::move(result);
  deadline_.Disarm();
  if (cancel_ != nullptr) cancel_->Clear();
  waiter_.resume();
}

}  // namespace gw::net
