// Keep-alive connections to each upstream origin, per loop: no lock, last used first.
//
// A parked connection is watched; when the upstream closes it, it leaves the pool at once, so a
// request is never sent into a connection that is known to be dead.
// Thread rule: the loop's thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/client_connection.h"
#include "net/dial.h"
#include "net/event_loop.h"
#include "net/resolver.h"

namespace gw::upstream {

class OriginPool;

struct PooledConnection {
  PooledConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream, OriginPool& owner)
      : http(loop, std::move(stream)), pool(owner) {}
  http::ClientConnection http;
  OriginPool& pool;
  TimePoint idle_since{};
  bool reused = false;
  Duration idle_for{};  // how long it was parked before this use
};

// A leased connection that is dropped is closed, never parked: whoever unwinds for whatever reason
// leaves nothing behind.
struct CloseConnection {
  void operator()(PooledConnection* connection) const noexcept;
};
using ConnectionPtr = std::unique_ptr<PooledConnection, CloseConnection>;

struct Lease {
  ConnectionPtr connection;  // null on failure
  net::IoStatus status = net::IoStatus::kOk;
  std::string error;
};

class OriginPool {
 public:
  OriginPool(net::EventLoop& loop, net::DnsCache& dns, net::DialTarget target)
      : loop_(loop), dns_(dns), target_(std::move(target)) {}
  ~OriginPool();
  OriginPool(const OriginPool&) = delete;
  OriginPool& operator=(const OriginPool&) = delete;

  // A parked connection, or a new one (`fresh` skips the parked ones).
  [[nodiscard]] net::Task<Lease> Acquire(bool fresh, TimePoint deadline, net::CancelSlot* cancel);
  // Parks it when it can be used again, else closes it.
  void Release(ConnectionPtr connection);
  // Closes all parked connections (drain).
  void CloseIdle();
  [[nodiscard]] size_t idle() const { return idle_.size(); }
  [[nodiscard]] const net::DialTarget& target() const { return target_; }

 private:
  static void OnDead(void* connection);

  net::EventLoop& loop_;
  net::DnsCache& dns_;
  net::DialTarget target_;
  std::vector<std::unique_ptr<PooledConnection>> idle_;  // oldest first
};

}  // namespace gw::upstream
