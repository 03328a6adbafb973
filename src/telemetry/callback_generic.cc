// generic_api: payloads as JSON to an address of the operator's.
#include "base/strings.h"
#include "telemetry/callback_receiver.h"

namespace gw::telemetry {
namespace {

using Format = config::GenericApiSettings::Format;
constexpr size_t kBatchBytesMax = size_t{4} << 20;

class GenericReceiver final : public BatchReceiver {
 public:
  GenericReceiver(const config::GenericApiSettings& api, std::unique_ptr<Delivery> delivery, Batch batch)
      : BatchReceiver(api.name, api.events, std::move(delivery), std::move(batch)), format_(api.format), headers_(api.headers) {
    if (api.format == Format::kNdjson) content_type_ = "application/x-ndjson";
    for (auto it = headers_.begin(); it != headers_.end(); ++it) {
      if (!EqualsIgnoreCase(it->first, "content-type")) continue;
      content_type_ = it->second;
      headers_.erase(it);
      break;
    }
    headers_.emplace_back("content-type", content_type_);
  }

 protected:
  std::string Encode(const LoggedRequest&, const LoggedEvent&, const json::Object& payload) override {
    return json::Serialize(payload);
  }
  void SendItems(std::vector<std::string> items) override {
    if (format_ == Format::kSingle) {
      for (std::string& item : items) Post(std::move(item), 1);
      return;
    }
    const auto count = static_cast<uint32_t>(items.size());
    const bool is_lines = format_ == Format::kNdjson;
    Post(is_lines ? JoinItems(items, "", "\n", "") : JoinItems(items, "[", ",", "]"), count);
  }

 private:
  void Post(std::string body, uint32_t records) {
    HttpMessage message;
    message.headers = headers_;
    message.body = std::move(body);
    message.records = records;
    delivery_->Send(std::move(message));
  }

  const Format format_;
  HeaderList headers_;
  std::string content_type_ = "application/json";
};

}  // namespace

void AddGenericReceivers(const SinkContext& context, ReceiverList& receivers) {
  const config::CallbackSettings& settings = context.snapshot->telemetry.callbacks;
  for (const config::GenericApiSettings& api : settings.generic) {
    DeliveryOptions options;
    options.sink = api.name;
    if (api.timeout_s) options.timeout = FromSeconds(*api.timeout_s);
    if (api.retries_max) options.attempts_max = *api.retries_max + 1;
    if (api.retry_delay_s) options.backoff_first = FromSeconds(*api.retry_delay_s);
    if (api.format == Format::kSingle) options.parallel = 8;
    auto delivery = DeliveryTo(context, api.url, std::move(options));
    if (delivery == nullptr) continue;
    receivers.push_back(std::make_unique<GenericReceiver>(
        api, std::move(delivery),
        Batch(static_cast<size_t>(settings.batch_size), kBatchBytesMax, FromSeconds(settings.flush_interval_s))));
  }
}

}  // namespace gw::telemetry
