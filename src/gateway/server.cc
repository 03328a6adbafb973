#include "gateway/server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "gateway/core.h"
#include "gateway/engine_scraper.h"
#include "gateway/health_probe.h"
#include "gateway/reload.h"
#include "gateway/serve_metrics.h"
#include "gateway/shared_state.h"
#include "gateway/worker.h"
#include "http/server_connection.h"
#include "net/listener.h"
#include "net/tls_stream.h"

namespace gw::gateway {

namespace {

// SO_REUSEPORT would let a second gateway share the port unnoticed: look first without it.
Result<void> CheckPortIsFree(const std::string& host, uint16_t port) {
  if (port == 0) return {};
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  const int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool taken = bind(fd, list->ai_addr, list->ai_addrlen) != 0;
  const int why = errno;
  close(fd);
  if (!taken) return {};
  Error error;
  error.message = "cannot listen on " + host + ":" + std::to_string(port) + ": " + std::strerror(why);
  return error;
}

std::chrono::seconds DrainTimeout() {
  const char* text = std::getenv("GRACEFUL_SHUTDOWN_TIMEOUT");
  const auto value = ParseInt(text != nullptr ? text : "");
  return value && *value >= 0 ? std::chrono::seconds(*value) : limits::kDrainTimeoutDefault;
}

enum class Drained : uint8_t { kAll, kTimeout, kHurried };  // hurried: a second signal

// One loop with everything that runs on it.
struct Lane {
  explicit Lane(uint32_t index) : loop(index) {}
  net::EventLoop loop;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<MetricsPort> metrics_port;
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<net::Listener> metrics_listener;
  http::ConnectionSet connections;
  std::atomic<size_t> open_snapshot{0};
  net::CancelSlot stop_upkeep;
  std::thread thread;
};

// The downstream side of TLS (--ssl_certfile_path): handshake first, then HTTP.
net::Task<void> ServeTls(net::EventLoop& loop, std::unique_ptr<net::Stream> raw,
                         std::shared_ptr<net::TlsContext> context, http::RequestHandler& handler,
                         http::ConnectionSet& set) {
  auto tls = net::WrapTls(std::move(raw), std::move(context), "");
  const net::IoStatus status = co_await net::ServerHandshake(loop, *tls, limits::kHeadReadTimeout);
  if (status != net::IoStatus::kOk) co_return;
  co_await http::ServeConnection(loop, std::move(tls), handler, set);
}

}  // namespace

struct Server::Impl {
  Impl(const config::Loaded& loaded, uint32_t workers) : snapshot(loaded.snapshot), runtime(*snapshot, workers) {
    runtime.SetCurrent(std::make_shared<Core>(snapshot, runtime, nullptr));
  }

  config::SnapshotPtr snapshot;  // of the start: what is read once
  Runtime runtime;
  std::shared_ptr<net::TlsContext> tls;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<Reloader> reloader;

  void Adopt(std::shared_ptr<Core> core);
  int WaitForSignal();
  Result<void> Open(uint32_t workers);
  Result<void> OpenListener(Lane& lane, std::unique_ptr<net::Listener>& listener, uint16_t port,
                            http::RequestHandler& handler);
  void StartThreads();
  void BeginDrain();
  Drained WaitForDrain();
  void StopThreads();
};

Result<void> Server::Impl::OpenListener(Lane& lane, std::unique_ptr<net::Listener>& listener, uint16_t port,
                                        http::RequestHandler& handler) {
  Lane* raw = &lane;
  auto accept = [this, raw, &handler](std::unique_ptr<net::Stream> stream) {
    if (tls) {
      net::Spawn(ServeTls(raw->loop, std::move(stream), tls, handler, raw->connections));
    } else {
      net::Spawn(http::ServeConnection(raw->loop, std::move(stream), handler, raw->connections));
    }
  };
  auto opened = net::Listener::Open(lane.loop, snapshot->server.host, port, std::move(accept));
  if (!opened.ok()) return std::move(opened.error());
  listener = std::move(opened.value());
  return {};
}

Result<void> Server::Impl::Open(uint32_t workers) {
  const config::ServerOptions& options = snapshot->server;
  if (!options.tls_cert_file.empty()) {
    auto context = net::TlsContext::Server(options.tls_cert_file, options.tls_key_file);
    if (!context.ok()) return std::move(context.error());
    tls = context.value();
  }
  if (auto free = CheckPortIsFree(options.host, options.port); !free.ok()) return free;
  uint16_t port = options.port;
  for (uint32_t i = 0; i < workers; ++i) {
    auto lane = std::make_unique<Lane>(i);
    lane->worker = std::make_unique<Worker>(runtime.current(), lane->loop);
    if (options.keepalive_timeout_s > 0) lane->connections.keep_alive = FromSeconds(options.keepalive_timeout_s);
    if (auto opened = OpenListener(*lane, lane->listener, port, *lane->worker); !opened.ok()) return opened;
    port = lane->listener->port();
    lanes.push_back(std::move(lane));
  }
  if (snapshot->metrics.separate_port) {
    const uint16_t separate = *snapshot->metrics.separate_port;
    if (auto free = CheckPortIsFree(options.host, separate); !free.ok()) return free;
    Lane& first = *lanes.front();
    first.metrics_port = std::make_unique<MetricsPort>(*first.worker);
    return OpenListener(first, first.metrics_listener, separate, *first.metrics_port);
  }
  return {};
}

void Server::Impl::StartThreads() {
  for (auto& lane : lanes) {
    Lane* raw = lane.get();
    raw->thread = std::thread([this, raw] {
      raw->listener->Start();
      if (raw->metrics_listener) raw->metrics_listener->Start();
      if (raw->loop.index() == 0) net::Spawn(RunBackgroundHealthChecks(*raw->worker));
      if (raw->loop.index() == 0) net::Spawn(RunEngineScrapes(*raw->worker));
      net::Spawn(RunMetricsUpkeep(*raw->worker, snapshot->metrics.cleanup_interval_s, raw->stop_upkeep));
      net::Spawn(RunSharedState(*raw->worker));
      raw->loop.Run();
    });
  }
}

void Server::Impl::Adopt(std::shared_ptr<Core> core) {
  for (auto& lane : lanes) {
    Lane* raw = lane.get();
    raw->loop.Post([raw, core] { raw->worker->Adopt(core); });
  }
}

// Until SIGTERM or SIGINT; reloads on SIGHUP and when a file of the configuration changed. Files are
// looked at, not watched: that sees a swapped symlink, an edited file and a network file system alike.
int Server::Impl::WaitForSignal() {
  net::RunBehindLoops();  // every loop runs by now
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  while (true) {
    const bool look = runtime.current()->snapshot->general.reload_on_file_change;
    const auto seconds = std::chrono::seconds(limits::kFileLookInterval);
    const timespec pause{seconds.count(), 0};
    const int signal = sigtimedwait(&signals, nullptr, &pause);
    reloader->FreeRetired();
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal == SIGHUP) (void)reloader->Reload("SIGHUP");
    else if (look && reloader->FilesChanged()) (void)reloader->Reload("changed file");
  }
}

void Server::Impl::BeginDrain() {
  runtime.draining = true;
  for (auto& lane : lanes) {
    Lane* raw = lane.get();
    raw->loop.Post([raw] {
      raw->listener->Close();
      if (raw->metrics_listener) raw->metrics_listener->Close();
      raw->connections.draining = true;
      http::CloseIdle(raw->connections);
    });
  }
}

Drained Server::Impl::WaitForDrain() {
  const TimePoint deadline = SteadyClock::now() + DrainTimeout();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  while (SteadyClock::now() < deadline) {
    for (auto& lane : lanes) {
      Lane* raw = lane.get();
      raw->loop.Post([raw] { raw->open_snapshot = raw->connections.open; });
    }
    const timespec pause{0, 20'000'000};
    if (sigtimedwait(&signals, nullptr, &pause) > 0) return Drained::kHurried;
    size_t open = 0;
    for (auto& lane : lanes) open += lane->open_snapshot;
    if (open == 0) return Drained::kAll;
  }
  return Drained::kTimeout;
}

void Server::Impl::StopThreads() {
  for (auto& lane : lanes) {
    Lane* raw = lane.get();
    raw->loop.Post([raw] {
      raw->stop_upkeep.Fire();
      raw->worker->Stop();  // background work sees the drain and ends
      net::StopSoon(raw->loop);
    });
  }
  for (auto& lane : lanes) lane->thread.join();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Create(const config::Loaded& loaded, LoadFunction load) {
  const int wanted = loaded.snapshot->server.num_workers;
  const uint32_t workers = wanted > 0 ? static_cast<uint32_t>(wanted) : UsableCores();
  auto impl = std::make_unique<Impl>(loaded, workers);
  if (auto opened = impl->Open(workers); !opened.ok()) return std::move(opened.error());
  Impl* raw = impl.get();
  impl->reloader = std::make_unique<Reloader>(impl->runtime, std::move(load), loaded.files,
                                              [raw](std::shared_ptr<Core> core) { raw->Adopt(std::move(core)); });
  impl->runtime.reload = [raw] { return raw->reloader->Reload("request"); };
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->lanes.front()->listener->port(); }

int Server::Run() {
  impl_->runtime.telemetry->Configure(impl_->snapshot);  // first: no request goes unrecorded
  impl_->StartThreads();
  log::Info("serving", {{"host", impl_->snapshot->server.host},
                        {"port", std::to_string(port())},
                        {"workers", std::to_string(impl_->lanes.size())},
                        {"deployments", std::to_string(impl_->snapshot->deployments.size())}});
  const int signal = impl_->WaitForSignal();
  log::Info("draining", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  impl_->BeginDrain();
  const Drained drained = impl_->WaitForDrain();
  if (drained == Drained::kAll) impl_->StopThreads();
  else log::Warn("drain ended with requests still running");
  const Duration flush = drained == Drained::kHurried ? limits::kTelemetryHurriedFlush : limits::kTelemetryFlushTimeout;
  const bool flushed = impl_->runtime.telemetry->Stop(SteadyClock::now() + flush);
  if (drained != Drained::kAll || !flushed) {
    log::Shutdown();
    _exit(0);
  }
  impl_->runtime.resolver.Stop();  // before the loops that wait for it are freed
  log::Info("stopped");
  return 0;
}

uint32_t UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  uint32_t cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<uint32_t>(CPU_COUNT(&set)) : 1;
  // cgroup v2: "max 100000" or "150000 100000".
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re")) {
    char quota[32];
    double period = 0;
    if (std::fscanf(file, "%31s %lf", quota, &period) == 2 && std::strcmp(quota, "max") != 0 && period > 0) {
      const double allowed = std::ceil(std::strtod(quota, nullptr) / period);
      if (allowed >= 1 && allowed < cores) cores = static_cast<uint32_t>(allowed);
    }
    std::fclose(file);
  }
  return cores > 0 ? cores : 1;
}

}  // namespace gw::gateway
