// One worker: a loop's view of the gateway. Owns the upstream pools, the DNS cache and the random
// numbers of its thread; shares Core with the others. Entry point of every request of the loop.
#pragma once

#include <memory>
#include <vector>

#include "gateway/core.h"
#include "http/server_connection.h"
#include "net/event_loop.h"
#include "upstream/pool.h"

namespace gw::gateway {

class Worker : public http::RequestHandler {
 public:
  Worker(Core& core, net::EventLoop& loop);
  ~Worker() override;

  [[nodiscard]] net::Task<void> Handle(http::ServerExchange& exchange) override;
  void DescribeBadRequest(int status, std::string_view why, std::string& header_lines, std::string& body) override;

  [[nodiscard]] Core& core() { return core_; }
  [[nodiscard]] net::EventLoop& loop() { return loop_; }
  [[nodiscard]] uint32_t index() const { return loop_.index(); }
  [[nodiscard]] routing::Random& random() { return random_; }
  [[nodiscard]] upstream::OriginPool& PoolOf(const config::Deployment& deployment) {
    return *by_deployment_[deployment.index];
  }
  void CloseIdleUpstreams();

 private:
  Core& core_;
  net::EventLoop& loop_;
  routing::Random random_;
  net::DnsCache dns_;
  std::vector<std::unique_ptr<upstream::OriginPool>> pools_;
  std::vector<upstream::OriginPool*> by_deployment_;
};

}  // namespace gw::gateway
