#include "upstream/pool.h"

#include <algorithm>

#include "base/limits.h"

namespace gw::upstream {

namespace {

// Owns the connection until its outstanding read has ended.
net::Task<void> CloseThenFree(std::unique_ptr<PooledConnection> connection) {
  co_await connection->http.Close();
}

void Discard(std::unique_ptr<PooledConnection> connection) {
  connection->http.Unpark();
  net::Spawn(CloseThenFree(std::move(connection)));
}

}  // namespace

void CloseConnection::operator()(PooledConnection* connection) const noexcept {
  // Without memory for the small frame that this needs (mostly a recycled one) the process ends.
  Discard(std::unique_ptr<PooledConnection>(connection));
}

OriginPool::~OriginPool() = default;

net::Task<Lease> OriginPool::Acquire(bool fresh, TimePoint deadline, net::CancelSlot* cancel) {
  Lease lease;
  const TimePoint now = SteadyClock::now();
  while (!fresh && !idle_.empty()) {
    std::unique_ptr<PooledConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    connection->http.Unpark();
    connection->idle_for = now - connection->idle_since;
    if (connection->http.alive() && connection->idle_for < limits::kUpstreamIdleTimeout) {
      connection->reused = true;
      lease.connection.reset(connection.release());
      co_return lease;
    }
    Discard(std::move(connection));
  }
  net::DialResult dialled = co_await net::Dial(loop_, dns_, target_, deadline, cancel);
  lease.status = dialled.status;
  lease.error = std::move(dialled.error);
  if (dialled.stream) {
    lease.connection.reset(std::make_unique<PooledConnection>(loop_, std::move(dialled.stream), *this).release());
  }
  co_return lease;
}

void OriginPool::Release(ConnectionPtr leased) {
  if (!leased->http.reusable()) return;  // dropped, thus closed
  std::unique_ptr<PooledConnection> connection(leased.release());
  const TimePoint now = SteadyClock::now();
  if (!idle_.empty() && (idle_.size() >= limits::kIdleUpstreamPerOriginMax ||
                         now - idle_.front()->idle_since > limits::kUpstreamIdleTimeout)) {
    std::unique_ptr<PooledConnection> oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
    Discard(std::move(oldest));
  }
  connection->idle_since = now;
  PooledConnection* raw = connection.get();
  idle_.push_back(std::move(connection));
  raw->http.Park(&OriginPool::OnDead, raw);
}

void OriginPool::OnDead(void* self) {
  auto* connection = static_cast<PooledConnection*>(self);
  auto& idle = connection->pool.idle_;
  const auto found = std::find_if(idle.begin(), idle.end(),
                                  [connection](const auto& entry) { return entry.get() == connection; });
  if (found == idle.end()) return;
  std::unique_ptr<PooledConnection> owner = std::move(*found);
  idle.erase(found);
  Discard(std::move(owner));
}

void OriginPool::CloseIdle() {
  while (!idle_.empty()) {
    std::unique_ptr<PooledConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    Discard(std::move(connection));
  }
}

}  // namespace gw::upstream
