// How does an alert look, and to which address does it go?
#include "telemetry/alert_sink.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>

#include "base/json_tree.h"
#include "telemetry/alert_fold.h"
#include "telemetry/alert_state.h"
#include "telemetry/callback_receiver.h"

namespace gw::telemetry {
namespace {

// What waits for a chat that does not answer; old alerts are of no use.
constexpr size_t kQueueBytesMax = size_t{64} << 10;

std::string ClockTime() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%H:%M:%S}", fmt::gmtime(now));
}

// Teams takes a card.
std::string TeamsBody(const std::string& text) {
  const json::Object card{{"type", "AdaptiveCard"},
                          {"version", "1.4"},
                          {"body", json::Array{json::Object{{"type", "TextBlock"}, {"text", text}, {"wrap", true}}}}};
  return json::Serialize(json::Object{
      {"type", "message"},
      {"attachments",
       json::Array{json::Object{{"contentType", "application/vnd.microsoft.card.adaptive"}, {"content", card}}}}});
}

class AlertSink final : public Sink {
 public:
  AlertSink(const SinkContext& context, const config::AlertSettings& settings)
      : snapshot_(context.snapshot), observer_(context.delivery.observer), settings_(settings),
        state_(settings, SteadyClock::now()) {
    const auto add = [&](const std::string& url) {
      if (url.empty() || deliveries_.contains(url)) return;
      DeliveryOptions options;
      options.sink = std::string(name());
      options.queue_bytes_max = kQueueBytesMax;
      if (auto delivery = DeliveryTo(context, url, std::move(options))) deliveries_[url] = std::move(delivery);
    };
    for (const std::string& url : settings_.slack_urls) add(url);
    for (const auto& [type, urls] : settings_.urls_by_type) {
      for (const std::string& url : urls) add(url);
    }
    add(settings_.ms_teams_url);
  }

  [[nodiscard]] std::string_view name() const override { return "alerting"; }
  [[nodiscard]] bool wants_starts() const override { return settings_.Has("llm_requests_hanging"); }

  [[nodiscard]] bool wants_tests() const override { return true; }

  void OnRecord(const RequestRecord& record) override {
    if (record.kind == RequestRecord::Kind::kTest) {
      const std::string text = Format({"budget_alerts", "Low", "This is a test alert", ""});
      if (record.test_of == "slack") PostToSlack("budget_alerts", text);
      if (record.test_of == "ms_teams") PostToTeams(text);
      return;
    }
    state_.OnRecord(record);
    Collect();
  }

  void OnLost() override { state_.OnLost(); }

  void Inherit(Sink& before) override {
    auto* const replaced = dynamic_cast<AlertSink*>(&before);
    if (replaced == nullptr) return;
    std::set<std::string_view> ids;
    for (const config::Deployment& deployment : snapshot_->deployments) ids.insert(deployment.id);
    state_.Inherit(replaced->state_, ids);
  }

  void OnTick(TimePoint now) override {
    state_.OnTick(now);
    Collect();
    if (waiting_.empty()) {
      flushed_ = now;
    } else if (now - flushed_ >= FromSeconds(settings_.flush_interval_s)) {
      flushed_ = now;
      SendAll();
    }
  }

  net::Task<void> Flush(TimePoint deadline) override {
    Collect();
    SendAll();
    for (const auto& [url, delivery] : deliveries_) co_await delivery->Drain(deadline);
  }

 private:
  void Collect() {
    for (Alert& alert : state_.Take()) {
      if (!waiting_.Add(std::move(alert))) observer_.OnRecords(name(), "dropped_queue", 1);
    }
  }

  [[nodiscard]] std::string Format(const Alert& alert) const {
    std::string text = fmt::format("Alert type: `{}`", alert.type);
    if (alert.type == "daily_reports") {
      text += alert.text;
    } else {
      text += fmt::format("\nLevel: `{}`\nTimestamp: `{}`\n\nMessage: {}", alert.level, ClockTime(), alert.text);
    }
    if (!settings_.proxy_base_url.empty()) text += fmt::format("\n\nProxy URL: `{}`", settings_.proxy_base_url);
    return text;
  }

  void SendAll() {
    for (const AlertFold::Folded& folded : waiting_.Take()) {
      std::string text = Format(folded.first);
      if (folded.count > 1) text.insert(0, fmt::format("[Num Alerts: {}]\n\n", folded.count));
      PostToSlack(folded.first.type, text);
      PostToTeams(text);
    }
  }

  void PostToSlack(std::string_view type, const std::string& text) {
    if (!settings_.slack) return;
    const auto own = settings_.urls_by_type.find(type);
    const auto& urls = own == settings_.urls_by_type.end() ? settings_.slack_urls : own->second;
    for (const std::string& url : urls) Post(url, json::Serialize(json::Object{{"text", SlackText(text)}}));
  }
  void PostToTeams(const std::string& text) {
    if (!settings_.ms_teams_url.empty()) Post(settings_.ms_teams_url, TeamsBody(text));
  }

  void Post(const std::string& url, std::string body) {
    const auto found = deliveries_.find(url);
    if (found == deliveries_.end()) return;
    HttpMessage message;
    message.headers = {{"content-type", "application/json"}};
    message.body = std::move(body);
    found->second->Send(std::move(message));
  }

  const config::SnapshotPtr snapshot_;
  DeliveryObserver& observer_;
  const config::AlertSettings settings_;
  AlertState state_;
  std::map<std::string, std::unique_ptr<Delivery>> deliveries_;  // by URL
  AlertFold waiting_;
  TimePoint flushed_{};
};

}  // namespace

std::string SlackText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

void AddAlertSink(const SinkContext& context, SinkList& sinks) {
  const auto& settings = context.snapshot->telemetry.callbacks.alerts;
  if (settings) sinks.push_back(std::make_unique<AlertSink>(context, *settings));
}

}  // namespace gw::telemetry
