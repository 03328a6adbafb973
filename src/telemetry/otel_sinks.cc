// The three signals of OpenTelemetry as sinks: each encodes at once and sends in batches.
#include <chrono>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "telemetry/genai_metrics.h"
#include "telemetry/otlp_answer.h"
#include "telemetry/otlp_encode.h"
#include "telemetry/otlp_metrics.h"
#include "telemetry/sinks.h"

namespace gw::telemetry {
namespace {

// Collectors take 20 MB at most unless told otherwise; a batch stays far below.
constexpr size_t kBatchBytesMax = size_t{2} << 20;

[[nodiscard]] uint64_t UnixNanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// What the process calls itself, and since when it counts.
struct Identity {
  std::string instance_id = MakeUuid();
  uint64_t start_ns = UnixNanoseconds();
};
[[nodiscard]] const Identity& ThisProcess() {
  static const Identity kIdentity;
  return kIdentity;
}

// Bodies of one signal on their way to the collector.
class Exporter {
 public:
  Exporter(const SinkContext& context, std::string_view sink, OtlpSignal signal, const config::OtelSignal& settings,
           size_t queue_bytes_max, Url url)
      : signal_(signal), format_(settings.protocol), headers_(settings.headers),
        resource_(EncodeResource(format_, context.snapshot->telemetry.otel, ThisProcess().instance_id)) {
    const bool is_json = format_ == OtlpFormat::kHttpJson;
    headers_.emplace_back("content-type", is_json ? "application/json" : "application/x-protobuf");
    DeliveryOptions options;
    options.sink = sink;
    options.url = std::move(url);
    options.tls_verify = context.snapshot->proxy.ssl_verify;
    options.ca_file = settings.ca_file.empty() ? context.snapshot->proxy.ca_file : settings.ca_file;
    options.timeout = FromSeconds(settings.timeout_s);
    options.queue_bytes_max = queue_bytes_max;
    options.gzip = settings.gzip;
    options.on_delivered = [is_json](std::string_view body) {
      const PartialSuccess partial = ParseExportAnswer(body, is_json);
      Rejection rejection;
      if (partial.rejected > 0) rejection.records = static_cast<uint64_t>(partial.rejected);
      if (partial.rejected > 0 || !partial.message.empty())
        rejection.why.append("rejected ").append(std::to_string(partial.rejected)).append(": ").append(partial.message);
      return rejection;
    };
    delivery_ = MakeDelivery(context.delivery, std::move(options));
  }

  void Send(std::string_view elements, uint32_t records) {
    HttpMessage message;
    message.headers = headers_;
    message.body = EncodeExport(signal_, format_, resource_, elements);
    message.records = records;
    (void)delivery_->Send(std::move(message));  // what finds no room is counted there
  }
  [[nodiscard]] OtlpFormat format() const { return format_; }
  [[nodiscard]] OtlpList NewList() const { return {format_, ElementsField(signal_)}; }
  [[nodiscard]] Delivery& delivery() { return *delivery_; }

 private:
  const OtlpSignal signal_;
  const OtlpFormat format_;
  HeaderList headers_;
  const std::string resource_;
  std::unique_ptr<Delivery> delivery_;
};

// Spans or log records, some of each request.
class RecordSink final : public Sink {
 public:
  RecordSink(std::string_view name, OtlpSignal signal, std::unique_ptr<Exporter> exporter, Batch batch,
             ContentChoice content)
      : name_(name), signal_(signal), exporter_(std::move(exporter)), batch_(std::move(batch)), content_(content) {}

  [[nodiscard]] std::string_view name() const override { return name_; }

  void OnRecord(const RequestRecord& record) override {
    if (signal_ == OtlpSignal::kLogs) {
      OtlpList list = exporter_->NewList();
      list.Add(EncodeLogRecord(exporter_->format(), record, content_));
      return Add(list.text(), 1);
    }
    if (!record.is_traced || !record.trace.sampled) return;
    EncodedSpans encoded = EncodeSpans(exporter_->format(), record, content_);
    Add(std::move(encoded.elements), encoded.spans);
  }
  void OnTick(TimePoint now) override {
    if (batch_.IsDue(now)) SendBatch();
  }
  net::Task<void> Flush(TimePoint deadline) override {
    if (!batch_.empty()) SendBatch();
    co_await exporter_->delivery().Drain(deadline);
  }

 private:
  void Add(std::string elements, uint32_t records) {
    batch_.Add(std::move(elements), SteadyClock::now());
    records_ += records;
    if (batch_.IsFull()) SendBatch();
  }
  void SendBatch() {
    OtlpList list = exporter_->NewList();
    for (const std::string& elements : batch_.Take()) list.Append(elements);
    exporter_->Send(list.text(), std::exchange(records_, 0));
  }

  const std::string_view name_;
  const OtlpSignal signal_;
  const std::unique_ptr<Exporter> exporter_;
  Batch batch_;
  const ContentChoice content_;
  uint32_t records_ = 0;  // in the batch
};

class MetricsSink final : public Sink {
 public:
  MetricsSink(std::unique_ptr<Exporter> exporter, const metrics::LitellmMetrics* metrics,
              const config::OtelSettings& settings)
      : exporter_(std::move(exporter)), metrics_(metrics), interval_(FromSeconds(settings.metric_interval_s)),
        due_(SteadyClock::now() + interval_) {
    if (settings.genai_metrics) genai_.emplace(UnixNanoseconds());
  }

  [[nodiscard]] std::string_view name() const override { return "otlp_metrics"; }

  void OnRecord(const RequestRecord& record) override {
    if (genai_) genai_->Observe(record);
  }
  void OnTick(TimePoint now) override {
    if (now < due_) return;
    // Not from `due_`: a thread that was late does not send twice.
    due_ = now + interval_;
    Export();
  }
  net::Task<void> Flush(TimePoint deadline) override {
    Export();
    co_await exporter_->delivery().Drain(deadline);
  }

 private:
  void Export() {
    // Gathered first: the registry is locked while it is visited, and sending counts what is dropped.
    std::vector<std::pair<std::string, uint32_t>> parts;
    OtlpList list = exporter_->NewList();
    uint32_t points = 0;
    const auto close = [&] {
      if (list.empty()) return;
      parts.emplace_back(list.text(), std::exchange(points, 0));
      list.Clear();
    };
    const TakeMetric take = [&](std::string metric, uint32_t count) {
      list.Add(metric);
      points += count;
      if (list.bytes() >= kBatchBytesMax) close();
    };
    const uint64_t now_ns = UnixNanoseconds();
    const OtlpFormat format = exporter_->format();
    if (metrics_ != nullptr) EncodeRegistry(format, metrics_->registry(), ThisProcess().start_ns, now_ns, take);
    if (genai_) genai_->Encode(format, now_ns, take);
    close();
    for (const auto& [elements, count] : parts) exporter_->Send(elements, count);
  }

  const std::unique_ptr<Exporter> exporter_;
  const metrics::LitellmMetrics* metrics_;
  std::optional<GenAiMetrics> genai_;
  const Duration interval_;
  TimePoint due_;
};

[[nodiscard]] std::unique_ptr<Exporter> MakeExporter(const SinkContext& context, std::string_view sink,
                                                     OtlpSignal signal, const config::OtelSignal& settings,
                                                     size_t queue_bytes_max) {
  if (!settings.on) return nullptr;
  auto url = ParseUrl(settings.url);
  if (!url.ok()) {  // the loader has looked at it
    log::Error("telemetry: not an address of a collector", {{"sink", std::string(sink)}, {"why", url.error().message}});
    return nullptr;
  }
  return std::make_unique<Exporter>(context, sink, signal, settings, queue_bytes_max, std::move(*url));
}

}  // namespace

void AddOtelSinks(const SinkContext& context, SinkList& sinks) {
  const config::OtelSettings& otel = context.snapshot->telemetry.otel;
  const ContentChoice content{otel.content_in_spans, otel.content_in_logs};
  using enum OtlpSignal;
  if (auto exporter = MakeExporter(context, "otlp_traces", kTraces, otel.traces, otel.queue_bytes_max)) {
    const Batch batch(otel.batch_items_max, kBatchBytesMax, FromSeconds(otel.batch_delay_s));
    sinks.push_back(std::make_unique<RecordSink>("otlp_traces", kTraces, std::move(exporter), batch, content));
  }
  if (auto exporter = MakeExporter(context, "otlp_logs", kLogs, otel.logs, otel.log_queue_bytes_max)) {
    const Batch batch(otel.log_batch_items_max, kBatchBytesMax, FromSeconds(otel.log_batch_delay_s));
    sinks.push_back(std::make_unique<RecordSink>("otlp_logs", kLogs, std::move(exporter), batch, content));
  }
  // 50,000 series have some 30 MB before they are compressed.
  constexpr size_t kMetricsQueueBytesMax = size_t{64} << 20;
  if (auto exporter = MakeExporter(context, "otlp_metrics", kMetrics, otel.metrics, kMetricsQueueBytesMax)) {
    sinks.push_back(std::make_unique<MetricsSink>(std::move(exporter), context.metrics, otel));
  }
}

}  // namespace gw::telemetry
