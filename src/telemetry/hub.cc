#include "telemetry/hub.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "base/log.h"
#include "net/offload.h"
#include "telemetry/record_ring.h"

namespace gw::telemetry {

namespace {

// Sinks of a configuration that was replaced get this long for what they hold; the end waits for them.
constexpr Duration kRetireTime = limits::kTelemetryFlushTimeout;
// A thread that has not ended so long after its deadline hangs.
constexpr Duration kGrace = std::chrono::seconds(2);

// Whatever is thrown on the thread (memory) must not end it.
template <typename F>
void Try(std::string_view what, F&& work) noexcept {
  try {
    work();
  } catch (const std::exception& failure) {
    try {
      log::Error("telemetry ran into an exception", {{"in", std::string(what)}, {"what", failure.what()}});
    } catch (const std::exception&) {  // not even memory for the line
    }
  }
}

// What every worker counts alone: records that found no room.
struct alignas(64) Dropped {
  std::atomic<uint64_t> records{0};
};

}  // namespace

struct Hub::Impl {
  Impl(uint32_t workers, net::Resolver& r, DeliveryObserver& o, const metrics::LitellmMetrics* m)
      : loop(workers), resolver(r), observer(o), metrics(m), dropped(workers),
        dns(loop, r) {
    for (uint32_t i = 0; i < workers; ++i) rings.push_back(std::make_unique<RecordRing>());
  }

  net::EventLoop loop;
  net::Resolver& resolver;
  DeliveryObserver& observer;
  const metrics::LitellmMetrics* metrics;
  std::vector<std::unique_ptr<RecordRing>> rings;
  std::vector<Dropped> dropped;
  std::atomic<size_t> waiting_bytes{0};
  std::atomic<bool> accepting{false};
  std::mutex thread_mutex;  // Configure and Stop
  std::thread thread;

  // The thread's own.
  net::DnsCache dns;
  SinkList sinks;
  net::CancelSlot wake;
  bool is_set_up = false;  // the first sinks are there: rings may be emptied
  bool stopping = false;
  int flushing = 0;
  std::promise<void> ended;

  void Start();
  void Replace(const config::SnapshotPtr& snapshot);
  void DrainRings();
  void Hand(const RequestRecord& record);
  void CountDropped();
  void FlushAll(SinkList&& old, TimePoint deadline);
  static net::Task<void> Ticks(Impl& self);
  static net::Task<void> FlushOne(Impl& self, std::unique_ptr<Sink> sink, TimePoint deadline);
  static net::Task<void> End(Impl& self, TimePoint deadline);
};

void Hub::Impl::Start() {
  if (thread.joinable()) return;
  thread = std::thread([this] {
    net::RunBehindLoops();
    net::Spawn(Ticks(*this));
    loop.Run();
    ended.set_value();
  });
  accepting = true;
}

void Hub::Impl::Replace(const config::SnapshotPtr& snapshot) {
  if (stopping) return;
  if (is_set_up) DrainRings();  // what was recorded so far is for the sinks that were there
  SinkList old = std::exchange(sinks, {});
  Try("set-up", [&] { sinks = MakeSinks(SinkContext{snapshot, DeliveryContext{loop, dns, observer}, metrics}); });
  is_set_up = true;
  for (const std::unique_ptr<Sink>& sink : sinks) {
    const auto is_its = [&](const std::unique_ptr<Sink>& before) { return before->name() == sink->name(); };
    const auto before = std::find_if(old.begin(), old.end(), is_its);
    if (before != old.end()) Try(sink->name(), [&] { sink->Inherit(**before); });
  }
  FlushAll(std::move(old), SteadyClock::now() + kRetireTime);
}

void Hub::Impl::FlushAll(SinkList&& old, TimePoint deadline) {
  for (std::unique_ptr<Sink>& sink : old) {
    Try("flush", [&] { net::Spawn(FlushOne(*this, std::move(sink), deadline)); });
  }
}

net::Task<void> Hub::Impl::FlushOne(Impl& self, std::unique_ptr<Sink> sink, TimePoint deadline) {
  struct Counted {
    explicit Counted(int& c) : count(c) { ++count; }
    ~Counted() { --count; }
    int& count;
  };
  const Counted counted(self.flushing);
  try {
    co_await sink->Flush(deadline);
  } catch (const std::exception& failure) {
    Try("flush", [&] { log::Error("a telemetry flush failed", {{"what", failure.what()}}); });
  }
  sink.reset();
}

void Hub::Impl::Hand(const RequestRecord& record) {
  bool is_taken = record.kind == RequestRecord::Kind::kStarted;
  for (const std::unique_ptr<Sink>& sink : sinks) {
    if (record.kind == RequestRecord::Kind::kStarted && !sink->wants_starts()) continue;
    if (record.kind == RequestRecord::Kind::kTest && !sink->wants_tests()) continue;
    is_taken = true;
    try {
      sink->OnRecord(record);
    } catch (const std::exception&) {  // memory: this sink misses this record
      observer.OnRecords(sink->name(), "dropped_error", 1);
    }
  }
  if (!is_taken) observer.OnRecords("all", "dropped_error", 1);
}

void Hub::Impl::DrainRings() {
  for (const std::unique_ptr<RecordRing>& ring : rings) {
    // No more than one ring's worth at a time: a loop that writes as fast as we read must not hold us.
    for (size_t i = 0; i < limits::kTelemetryRingRecords; ++i) {
      const std::unique_ptr<RequestRecord> record = ring->Pop();
      if (record == nullptr) break;
      waiting_bytes.fetch_sub(record->Bytes(), std::memory_order_relaxed);
      Try("records", [&] {
        record->MakeUtf8();
        Hand(*record);
      });
    }
  }
  CountDropped();
}

void Hub::Impl::CountDropped() {
  uint64_t lost = 0;
  for (Dropped& worker : dropped) {
    if (worker.records.load(std::memory_order_relaxed) != 0) lost += worker.records.exchange(0);
  }
  if (lost == 0) return;
  Try("counts", [&] { observer.OnRecords("all", "dropped_queue", lost); });
  for (const std::unique_ptr<Sink>& sink : sinks) {
    Try(sink->name(), [&] { sink->OnLost(); });
  }
}

net::Task<void> Hub::Impl::Ticks(Impl& self) {
  while (!self.stopping) {
    (void)co_await net::Sleep(self.loop, limits::kTelemetryTick, &self.wake);
    if (!self.is_set_up) continue;
    self.DrainRings();
    const TimePoint now = SteadyClock::now();
    for (const std::unique_ptr<Sink>& sink : self.sinks) {
      Try(sink->name(), [&] { sink->OnTick(now); });
    }
  }
}

net::Task<void> Hub::Impl::End(Impl& self, TimePoint deadline) {
  self.stopping = true;
  self.wake.Fire();
  self.DrainRings();
  self.FlushAll(std::exchange(self.sinks, {}), deadline);
  while (self.flushing > 0) {
    (void)co_await net::Sleep(self.loop, std::chrono::milliseconds(2), nullptr);
  }
  self.DrainRings();  // what loops that still run have published since: counted as lost
  net::StopSoon(self.loop);
}

Hub::Hub(uint32_t workers, net::Resolver& resolver, DeliveryObserver& observer,
         const metrics::LitellmMetrics* metrics)
    : impl_(std::make_unique<Impl>(workers, resolver, observer, metrics)) {}

Hub::~Hub() {
  if (Stop(SteadyClock::now())) return;
  impl_->thread.detach();
  (void)impl_.release();  // the thread that hangs still refers to it
}

void Hub::Configure(config::SnapshotPtr snapshot) {
  const config::TelemetrySettings& settings = snapshot->telemetry;
  const bool is_wanted = settings.wants_records || settings.otel.metrics.on;
  const std::lock_guard<std::mutex> lock(impl_->thread_mutex);
  if (!is_wanted && !impl_->thread.joinable()) return;
  impl_->Start();
  Impl* impl = impl_.get();
  impl->loop.Post([impl, snapshot = std::move(snapshot)] { impl->Replace(snapshot); });
}

void Hub::Publish(uint32_t worker, std::unique_ptr<RequestRecord> record) {
  Impl& impl = *impl_;
  if (!impl.accepting.load(std::memory_order_relaxed)) return;
  const size_t bytes = record->Bytes();
  const size_t before = impl.waiting_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= limits::kTelemetryBytesMax && impl.rings[worker]->Push(record)) return;
  impl.waiting_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  CountDropped(worker);
}

void Hub::CountDropped(uint32_t worker) {
  impl_->dropped[worker].records.fetch_add(1, std::memory_order_relaxed);
}

bool Hub::Stop(TimePoint deadline) {
  Impl* impl = impl_.get();
  const std::lock_guard<std::mutex> lock(impl->thread_mutex);
  if (!impl->thread.joinable()) return true;
  impl->loop.Post([impl, deadline] { net::Spawn(Impl::End(*impl, deadline)); });
  const TimePoint patience = std::max(deadline, SteadyClock::now()) + kGrace;
  if (impl->ended.get_future().wait_until(patience) != std::future_status::ready) {
    log::Error("telemetry did not end in time");
    return false;
  }
  impl->thread.join();
  impl->accepting = false;
  return true;
}

}  // namespace gw::telemetry
