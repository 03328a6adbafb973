#include "gateway/engine_scraper.h"

#include <algorithm>
#include <array>
#include <exception>
#include <unordered_map>

#include "base/limits.h"
#include "base/log.h"
#include "routing/engine_fleet.h"
#include "routing/engine_text.h"

namespace gw::gateway {

namespace {

using config::RoutingStrategy;

// One address and the deployments behind it.
struct Target {
  std::string path;
  std::vector<const config::Deployment*> rows;
  bool failed = false;  // last time; logged when it changes
};

const config::StrategyArgs* ArgsOf(const config::RouterSettings& router, const config::Deployment& row) {
  const config::RoutingGroup* group = router.GroupOf(row.model_name);
  const RoutingStrategy strategy = group == nullptr ? router.strategy : group->strategy;
  if (strategy != RoutingStrategy::kInferenceAware) return nullptr;
  return &router.ArgsFor(row.model_name);
}

// Engines serve /metrics beside /v1. A provider's public address has none.
bool HasEngine(const config::Deployment& row) {
  const bool speaks_openai =
      row.row->dialect == config::Dialect::kOpenAi || row.row->dialect == config::Dialect::kOpenAiText;
  return speaks_openai && row.mock_response.empty() && row.api_base != row.row->default_base &&
         config::FindProviderByBase(row.api_base) == nullptr;
}

std::vector<Target> TargetsOf(const Core& core) {
  std::vector<Target> targets;
  std::unordered_map<std::string, size_t> known;
  for (const config::Deployment& row : core.snapshot->deployments) {
    if (ArgsOf(core.snapshot->router, row) == nullptr || !HasEngine(row)) continue;
    std::string path = row.origin.base_path;
    if (path.ends_with("/v1")) path.erase(path.size() - 3);
    path += "/metrics";
    const auto [place, is_new] =
        known.try_emplace(std::to_string(core.origin_of[row.index]) + path, targets.size());
    if (is_new) targets.push_back({std::move(path), {}, false});
    targets[place->second].rows.push_back(&row);
  }
  return targets;
}

// The shortest of the strategies' intervals.
Duration IntervalOf(const config::RouterSettings& router) {
  double seconds = limits::kScrapeIntervalSecondsMax;
  if (router.strategy == RoutingStrategy::kInferenceAware) seconds = router.strategy_args.scrape_interval_s;
  for (const config::RoutingGroup& group : router.routing_groups) {
    if (group.strategy == RoutingStrategy::kInferenceAware) seconds = std::min(seconds, group.args.scrape_interval_s);
  }
  return FromSeconds(seconds);
}

// The scrapes under one configuration; lives in the frame of RunEngineScrapes.
struct Round {
  Round(Worker& w, const View& v, std::vector<Target> t) : worker(w), view(v), targets(std::move(t)) {}
  Worker& worker;
  const View& view;
  std::vector<Target> targets;
  size_t running = 0;  // lanes
  bool stopped = false;  // a new configuration, or the end
  std::array<net::CancelSlot, limits::kParallelScrapes> cancels{};
  std::coroutine_handle<> waiter;

  static void Stop(void* self) {
    auto& round = *static_cast<Round*>(self);
    round.stopped = true;
    for (net::CancelSlot& cancel : round.cancels) cancel.Fire();
  }
};

struct Scrape {
  net::IoStatus status = net::IoStatus::kFailed;
  int code = 0;
  std::string body;
  std::string why;
};

std::string HeadOf(const Target& target) {
  return "GET " + target.path + " HTTP/1.1\r\nhost: " + target.rows.front()->origin.host_header +
         "\r\nuser-agent: intertie/" GW_VERSION "\r\naccept: text/plain\r\n\r\n";
}

net::Task<Scrape> Read(const View& view, const Target& target, net::CancelSlot& cancel) {
  const TimePoint deadline = SteadyClock::now() + limits::kScrapeTimeout;
  const std::string head = HeadOf(target);
  const std::array<std::string_view, 1> pieces = {head};
  upstream::OriginPool& pool = view.PoolOf(*target.rows.front());
  Scrape scrape;
  for (bool fresh = false;; fresh = true) {
    scrape.body.clear();
    upstream::Lease lease = co_await pool.Acquire(fresh, deadline, &cancel);
    if (!lease.connection) {
      scrape.status = lease.status;
      scrape.why = std::move(lease.error);
      co_return scrape;
    }
    upstream::PooledConnection& connection = *lease.connection;
    {
      const net::CancelScope scope(cancel, connection.http);
      scrape.status = co_await connection.http.SendRequest(pieces, deadline);
      if (scrape.status == net::IoStatus::kOk) scrape.status = co_await connection.http.ReadHead(deadline);
      if (scrape.status == net::IoStatus::kOk) {
        scrape.code = connection.http.head().status;
        scrape.status = co_await connection.http.ReadWholeBody(scrape.body, limits::kScrapeBytesMax, deadline);
      }
    }
    // A parked connection that the engine had closed already is replaced once.
    const bool stale = connection.reused && !connection.http.got_any_byte() &&
                       (scrape.status == net::IoStatus::kEof || scrape.status == net::IoStatus::kReset);
    pool.Release(std::move(lease.connection));
    if (!stale || fresh) co_return scrape;
  }
}

std::string_view OutcomeOf(const Scrape& scrape, bool is_engine) {
  if (scrape.status == net::IoStatus::kTimeout) return "timeout";
  if (scrape.status != net::IoStatus::kOk) return "connect_error";
  return is_engine ? "success" : "error";
}

void Report(Target& target, const Scrape& scrape, bool failed, std::string_view outcome) {
  if (failed == target.failed) return;
  target.failed = failed;
  const config::Deployment& row = *target.rows.front();
  if (failed) {
    log::Warn("an engine's metrics cannot be read; its load is unknown",
              {{"model_id", row.id},
               {"path", target.path},
               {"outcome", std::string(outcome)},
               {"status", std::to_string(scrape.code)},
               {"why", scrape.why}});
  } else {
    log::Info("an engine's metrics can be read again", {{"model_id", row.id}, {"path", target.path}});
  }
}

net::Task<void> ScrapeOne(Round& round, Target& target, net::CancelSlot& cancel) {
  Core& core = *round.view.core;
  routing::EngineFleet& fleet = *core.state.engines();
  std::vector<routing::ScrapeMark> marks;
  for (const config::Deployment* row : target.rows)
    marks.push_back(routing::BeginScrape(fleet.at(row->index), core.state.at(row->index)));
  const Scrape scrape = co_await Read(round.view, target, cancel);
  if (round.stopped) co_return;
  const TimePoint now = SteadyClock::now();
  bool is_engine = false;
  if (scrape.status == net::IoStatus::kOk && scrape.code == 200) {
    for (size_t i = 0; i < target.rows.size(); ++i) {
      const config::Deployment& row = *target.rows[i];
      const auto sample = routing::ParseEngineText(scrape.body, row.upstream_model);
      if (!sample) continue;
      is_engine = true;
      routing::ApplySample(fleet.at(row.index), core.state.at(row.index), *ArgsOf(core.snapshot->router, row), *sample,
                           marks[i], now);
    }
  }
  const std::string_view outcome = OutcomeOf(scrape, is_engine);
  core.metrics->OnEngineScrape(round.worker.index(), outcome);
  Report(target, scrape, !is_engine, outcome);
}

// Every kParallelScrapes-th target, again and again: an engine that hangs holds up its own lane only.
net::Task<void> RunLane(Round& round, size_t lane) {
  const Duration interval = IntervalOf(round.view.core->snapshot->router);
  while (!round.stopped) {
    const TimePoint begin = SteadyClock::now();
    for (size_t i = lane; i < round.targets.size() && !round.stopped; i += limits::kParallelScrapes) {
      try {
        co_await ScrapeOne(round, round.targets[i], round.cancels[lane]);
      } catch (const std::exception& failure) {  // the lane must end as it began: the round counts on it
        log::Error("a scrape ended by an exception", {{"what", failure.what()}});
      }
    }
    if (round.stopped) break;
    const Duration pause = interval - (SteadyClock::now() - begin);
    (void)co_await net::Sleep(round.worker.loop(), std::max<Duration>(pause, limits::kScrapePauseMin),
                              &round.cancels[lane]);
  }
  // Resume from the loop, not from inside this frame: it must be gone by then.
  if (--round.running == 0) round.worker.loop().Post([w = round.waiter] { w.resume(); });
}

// Until the round is stopped.
struct RunLanes {
  Round& round;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    round.waiter = waiter;
    const size_t lanes = std::min(limits::kParallelScrapes, round.targets.size());
    round.running = lanes;
    for (size_t lane = 0; lane < lanes; ++lane) net::Spawn(RunLane(round, lane));
  }
  void await_resume() const {}
};

}  // namespace

net::Task<void> RunEngineScrapes(Worker& worker) {
  while (!worker.view()->core->draining) {
    {
      const ViewPtr view = worker.view();
      std::vector<Target> targets;
      if (view->core->state.engines() != nullptr) targets = TargetsOf(*view->core);
      if (!targets.empty()) {
        Round round(worker, *view, std::move(targets));
        worker.on_scrape_stop().Set(&Round::Stop, &round);
        co_await RunLanes{round};
        continue;
      }
    }  // what a reload replaces is not kept alive by the pause
    (void)co_await net::Sleep(worker.loop(), limits::kScrapeLookInterval, &worker.on_scrape_stop());
  }
}

}  // namespace gw::gateway
