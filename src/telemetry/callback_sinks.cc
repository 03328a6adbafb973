// Callbacks: one sink that makes each payload once and hands it to every receiver; and the alerts.
#include "base/log.h"
#include "telemetry/alert_sink.h"
#include "telemetry/callback_receiver.h"
#include "telemetry/payload.h"
#include "telemetry/sinks.h"

namespace gw::telemetry {
namespace {

class CallbackSink final : public Sink {
 public:
  CallbackSink(config::SnapshotPtr snapshot, ReceiverList receivers)
      : snapshot_(std::move(snapshot)), receivers_(std::move(receivers)) {}

  [[nodiscard]] std::string_view name() const override { return "callbacks"; }

  void OnRecord(const RequestRecord& record) override {
    const LoggedRequest request = ReadLoggedRequest(record, snapshot_->telemetry.callbacks);
    if (request.no_log) return;
    if (record.kind == RequestRecord::Kind::kTest) return Test(request);
    for (const LoggedEvent& event : EventsOf(record)) Tell(request, event);
  }

  [[nodiscard]] bool wants_tests() const override { return true; }

  void OnTick(TimePoint now) override {
    for (const auto& receiver : receivers_) receiver->Send(now, false);
  }

  net::Task<void> Flush(TimePoint deadline) override {
    for (const auto& receiver : receivers_) receiver->Send(TimePoint{}, true);
    for (const auto& receiver : receivers_) co_await receiver->delivery().Drain(deadline);
  }

 private:
  void Tell(const LoggedRequest& request, const LoggedEvent& event) {
    json::Object payload;
    for (const auto& receiver : receivers_) {
      if (!receiver->Wants(event)) continue;
      if (payload.empty()) payload = BuildPayload(request, event);
      receiver->OnEvent(request, event, payload);
    }
  }

  // The one that is tested gets the event whatever it listens to.
  void Test(const LoggedRequest& request) {
    const LoggedEvent event = EventsOf(request.record).back();
    for (const auto& receiver : receivers_) {
      if (receiver->name() == request.record.test_of) receiver->OnEvent(request, event, BuildPayload(request, event));
    }
  }

  const config::SnapshotPtr snapshot_;
  ReceiverList receivers_;
};

}  // namespace

std::string JoinItems(const std::vector<std::string>& items, std::string_view before, std::string_view separator,
                      std::string_view after) {
  std::string out(before);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += separator;
    out += items[i];
  }
  return out.append(after);
}

std::unique_ptr<Delivery> DeliveryTo(const SinkContext& context, const std::string& url, DeliveryOptions options) {
  Result<Url> parsed = ParseUrl(url);
  if (!parsed.ok()) {
    log::Error("a callback has no usable address and is left out", {{"callback", options.sink}});
    return nullptr;
  }
  options.url = std::move(*parsed);
  options.ca_file = context.snapshot->proxy.ca_file;
  if (!context.snapshot->proxy.ssl_verify) options.tls_verify = false;
  return MakeDelivery(context.delivery, std::move(options));
}

void AddCallbackSinks(const SinkContext& context, SinkList& sinks) {
  ReceiverList receivers;
  AddGenericReceivers(context, receivers);
  AddS3Receiver(context, receivers);
  AddLangfuseReceiver(context, receivers);
  AddDatadogReceivers(context, receivers);
  if (!receivers.empty()) sinks.push_back(std::make_unique<CallbackSink>(context.snapshot, std::move(receivers)));
  AddAlertSink(context, sinks);
}

}  // namespace gw::telemetry
