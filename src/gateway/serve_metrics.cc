#include "gateway/serve_metrics.h"

#include "base/strings.h"
#include "gateway/response_headers.h"
#include "http/gzip.h"
#include "metrics/registry.h"

namespace gw::gateway {

namespace {

// ?name[]=a&name[]=b: only the families that own these sample names.
std::vector<std::string> AskedNames(std::string_view query) {
  std::vector<std::string> names;
  if (query.empty()) return names;
  for (const std::string_view pair : Split(query, '&')) {
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (PercentDecode(pair.substr(0, equals), true) == "name[]")
      names.push_back(PercentDecode(pair.substr(equals + 1), true));
  }
  return names;
}

// Piece by piece: of a text of fifty megabytes only a quarter of one exists at a time.
std::string RenderZipped(const metrics::Registry& registry, metrics::ExpositionFormat format,
                         std::span<const std::string> names) {
  http::Gzipper gzipper;
  std::string text, zipped;
  registry.Render(format, names, text, [&gzipper, &zipped](std::string& piece) {
    gzipper.Add(piece, zipped);
    piece.clear();
  });
  gzipper.Add(text, zipped);
  gzipper.Finish(zipped);
  return zipped;
}

}  // namespace

net::Task<void> ServeMetrics(Worker& worker, http::ServerExchange& exchange) {
  const ViewPtr view = worker.view();
  Core& core = *view->core;
  const http::RequestHead& head = exchange.head();
  std::string lines(kCommonLines);
  const metrics::NegotiatedFormat format = metrics::Negotiate(head.headers.Get("accept"));
  const std::vector<std::string> names = AskedNames(head.query());
  const bool is_gzip = http::AcceptsGzip(head.headers.Get("accept-encoding"));
  std::string body;
  auto render = [&core, &format, &names, &body, is_gzip] {
    const metrics::Registry& registry = core.metrics->registry();
    if (is_gzip) {
      body = RenderZipped(registry, format.format, names);
    } else {
      registry.Render(format.format, names, body);
    }
  };
  co_await net::Offload(core.offload, worker.loop(), render);
  lines += "content-type: " + format.content_type + "\r\n";
  if (is_gzip) lines += "content-encoding: gzip\r\n";
  (void)co_await exchange.Respond(200, lines, body);
}

net::Task<void> RunMetricsUpkeep(Worker& worker, double interval_s, net::CancelSlot& stop) {
  Runtime& runtime = worker.view()->core->runtime;
  metrics::LitellmMetrics& metrics = *runtime.metrics;
  if (!metrics.expires()) co_return;
  const Duration interval = FromSeconds(interval_s);
  while (co_await net::Sleep(worker.loop(), interval, &stop)) {
    metrics.Quiesce(worker.index());
    if (worker.index() != 0) continue;
    // Not awaited: the next round does not depend on it. Its thread renders scrapes too.
    runtime.offload.Submit([&metrics] { metrics.Sweep(Seconds(SteadyClock::now().time_since_epoch())); });
  }
}

net::Task<void> MetricsPort::Handle(http::ServerExchange& exchange) {
  const std::string_view path = exchange.head().path();
  if (path == "/metrics" || path.starts_with("/metrics/")) {
    co_await ServeMetrics(worker_, exchange);
    co_return;
  }
  std::string lines(kCommonLines);
  lines += "content-type: application/json\r\n";
  const bool health = path == "/health";
  (void)co_await exchange.Respond(health ? 200 : 404, lines,
                                  health ? R"({"status":"healthy"})" : R"({"detail":"Not Found"})");
}

}  // namespace gw::gateway
