// One receiver of payloads: what is sent to it, when, and through which delivery.
//
// All on the telemetry thread. The payload is made once per event and handed to every receiver.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_tree.h"
#include "config/callback_settings.h"
#include "telemetry/delivery.h"
#include "telemetry/logged_request.h"
#include "telemetry/sinks.h"

namespace gw::telemetry {

class CallbackReceiver {
 public:
  CallbackReceiver(std::string name, config::CallbackEvents events, std::unique_ptr<Delivery> delivery)
      : delivery_(std::move(delivery)), name_(std::move(name)), events_(events) {}
  virtual ~CallbackReceiver() = default;
  CallbackReceiver(const CallbackReceiver&) = delete;
  CallbackReceiver& operator=(const CallbackReceiver&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool Wants(const LoggedEvent& event) const { return event.success ? events_.success : events_.failure; }
  virtual void OnEvent(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) = 0;
  // Sends what is due; `all`: everything.
  virtual void Send(TimePoint now, bool all) = 0;
  [[nodiscard]] Delivery& delivery() { return *delivery_; }

 protected:
  std::unique_ptr<Delivery> delivery_;

 private:
  const std::string name_;
  const config::CallbackEvents events_;
};

// Receivers whose messages hold many events.
class BatchReceiver : public CallbackReceiver {
 public:
  BatchReceiver(std::string name, config::CallbackEvents events, std::unique_ptr<Delivery> delivery, Batch batch)
      : CallbackReceiver(std::move(name), events, std::move(delivery)), batch_(std::move(batch)) {}

  void OnEvent(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) final {
    std::string item = Encode(request, event, payload);
    if (!batch_.HasRoomFor(item)) SendBatch();
    batch_.Add(std::move(item), request.record.finished);
    if (batch_.IsFull()) SendBatch();
  }
  void Send(TimePoint now, bool all) final {
    if (all ? !batch_.empty() : batch_.IsDue(now)) SendBatch();
  }

 protected:
  [[nodiscard]] virtual std::string Encode(const LoggedRequest& request, const LoggedEvent& event,
                                           const json::Object& payload) = 0;
  virtual void SendItems(std::vector<std::string> items) = 0;

 private:
  void SendBatch() { SendItems(batch_.Take()); }
  Batch batch_;
};

// Joined by `separator`, between `before` and `after`.
[[nodiscard]] std::string JoinItems(const std::vector<std::string>& items, std::string_view before,
                                    std::string_view separator, std::string_view after);
// A delivery to that address; null, and a log line: it is none.
[[nodiscard]] std::unique_ptr<Delivery> DeliveryTo(const SinkContext& context, const std::string& url,
                                                   DeliveryOptions options);

using ReceiverList = std::vector<std::unique_ptr<CallbackReceiver>>;
void AddGenericReceivers(const SinkContext& context, ReceiverList& receivers);   // callback_generic.cc
void AddS3Receiver(const SinkContext& context, ReceiverList& receivers);         // callback_s3.cc
void AddLangfuseReceiver(const SinkContext& context, ReceiverList& receivers);   // callback_langfuse.cc
void AddDatadogReceivers(const SinkContext& context, ReceiverList& receivers);   // callback_datadog.cc

}  // namespace gw::telemetry
