#include "gateway/worker.h"

#include "api/error_response.h"
#include "api/route_table.h"
#include "base/strings.h"
#include "gateway/handle_request.h"
#include "gateway/response_headers.h"
#include "gateway/serve_admin.h"

namespace gw::gateway {

namespace {

class InFlight {
 public:
  explicit InFlight(WorkerCounts& counts) : counts_(counts) {
    counts_.in_flight.fetch_add(1, std::memory_order_relaxed);
  }
  ~InFlight() { counts_.in_flight.fetch_sub(1, std::memory_order_relaxed); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  WorkerCounts& counts_;
};

uint64_t Seed(uint32_t index) {
  return static_cast<uint64_t>(SteadyClock::now().time_since_epoch().count()) * 0x9E3779B97F4A7C15ULL + index;
}

}  // namespace

Worker::Worker(Core& core, net::EventLoop& loop)
    : core_(core), loop_(loop), random_(Seed(loop.index())), dns_(loop, core.resolver) {
  for (const config::Deployment& d : core.snapshot->deployments) {
    upstream::OriginPool* found = nullptr;
    for (const auto& pool : pools_) {
      const net::DialTarget& target = pool->target();
      const bool same_tls = (target.tls == nullptr) == (core.tls[d.index] == nullptr) &&
                            (target.tls == nullptr || target.tls->same_rules(*core.tls[d.index]));
      if (target.host == d.origin.host && target.port == d.origin.port && same_tls) found = pool.get();
    }
    if (found == nullptr) {
      net::DialTarget target{d.origin.host, d.origin.port, core.tls[d.index]};
      pools_.push_back(std::make_unique<upstream::OriginPool>(loop, dns_, std::move(target)));
      found = pools_.back().get();
    }
    by_deployment_.push_back(found);
  }
}

Worker::~Worker() = default;

void Worker::CloseIdleUpstreams() {
  for (const auto& pool : pools_) pool->CloseIdle();
}

void Worker::DescribeBadRequest(int status, std::string_view why, std::string& header_lines, std::string& body) {
  header_lines = kCommonLines;
  header_lines += "content-type: application/json\r\n";
  Error error;
  error.cls = ErrorClass::kProxy;
  error.source = ErrorSource::kDownstream;
  error.status = status;
  error.message = "Malformed HTTP request: " + std::string(why);
  error.type = "invalid_request_error";
  body = api::RenderOpenAiError(error);
}

net::Task<void> Worker::Handle(http::ServerExchange& exchange) {
  const InFlight in_flight(core_.counts[index()]);
  const http::RequestHead& head = exchange.head();
  const std::string_view path = api::StripRootPath(head.path(), core_.snapshot->server.root_path);
  const api::RouteMatch match = api::MatchRoute(head.method, path);
  const auto endpoint = match.verdict == api::RouteVerdict::kFound ? api::EndpointOf(match.id) : std::nullopt;
  if (endpoint) {
    InferenceCall call;
    call.endpoint = *endpoint;
    call.route = match.id;
    call.route_label = match.label;
    if (!match.model.empty()) call.path_model = PercentDecode(match.model, false);
    co_await HandleInference(*this, exchange, std::move(call));
    co_return;
  }
  co_await ServeAdmin(*this, exchange, match, path);
}

}  // namespace gw::gateway
