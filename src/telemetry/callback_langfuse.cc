// langfuse: batches to the ingestion API, POST /api/public/ingestion.
#include "base/strings.h"
#include "telemetry/callback_receiver.h"
#include "telemetry/langfuse_limits.h"
#include "telemetry/sigv4.h"

namespace gw::telemetry {
namespace {

constexpr size_t kBatchBytesMax = size_t{2} << 20;  // Langfuse takes 3.5 MB

class LangfuseReceiver final : public BatchReceiver {
 public:
  LangfuseReceiver(const config::LangfuseSettings& settings, std::string proxy_base_url,
                   std::unique_ptr<Delivery> delivery, Batch batch)
      : BatchReceiver("langfuse", settings.events, std::move(delivery), std::move(batch)),
        authorization_("Basic " + Base64(settings.public_key + ":" + settings.secret_key)),
        public_key_(settings.public_key),
        proxy_base_url_(std::move(proxy_base_url)) {}

 protected:
  std::string Encode(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) override {
    const std::string id = MakeUuid();
    const std::string ids[2] = {id, id + std::string(kGenerationSuffix)};
    LangfuseEvents events = MakeLangfuseEvents(request, event, payload, ids, proxy_base_url_);
    return LangfuseItem(events, kBatchBytesMax);
  }
  void SendItems(std::vector<std::string> items) override {
    const json::Object about{{"batch_size", items.size() * 2}, {"sdk_name", "intertie"}, {"public_key", public_key_}};
    HttpMessage message;
    message.headers = {{"content-type", "application/json"}, {"authorization", authorization_}};
    message.body = JoinItems(items, "{\"batch\":[", ",", "],\"metadata\":" + json::Serialize(about) + "}");
    message.records = static_cast<uint32_t>(items.size());
    delivery_->Send(std::move(message));
  }

 private:
  const std::string authorization_, public_key_, proxy_base_url_;
};

}  // namespace

void AddLangfuseReceiver(const SinkContext& context, ReceiverList& receivers) {
  const config::CallbackSettings& settings = context.snapshot->telemetry.callbacks;
  if (!settings.langfuse) return;
  DeliveryOptions options;
  options.sink = "langfuse";
  options.on_delivered = LangfuseRejection;
  auto delivery = DeliveryTo(context, settings.langfuse->host + "/api/public/ingestion", std::move(options));
  if (delivery == nullptr) return;
  receivers.push_back(std::make_unique<LangfuseReceiver>(
      *settings.langfuse, settings.proxy_base_url, std::move(delivery),
      Batch(static_cast<size_t>(settings.batch_size), kBatchBytesMax, FromSeconds(settings.langfuse->flush_interval_s))));
}

}  // namespace gw::telemetry
