// One worker: a loop's view of the gateway. Owns the upstream pools, the DNS cache and the random
// numbers of its thread; shares Core with the others. Entry point of every request of the loop.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/core.h"
#include "http/server_connection.h"
#include "net/event_loop.h"
#include "redis/client.h"
#include "upstream/pool.h"

namespace gw::gateway {

// A Core as one loop sees it. Requests hold it from their first byte to their accounting, so that a
// reload changes nothing under them; the last one gone closes the pools that nobody needs any more.
struct View {
  std::shared_ptr<Core> core;
  std::vector<std::shared_ptr<upstream::OriginPool>> pools;  // as core->origins
  std::shared_ptr<redis::Client> cache_redis, shared_redis;  // null: none; may be one and the same

  [[nodiscard]] upstream::OriginPool& PoolOf(const config::Deployment& deployment) const {
    return *pools[core->origin_of[deployment.index]];
  }
};
using ViewPtr = std::shared_ptr<const View>;

class LeaseBook;

class Worker : public http::RequestHandler {
 public:
  Worker(std::shared_ptr<Core> core, net::EventLoop& loop);
  ~Worker() override;

  [[nodiscard]] net::Task<void> Handle(http::ServerExchange& exchange) override;
  void DescribeBadRequest(int status, std::string_view why, std::string& header_lines, std::string& body) override;

  // From now on requests of this loop begin under `core`. Loop's thread.
  void Adopt(std::shared_ptr<Core> core);

  // The view in force now. Whoever suspends keeps the pointer.
  [[nodiscard]] const ViewPtr& view() const { return view_; }
  [[nodiscard]] net::EventLoop& loop() { return loop_; }
  [[nodiscard]] uint32_t index() const { return loop_.index(); }
  [[nodiscard]] routing::Random& random() { return random_; }
  // Fires when a new configuration is adopted: background work looks at it at once.
  [[nodiscard]] net::CancelSlot& on_adopt() { return on_adopt_; }
  // Likewise for the scrapes of engines (a slot has one listener).
  [[nodiscard]] net::CancelSlot& on_scrape_stop() { return on_scrape_stop_; }
  // Likewise, for what replicas share.
  [[nodiscard]] net::CancelSlot& on_change() { return on_change_; }
  [[nodiscard]] net::DnsCache& dns() { return dns_; }
  [[nodiscard]] LeaseBook& leases() { return *leases_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  // At the end of the process: connections close, background work ends.
  void Stop();

 private:
  [[nodiscard]] std::shared_ptr<redis::Client> RedisFor(const redis::OptionsPtr& options, const View& next);

  net::EventLoop& loop_;
  routing::Random random_;
  net::DnsCache dns_;
  std::unique_ptr<redis::Observer> redis_observer_;
  ViewPtr view_;
  net::CancelSlot on_adopt_, on_change_, on_scrape_stop_;
  std::unique_ptr<LeaseBook> leases_;
  bool stopping_ = false;
};

}  // namespace gw::gateway
