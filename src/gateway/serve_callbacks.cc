// Is a callback configured, and what does its test event look like?
#include "gateway/serve_callbacks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "base/strings.h"
#include "config/callback_settings.h"
#include "gateway/core.h"
#include "telemetry/hub.h"

namespace gw::gateway {

namespace {

constexpr std::string_view kQuestion = R"({"messages":[{"role":"user","content":"Is anybody there?"}]})";
constexpr std::string_view kReply =
    R"({"id":"test","object":"chat.completion","choices":[{"index":0,"finish_reason":"stop",)"
    R"("message":{"role":"assistant","content":"This is a test event"}}]})";

bool IsConfigured(const config::CallbackSettings& settings, std::string_view service) {
  if (service == "s3_v2") return settings.s3.has_value();
  if (service == "langfuse") return settings.langfuse.has_value();
  if (service == "datadog") return settings.datadog.has_value();
  if (service == "datadog_metrics") return settings.datadog_metrics.has_value();
  return std::any_of(settings.generic.begin(), settings.generic.end(),
                     [service](const auto& api) { return api.name == service; });
}

void PublishTest(Worker& worker, const View& view, std::string_view service) {
  auto record = std::make_unique<telemetry::RequestRecord>();
  record->snapshot = view.core->snapshot;
  record->kind = telemetry::RequestRecord::Kind::kTest;
  record->test_of = service;
  record->worker = worker.index();
  record->call_id = MakeUuid();
  record->method = "GET";
  record->path = record->route = "/health/services";
  record->end_user = "litellm:/health/services";
  record->requested_model = "test";
  record->outcome = telemetry::RequestRecord::Outcome::kSuccess;
  record->status = 200;
  record->arrived = record->started = record->finished = SteadyClock::now();
  record->finished_unix_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  record->request_body = kQuestion;
  record->response_body = kReply;
  view.core->runtime.telemetry->Publish(worker.index(), std::move(record));
}

admin::Answer Refused(int status, std::string message) {
  return admin::ErrorAnswer(ClientError(status, std::move(message), "invalid_request_error", ""));
}

}  // namespace

admin::Answer TestService(Worker& worker, const View& view, std::string_view query) {
  const config::CallbackSettings& settings = view.core->snapshot->telemetry.callbacks;
  std::string service = admin::QueryValue(query, "service").value_or("");
  if (service.empty()) {
    admin::Answer missing;
    missing.status = 422;
    missing.body = R"({"detail":[{"type":"missing","loc":["query","service"],"msg":"Field required"}]})";
    return missing;
  }
  if (service == "s3") service = "s3_v2";
  if (service == "slack_budget_alerts") service = "slack";
  if (service == "slack" || service == "ms_teams") {
    const auto& alerts = settings.alerts;
    if (!alerts || (service == "slack" ? !alerts->slack : alerts->ms_teams_url.empty())) {
      return Refused(422, "\"" + service + "\" not in proxy config: general_settings. Unable to test this.");
    }
    PublishTest(worker, view, service);
    json::Object body{{"status", "success"},
                      {"message", "Mock alert sent to " + service + ", verify that it was received"}};
    json::Array types;
    for (const std::string& type : alerts->types) types.emplace_back(type);
    body["alert_types"] = std::move(types);
    return admin::JsonAnswer(200, body);
  }
  if (!IsConfigured(settings, service)) {
    return Refused(400, "Service=" + service + " is not configured as a callback, add it to litellm_settings.callbacks.");
  }
  PublishTest(worker, view, service);
  return admin::JsonAnswer(
      200, json::Object{{"status", "success"}, {"message", "Mock LLM request made - check " + service + "."}});
}

}  // namespace gw::gateway
