// Names to addresses without ever blocking a loop: c-ares on a thread of its own, answers cached
// for their TTL (bounded by limits). /etc/hosts, search domains and ndots of resolv.conf hold.
#pragma once

#include <netinet/in.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace gw::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

struct Resolution {
  std::vector<Address> addresses;  // port not set; empty when the name has none
  std::string error;
  TimePoint expires_at{};
};

// Shared by all loops; each loop has its own DnsCache in front.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  // Before the loops of those who asked are freed: no answer comes afterwards. Once; by the destructor
  // at the latest.
  void Stop();
  // Any thread. `done` runs on the resolver's thread.
  void Resolve(std::string host, std::function<void(Resolution)> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Per loop, not thread-safe.
class DnsCache {
 public:
  DnsCache(EventLoop& loop, Resolver& resolver) : loop_(loop), resolver_(resolver) {}

  // co_await a Lookup: literals and cached names do not suspend. `cancel` (may be null) and the
  // deadline end the wait at once; the answer that comes later is for the cache.
  class Lookup {
   public:
    Lookup(DnsCache& cache, const std::string& host, TimePoint deadline, CancelSlot* cancel)
        : cache_(cache), host_(host), when_(deadline), cancel_(cancel),
          deadline_(cache.loop_.timers(), &Lookup::OnDeadline, this) {}
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter);
    Resolution await_resume() { return std::move(result_); }
    // kOk: answered, with or without addresses; else kTimeout or kCancelled.
    [[nodiscard]] IoStatus status() const { return status_; }

   private:
    // What the frame shares with the resolver's answer. Only the loop's thread touches it.
    struct Wait {
      Lookup* lookup = nullptr;  // null: given up
    };
    static void OnDeadline(void* self) { static_cast<Lookup*>(self)->Settle(IoStatus::kTimeout, {}); }
    static void OnCancel(void* self) { static_cast<Lookup*>(self)->Settle(IoStatus::kCancelled, {}); }
    void Settle(IoStatus status, Resolution result);

    DnsCache& cache_;
    const std::string& host_;
    const TimePoint when_;
    CancelSlot* const cancel_;
    Deadline deadline_;
    std::coroutine_handle<> waiter_;
    std::shared_ptr<Wait> wait_;
    IoStatus status_ = IoStatus::kOk;
    Resolution result_;
  };

 private:
  EventLoop& loop_;
  Resolver& resolver_;
  std::unordered_map<std::string, Resolution> entries_;
};

// The address of an IP literal; length 0 when `host` is a name.
[[nodiscard]] Address ParseLiteral(const std::string& host);

}  // namespace gw::net
