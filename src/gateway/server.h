// The running gateway: one thread, loop, listener and worker per core; start, drain, stop.
#pragma once

#include <memory>

#include "base/result.h"
#include "config/loader.h"
#include "gateway/reload.h"

namespace gw::gateway {

class Server {
 public:
  // Binds all sockets; nothing is served before Run.
  // `load` reads the configuration again for a reload.
  [[nodiscard]] static Result<std::unique_ptr<Server>> Create(const config::Loaded& loaded, LoadFunction load);
  ~Server();

  // Serves until SIGTERM or SIGINT, then drains: no new connections, running requests and streams
  // finish (bounded by GRACEFUL_SHUTDOWN_TIMEOUT, default 30 s). A second signal ends at once.
  // SIGTERM, SIGINT and SIGHUP must be blocked in all threads (main does it).
  int Run();
  [[nodiscard]] uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Cores this process may use: affinity and the cgroup's CPU quota.
[[nodiscard]] uint32_t UsableCores();

}  // namespace gw::gateway
