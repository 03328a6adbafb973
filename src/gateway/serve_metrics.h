// GET /metrics and /metrics/: the exposition, rendered off the loop.
#pragma once

#include <string_view>

#include "gateway/worker.h"
#include "http/server_connection.h"

namespace gw::gateway {

[[nodiscard]] net::Task<void> ServeMetrics(Worker& worker, http::ServerExchange& exchange);

// Keeps series from expiring under a worker, and lets idle ones go; one per loop, nothing without the
// settings. Ends when `stop` fires.
[[nodiscard]] net::Task<void> RunMetricsUpkeep(Worker& worker, double interval_s, net::CancelSlot& stop);

// The second listener (--prometheus_metrics_port): /metrics without a key and /health, nothing else.
class MetricsPort : public http::RequestHandler {
 public:
  explicit MetricsPort(Worker& worker) : worker_(worker) {}
  [[nodiscard]] net::Task<void> Handle(http::ServerExchange& exchange) override;
  void DescribeBadRequest(int status, std::string_view why, std::string& header_lines, std::string& body) override {
    worker_.DescribeBadRequest(status, why, header_lines, body);
  }

 private:
  Worker& worker_;
};

}  // namespace gw::gateway
