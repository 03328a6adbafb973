// datadog and datadog_metrics: log entries and series, gzipped, to Datadog's intake v2.
#include "base/json.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "telemetry/callback_receiver.h"
#include "telemetry/shorten.h"

namespace gw::telemetry {
namespace {

constexpr size_t kBatchBytesMax = 4'000'000;  // Datadog takes 5 MB
constexpr size_t kFieldBytesMax = 10'000;     // one entry: 1 MB
constexpr size_t kTagBytesMax = 200;
constexpr size_t kRequestTagsMax = 100;

// Lower case; what Datadog does not take in a tag becomes one '_'.
std::string TagValue(std::string_view text) {
  std::string out;
  for (const char raw : text) {
    const char c = AsciiLower(raw);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.' ||
                          c == '/' || static_cast<unsigned char>(c) >= 0x80;
    if (is_plain) {
      out += c;
    } else if (!out.ends_with('_')) {
      out += '_';
    }
  }
  while (out.starts_with('_')) out.erase(0, 1);
  if (out.size() > kTagBytesMax) out = CutUtf8(out, kTagBytesMax);
  while (out.ends_with('_')) out.pop_back();
  return out;
}

std::vector<std::string> BaseTags(const config::DatadogSource& source) {
  return {"env:" + source.env, "service:" + source.service, "version:" + source.version,
          "HOSTNAME:" + source.hostname, "POD_NAME:" + source.pod_name};
}

void AddTeam(const LoggedRequest& request, std::vector<std::string>& tags) {
  if (request.settings.redact_user_api_key_info) return;
  const RequestRecord& record = request.record;
  const std::string& team = record.team_alias.empty() ? record.team : record.team_alias;
  if (!team.empty() && team != "None") tags.push_back("team:" + TagValue(team));
}

// Members that are too long for an entry become their beginning, as text.
json::Object Shortened(const json::Object& payload) {
  json::Object out = payload;
  for (auto& member : out) {
    json::Value& value = member.value();
    if (!value.is_string() && !value.is_object() && !value.is_array()) continue;
    ShortenValue(value, kFieldBytesMax);
  }
  return out;
}

class DatadogReceiver final : public BatchReceiver {
 public:
  DatadogReceiver(const config::DatadogSettings& settings, config::DatadogSource source,
                  std::unique_ptr<Delivery> delivery, Batch batch)
      : BatchReceiver("datadog", settings.events, std::move(delivery), std::move(batch)),
        api_key_(settings.api_key),
        ddsource_(settings.ddsource),
        source_(std::move(source)) {}

 protected:
  std::string Encode(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) override {
    std::vector<std::string> tags = BaseTags(source_);
    for (const std::string& tag : request.tags) {
      if (tags.size() < kRequestTagsMax) tags.push_back("request_tag:" + TagValue(tag));
    }
    AddTeam(request, tags);
    return json::Serialize(json::Object{{"ddsource", ddsource_},
                                        {"ddtags", JoinItems(tags, "", ",", "")},
                                        {"hostname", source_.hostname},
                                        {"message", json::Serialize(Shortened(payload))},
                                        {"service", source_.service},
                                        {"status", event.success ? "info" : "error"}});
  }
  void SendItems(std::vector<std::string> items) override {
    HttpMessage message;
    message.headers = {{"content-type", "application/json"}};
    if (!api_key_.empty()) message.headers.emplace_back("dd-api-key", api_key_);
    message.body = JoinItems(items, "[", ",", "]");
    message.records = static_cast<uint32_t>(items.size());
    delivery_->Send(std::move(message));
  }

 private:
  const std::string api_key_, ddsource_;
  const config::DatadogSource source_;
};

class DatadogMetricsReceiver final : public BatchReceiver {
 public:
  DatadogMetricsReceiver(const config::DatadogMetricsSettings& settings, config::DatadogSource source,
                         double interval_s, std::unique_ptr<Delivery> delivery, Batch batch)
      : BatchReceiver("datadog_metrics", settings.events, std::move(delivery), std::move(batch)),
        api_key_(settings.api_key),
        app_key_(settings.app_key),
        source_(std::move(source)),
        interval_s_(interval_s) {}

 protected:
  std::string Encode(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) override {
    const RequestRecord& r = request.record;
    std::vector<std::string> tags = BaseTags(source_);
    for (const auto& [member, tag] : {std::pair{"custom_llm_provider", "provider:"}, {"model", "model_name:"},
                                      {"model_group", "model_group:"}}) {
      const std::string_view value = json::GetString(payload, member);
      if (!value.empty()) tags.push_back(tag + std::string(value));
    }
    std::vector<std::string> timed = tags;
    AddTeam(request, timed);
    tags.push_back("status_code:" + std::to_string(event.success ? 200 : event.status));
    AddTeam(request, tags);
    const int64_t at = r.UnixNs(event.end) / 1'000'000'000;
    std::vector<std::string> series;
    series.push_back(Series("litellm.request.total_latency", 3, at, Seconds(event.end - r.arrived), tags, 0));
    if (event.attempt != nullptr) {
      series.push_back(Series("litellm.llm_api.latency", 3, at, Seconds(event.end - event.begin), tags, 0));
    }
    const json::Value* hidden = json::Get(payload, "hidden_params");
    const json::Value* overhead = hidden == nullptr || !hidden->is_object()
                                      ? nullptr
                                      : json::Get(hidden->get_object(), "litellm_overhead_time_ms");
    if (const auto ms = overhead == nullptr ? std::nullopt : json::AsNumber(*overhead)) {
      series.push_back(Series("litellm.overhead.latency", 3, at, *ms / 1000, timed, 0));
    }
    series.push_back(Series("litellm.llm_api.request_count", 1, at, 1, tags, interval_s_));
    return JoinItems(series, "", ",", "");
  }
  void SendItems(std::vector<std::string> items) override {
    HttpMessage message;
    message.headers = {{"content-type", "application/json"}, {"dd-api-key", api_key_}};
    if (!app_key_.empty()) message.headers.emplace_back("dd-application-key", app_key_);
    message.body = JoinItems(items, "{\"series\":[", ",", "]}");
    message.records = static_cast<uint32_t>(items.size());
    delivery_->Send(std::move(message));
  }

 private:
  // `interval_s` above 0: of a count.
  static std::string Series(std::string_view metric, int type, int64_t at, double value,
                            const std::vector<std::string>& tags, double interval_s) {
    json::Array list;
    for (const std::string& tag : tags) list.emplace_back(tag);
    json::Object out{{"metric", metric}, {"type", type}, {"tags", std::move(list)}};
    out["points"] = json::Array{json::Object{{"timestamp", at}, {"value", value}}};
    if (interval_s > 0) out["interval"] = static_cast<int64_t>(std::max(1.0, interval_s));
    return json::Serialize(out);
  }

  const std::string api_key_, app_key_;
  const config::DatadogSource source_;
  const double interval_s_;
};

}  // namespace

void AddDatadogReceivers(const SinkContext& context, ReceiverList& receivers) {
  const config::CallbackSettings& settings = context.snapshot->telemetry.callbacks;
  const Duration interval = FromSeconds(settings.flush_interval_s);
  DeliveryOptions options;
  options.gzip = true;
  if (settings.datadog) {
    options.sink = "datadog";
    if (auto delivery = DeliveryTo(context, settings.datadog->url, options)) {
      receivers.push_back(std::make_unique<DatadogReceiver>(
          *settings.datadog, settings.datadog_source, std::move(delivery),
          Batch(static_cast<size_t>(settings.datadog->batch_size), kBatchBytesMax, interval)));
    }
  }
  if (settings.datadog_metrics) {
    options.sink = "datadog_metrics";
    if (auto delivery = DeliveryTo(context, settings.datadog_metrics->url, options)) {
      receivers.push_back(std::make_unique<DatadogMetricsReceiver>(
          *settings.datadog_metrics, settings.datadog_source, settings.flush_interval_s, std::move(delivery),
          Batch(static_cast<size_t>(settings.batch_size), kBatchBytesMax / 4, interval)));
    }
  }
}

}  // namespace gw::telemetry
