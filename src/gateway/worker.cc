#include "gateway/worker.h"

#include <exception>

#include "api/error_response.h"
#include "api/route_table.h"
#include "base/log.h"
#include "base/strings.h"
#include "gateway/handle_request.h"
#include "gateway/redis_observer.h"
#include "gateway/response_headers.h"
#include "gateway/serve_admin.h"
#include "gateway/shared_lease.h"

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

Worker::Worker(std::shared_ptr<Core> core, net::EventLoop& loop)
    : loop_(loop), random_(Seed(loop.index())), dns_(loop, core->runtime.resolver),
      leases_(std::make_unique<LeaseBook>()) {
  if (core->runtime.redis_metrics != nullptr)
    redis_observer_ = std::make_unique<RedisObserver>(*core->runtime.redis_metrics, index());
  Adopt(std::move(core));
}

Worker::~Worker() = default;

// That of the view in force or of the one that is being made, else a new one.
std::shared_ptr<redis::Client> Worker::RedisFor(const redis::OptionsPtr& options, const View& next) {
  if (options == nullptr) return nullptr;
  std::shared_ptr<redis::Client> old[3] = {next.cache_redis, nullptr, nullptr};
  if (view_ != nullptr) {
    old[1] = view_->cache_redis;
    old[2] = view_->shared_redis;
  }
  for (const auto& client : old) {
    if (client != nullptr && &client->options() == options.get()) return client;
  }
  auto client = std::make_shared<redis::Client>(loop_, dns_, options, redis_observer_.get());
  loop_.Post([client] { client->Start(); });
  return client;
}

void Worker::Adopt(std::shared_ptr<Core> core) {
  std::unordered_map<std::string_view, std::shared_ptr<upstream::OriginPool>> known;
  if (view_ != nullptr) {
    for (size_t i = 0; i < view_->pools.size(); ++i) known.emplace(view_->core->origins[i].key, view_->pools[i]);
  }
  auto view = std::make_shared<View>();
  view->pools.reserve(core->origins.size());
  for (const Origin& origin : core->origins) {
    const auto found = known.find(origin.key);
    view->pools.push_back(found != known.end() ? found->second
                                               : std::make_shared<upstream::OriginPool>(loop_, dns_, origin.target));
  }
  view->cache_redis = RedisFor(core->cache_redis, *view);
  view->shared_redis = RedisFor(core->shared_redis, *view);
  if (view_ != nullptr) {
    // Requests that still run under the old view do without.
    for (const auto& client : {view_->cache_redis, view_->shared_redis}) {
      if (client != nullptr && client != view->cache_redis && client != view->shared_redis) client->Close();
    }
  }
  view->core = std::move(core);
  view_ = std::move(view);
  on_adopt_.Fire();
  on_scrape_stop_.Fire();
  on_change_.Fire();
}

void Worker::Stop() {
  stopping_ = true;
  for (const auto& pool : view_->pools) pool->CloseIdle();
  for (const auto& client : {view_->cache_redis, view_->shared_redis}) {
    if (client != nullptr) client->Close();
  }
  on_adopt_.Fire();
  on_change_.Fire();
  on_scrape_stop_.Fire();
}

void Worker::DescribeBadRequest(int status, std::string_view why, std::string& header_lines, std::string& body) {
  header_lines = kCommonLines;
  header_lines += "content-type: application/json\r\n";
  body = api::RenderOpenAiError(
      ClientError(status, "Malformed HTTP request: " + std::string(why), "invalid_request_error", {}));
}

net::Task<void> Worker::Handle(http::ServerExchange& exchange) {
  const ViewPtr view = view_;
  Core& core = *view->core;
  const InFlight in_flight(core.counts[index()]);
  const http::RequestHead& head = exchange.head();
  const std::string_view path = api::StripRootPath(head.path(), core.snapshot->server.root_path);
  const api::RouteMatch match = api::MatchRoute(head.method, path);
  const auto endpoint = match.verdict == api::RouteVerdict::kFound ? api::EndpointOf(match.id) : std::nullopt;
  if (endpoint) {
    InferenceCall call;
    call.endpoint = *endpoint;
    call.route = match.id;
    call.route_label = match.label;
    if (!match.model.empty()) call.path_model = PercentDecode(match.model, false);
    co_await HandleInference(*this, *view, exchange, std::move(call));
    co_return;
  }
  std::exception_ptr failure;
  try {
    co_await ServeAdmin(*this, *view, exchange, match, path);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  log::Error("a request ended by an exception", {{"path", std::string(path)}, {"what", net::WhatOf(failure)}});
  exchange.on_client_gone().Clear();
  exchange.CloseAfter();
  if (exchange.responded()) co_return;
  Error error;
  error.message = "Internal server error";
  error.type = "internal_server_error";
  std::string lines(kCommonLines);
  lines += "content-type: application/json\r\n";
  (void)co_await exchange.Respond(error.status, lines, api::RenderOpenAiError(error));
}

}  // namespace gw::gateway
