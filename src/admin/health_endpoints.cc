#include "admin/health_endpoints.h"

#include <algorithm>

#include "base/strings.h"

namespace gw::admin {

namespace {

// Upstream texts may be long pages; the operator needs the first line.
constexpr size_t kProbeErrorBytesMax = 300;

boost::json::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

Answer Static(int status, std::string_view body) {
  Answer answer;
  answer.status = status;
  answer.body = body;
  return answer;
}

// compat: LiteLLM puts its stack trace, with local paths, into "error".
std::string_view FirstLine(std::string_view text) {
  text = Trim(text);
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.size() <= kProbeErrorBytesMax) return text;
  size_t end = kProbeErrorBytesMax;
  // Not in the middle of a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

json::Object EndpointEntry(const config::Snapshot& snapshot, const ProbeOutcome& outcome) {
  const config::Deployment& d = *outcome.deployment;
  json::Object entry;
  if (snapshot.general.health_check_details) {
    if (!d.api_base.empty()) entry["api_base"] = Text(d.api_base);
    entry["model"] = Text(d.litellm_model);
  }
  entry["model_id"] = Text(d.id);
  if (!outcome.healthy && snapshot.general.health_check_details) {
    const std::string_view why = FirstLine(outcome.error);
    entry["error"] = Text(why.empty() ? "the probe failed" : why);
  }
  return entry;
}

struct Filter {
  std::optional<std::string> model, model_id;

  explicit Filter(std::string_view query)
      : model(QueryValue(query, "model")), model_id(QueryValue(query, "model_id")) {
    if (model && model->empty()) model.reset();
    if (model_id && model_id->empty()) model_id.reset();
  }
  [[nodiscard]] bool Any() const { return model || model_id; }
  [[nodiscard]] bool Takes(const config::Deployment& d) const {
    if (model_id && d.id != *model_id) return false;
    return !model || d.model_name == *model || d.litellm_model == *model;
  }
};

}  // namespace

Answer LivenessAnswer(bool draining) {
  if (draining) return Static(503, R"({"status":"shutting down"})");
  return Static(200, R"("I'm alive!")");
}

Answer ReadinessAnswer(const config::Snapshot& snapshot, const RuntimeFacts& facts, bool draining) {
  if (snapshot.general.public_readiness_details) {
    return ReadinessDetailsAnswer(snapshot, facts, draining);
  }
  if (draining) return Static(503, R"({"status":"shutting down"})");
  return Static(200, R"({"status":"healthy","db":"Not connected"})");
}

Answer ReadinessDetailsAnswer(const config::Snapshot& snapshot, const RuntimeFacts& facts,
                              bool draining) {
  if (draining) return Static(503, R"({"status":"shutting down"})");
  json::Array callbacks;
  for (const std::string& name : snapshot.proxy.callbacks) callbacks.emplace_back(Text(name));
  json::Object body;
  body["status"] = "healthy";
  body["db"] = "Not connected";
  body["cache"] = nullptr;
  // What serves, also where redis was asked for without naming a server.
  config::CacheType serving = snapshot.cache.type;
  if (!snapshot.cache.redis.on()) serving = config::CacheType::kLocal;
  if (snapshot.cache.on()) body["cache"] = Text(config::CacheTypeName(serving));
  body["litellm_version"] = Text(facts.compat_version);
  body["intertie_version"] = GW_VERSION;
  body["success_callbacks"] = std::move(callbacks);
  // compat: two members about the reference's own HTTP client and Redis, kept for scripts that
  // read every member.
  body["use_aiohttp_transport"] = false;
  body["show_no_redis_warning"] = false;
  body["show_env_credential_login_warning"] = false;
  body["log_level"] = Text(facts.log_level);
  body["is_detailed_debug"] = facts.detailed_debug;
  return JsonAnswer(200, body);
}

Answer BacklogAnswer(int64_t in_flight) {
  json::Object body;
  body["in_flight_requests"] = in_flight;
  // Requests are never queued here: a full gateway refuses new connections instead.
  body["admitted_requests"] = 0;
  body["queued_requests"] = 0;
  body["rejected_requests"] = 0;
  return JsonAnswer(200, body);
}

std::vector<const config::Deployment*> SelectForHealth(const config::Snapshot& snapshot,
                                                       std::string_view query) {
  const Filter filter(query);
  std::vector<const config::Deployment*> selected;
  for (const config::Deployment& d : snapshot.deployments) {
    if (filter.Takes(d)) selected.push_back(&d);
  }
  return selected;
}

Answer HealthAnswer(const config::Snapshot& snapshot, std::span<const ProbeOutcome> outcomes,
                    std::string_view query) {
  json::Array healthy, unhealthy;
  for (const ProbeOutcome& outcome : outcomes) {
    if (outcome.deployment == nullptr) continue;
    (outcome.healthy ? healthy : unhealthy).emplace_back(EndpointEntry(snapshot, outcome));
  }
  // An empty gateway is not ill; a filter that finds nothing is.
  const bool failed = healthy.empty() && (!unhealthy.empty() || Filter(query).Any());
  json::Object body;
  const auto healthy_count = static_cast<int64_t>(healthy.size());
  const auto unhealthy_count = static_cast<int64_t>(unhealthy.size());
  body["healthy_endpoints"] = std::move(healthy);
  body["unhealthy_endpoints"] = std::move(unhealthy);
  body["healthy_count"] = healthy_count;
  body["unhealthy_count"] = unhealthy_count;
  return JsonAnswer(failed ? 503 : 200, body);
}

Answer CachedHealthAnswer(const config::Snapshot& snapshot, std::span<const ProbeOutcome> outcomes,
                          std::string_view query) {
  const Filter filter(query);
  std::vector<ProbeOutcome> selected;
  for (const ProbeOutcome& outcome : outcomes) {
    if (outcome.deployment != nullptr && filter.Takes(*outcome.deployment))
      selected.push_back(outcome);
  }
  return HealthAnswer(snapshot, selected, query);
}

}  // namespace gw::admin
