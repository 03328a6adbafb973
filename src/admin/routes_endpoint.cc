#include "admin/routes_endpoint.h"

#include "api/route_table.h"
#include "base/strings.h"

namespace gw::admin {

namespace {

constexpr std::string_view kPage =
    R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Intertie</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 4rem auto; padding: 0 1rem; }
code { background: #eef1f4; padding: .1rem .3rem; border-radius: 3px; }
</style>
</head>
<body>
<h1>Intertie</h1>
<p>Version )" GW_VERSION
    R"(. A gateway for language models: it speaks OpenAI's API to clients and reads
LiteLLM's configuration.</p>
<ul>
<li>Inference: <code>POST v1/chat/completions</code>, <code>v1/completions</code>,
<code>v1/embeddings</code></li>
<li>Models: <a href="v1/models">v1/models</a> (needs a key)</li>
<li>Health: <a href="health/liveliness">health/liveliness</a>,
<a href="health/readiness">health/readiness</a></li>
<li>Metrics: <a href="metrics/">metrics/</a></li>
<li>Everything: <a href="routes">routes</a></li>
</ul>
</body>
</html>
)";

std::string_view NameOf(api::RouteId id) {
  switch (id) {
    case api::RouteId::kChat:
      return "chat_completion";
    case api::RouteId::kCompletions:
      return "completion";
    case api::RouteId::kEmbeddings:
      return "embeddings";
    case api::RouteId::kTranscriptions:
      return "audio_transcriptions";
    case api::RouteId::kSpeech:
      return "audio_speech";
    case api::RouteId::kMessages:
      return "anthropic_messages";
    case api::RouteId::kModels:
      return "model_list";
    case api::RouteId::kModel:
      return "model";
    case api::RouteId::kModelInfo:
      return "model_info";
    case api::RouteId::kModelGroupInfo:
      return "model_group_info";
    case api::RouteId::kLiveness:
      return "health_liveliness";
    case api::RouteId::kReadiness:
      return "health_readiness";
    case api::RouteId::kReadinessDetails:
      return "health_readiness_details";
    case api::RouteId::kBacklog:
      return "health_backlog";
    case api::RouteId::kHealthServices:
      return "health_services_endpoint";
    case api::RouteId::kHealth:
      return "health";
    case api::RouteId::kMetrics:
      return "metrics";
    case api::RouteId::kRoutes:
      return "routes";
    case api::RouteId::kReload:
      return "config_reload";
    case api::RouteId::kExplain:
      return "router_explain";
    case api::RouteId::kTest:
      return "test";
    case api::RouteId::kCachePing:
      return "cache_ping";
    case api::RouteId::kCacheDelete:
      return "cache_delete";
    case api::RouteId::kCacheFlush:
      return "cache_flushall";
    case api::RouteId::kCacheRedisInfo:
      return "cache_redis_info";
    case api::RouteId::kRoot:
      return "root";
  }
  return "";
}

json::Array MethodsOf(const api::RouteRow& row) {
  json::Array methods;
  for (const std::string_view method : Split(api::MethodList(row.methods), ',')) {
    methods.emplace_back(json::Value(boost::json::string_view(Trim(method))));
  }
  return methods;
}

}  // namespace

Answer RoutesAnswer() {
  json::Array routes;
  for (const api::RouteRow& row : api::AllRoutes()) {
    const boost::json::string_view name(NameOf(row.id));
    json::Object entry;
    entry["path"] = boost::json::string_view(row.path);
    entry["methods"] = MethodsOf(row);
    entry["name"] = name;
    entry["endpoint"] = name;
    routes.emplace_back(std::move(entry));
  }
  json::Object body;
  body["routes"] = std::move(routes);
  return JsonAnswer(200, body);
}

Answer RootAnswer(bool no_docs) {
  if (no_docs) return DetailAnswer(404, "Not Found");
  Answer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body = kPage;
  return answer;
}

Answer TestAnswer() {
  Answer answer;
  answer.body = R"({"route":"/test"})";
  return answer;
}

Answer OptionsAnswer(std::string_view allow) {
  Answer answer;
  answer.content_type = {};
  for (const char* name : {"allow", "access-control-allow-methods"}) {
    answer.header_lines += name;
    answer.header_lines += ": ";
    answer.header_lines += allow;
    answer.header_lines += "\r\n";
  }
  answer.header_lines += "access-control-allow-headers: *\r\n";
  return answer;
}

Answer MethodNotAllowedAnswer(std::string_view allow) {
  Answer answer = DetailAnswer(405, "Method Not Allowed");
  answer.header_lines = "allow: ";
  answer.header_lines += allow;
  answer.header_lines += "\r\n";
  return answer;
}

Answer RedirectAnswer(std::string_view root_path, std::string_view location,
                      std::string_view query) {
  Answer answer;
  answer.status = 307;
  answer.content_type = {};
  while (root_path.ends_with('/')) root_path.remove_suffix(1);
  answer.header_lines = "location: ";
  answer.header_lines += root_path;
  answer.header_lines += location;
  if (!query.empty()) {
    answer.header_lines += '?';
    answer.header_lines += query;
  }
  answer.header_lines += "\r\n";
  return answer;
}

}  // namespace gw::admin
