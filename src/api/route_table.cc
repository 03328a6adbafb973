#include "api/route_table.h"

#include <array>

namespace gw::api {

namespace {

constexpr uint8_t kPost = kMethodPost;
// compat: LiteLLM answers 405 to HEAD except on /metrics; load balancers probe with it.
constexpr uint8_t kGet = kMethodGet | kMethodHead;
constexpr uint8_t kProbe = kGet | kMethodOptions;
constexpr uint8_t kScrape = kGet | kMethodPost;

// Busiest first. Rows with {model} are only printed: MatchWithModel finds them.
constexpr std::array kTable = {
    RouteRow{"/v1/chat/completions", RouteId::kChat, kPost},
    RouteRow{"/chat/completions", RouteId::kChat, kPost},
    RouteRow{"/v1/embeddings", RouteId::kEmbeddings, kPost},
    RouteRow{"/v1/messages", RouteId::kMessages, kPost},
    RouteRow{"/v1/completions", RouteId::kCompletions, kPost},
    RouteRow{"/embeddings", RouteId::kEmbeddings, kPost},
    RouteRow{"/completions", RouteId::kCompletions, kPost},
    RouteRow{"/health/readiness", RouteId::kReadiness, kProbe},
    RouteRow{"/health/liveliness", RouteId::kLiveness, kProbe},
    RouteRow{"/health/liveness", RouteId::kLiveness, kProbe},
    RouteRow{"/metrics", RouteId::kMetrics, kScrape},
    RouteRow{"/metrics/", RouteId::kMetrics, kScrape},
    RouteRow{"/v1/audio/transcriptions", RouteId::kTranscriptions, kPost},
    RouteRow{"/audio/transcriptions", RouteId::kTranscriptions, kPost},
    RouteRow{"/v1/audio/speech", RouteId::kSpeech, kPost},
    RouteRow{"/audio/speech", RouteId::kSpeech, kPost},
    RouteRow{"/v1/models", RouteId::kModels, kGet},
    RouteRow{"/models", RouteId::kModels, kGet},
    RouteRow{"/v1/model/info", RouteId::kModelInfo, kGet},
    RouteRow{"/model/info", RouteId::kModelInfo, kGet},
    RouteRow{"/model_group/info", RouteId::kModelGroupInfo, kGet},
    RouteRow{"/health", RouteId::kHealth, kGet},
    RouteRow{"/health/readiness/details", RouteId::kReadinessDetails, kGet},
    RouteRow{"/health/backlog", RouteId::kBacklog, kGet},
    RouteRow{"/health/services", RouteId::kHealthServices, kGet},
    RouteRow{"/routes", RouteId::kRoutes, kGet},
    RouteRow{"/test", RouteId::kTest, kGet},
    RouteRow{"/config/reload", RouteId::kReload, kPost},
    RouteRow{"/router/explain", RouteId::kExplain, kPost},
    RouteRow{"/", RouteId::kRoot, kGet},
    RouteRow{"/cache/ping", RouteId::kCachePing, kGet},
    RouteRow{"/cache/delete", RouteId::kCacheDelete, kPost},
    RouteRow{"/cache/flushall", RouteId::kCacheFlush, kPost},
    RouteRow{"/cache/redis/info", RouteId::kCacheRedisInfo, kGet},
    RouteRow{"/engines/{model}/chat/completions", RouteId::kChat, kPost},
    RouteRow{"/engines/{model}/completions", RouteId::kCompletions, kPost},
    RouteRow{"/engines/{model}/embeddings", RouteId::kEmbeddings, kPost},
    RouteRow{"/openai/deployments/{model}/chat/completions", RouteId::kChat, kPost},
    RouteRow{"/openai/deployments/{model}/completions", RouteId::kCompletions, kPost},
    RouteRow{"/openai/deployments/{model}/embeddings", RouteId::kEmbeddings, kPost},
    RouteRow{"/v1/models/{model}", RouteId::kModel, kGet},
    RouteRow{"/models/{model}", RouteId::kModel, kGet},
};

constexpr std::string_view kModelPart = "{model}";

constexpr size_t CountFixed() {
  size_t count = 0;
  while (count < kTable.size() && kTable[count].path.find(kModelPart) == std::string_view::npos) {
    ++count;
  }
  return count;
}
constexpr size_t kFixed = CountFixed();
static_assert(kFixed == 34, "rows with {model} come last");

const RouteRow* FindFixed(std::string_view path) {
  for (size_t i = 0; i < kFixed; ++i) {
    if (kTable[i].path == path) return &kTable[i];
  }
  return nullptr;
}

// Rows with {model}: what stands before and behind it must match, the rest is the model, slashes
// included ("org/name" is one name). Longer suffixes come first in the table.
const RouteRow* FindWithModel(std::string_view path, std::string_view& model) {
  for (size_t i = kFixed; i < kTable.size(); ++i) {
    const std::string_view pattern = kTable[i].path;
    const size_t mark = pattern.find(kModelPart);
    const std::string_view prefix = pattern.substr(0, mark);
    const std::string_view suffix = pattern.substr(mark + kModelPart.size());
    if (path.size() <= prefix.size() + suffix.size()) continue;
    if (!path.starts_with(prefix) || !path.ends_with(suffix)) continue;
    const std::string_view text =
        path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
    if (text.front() == '/' || text.back() == '/') continue;
    model = text;
    return &kTable[i];
  }
  return nullptr;
}

uint8_t MethodBit(std::string_view method) {
  if (method == "POST") return kMethodPost;
  if (method == "GET") return kMethodGet;
  if (method == "HEAD") return kMethodHead;
  if (method == "OPTIONS") return kMethodOptions;
  return 0;
}

RouteMatch Decide(const RouteRow& row, std::string_view method, std::string_view model) {
  RouteMatch match;
  match.id = row.id;
  match.label = row.path;
  match.model = model;
  const uint8_t bit = MethodBit(method);
  if ((bit & row.methods) == 0) {
    match.verdict = RouteVerdict::kMethodNotAllowed;
    match.allow = MethodList(row.methods);
  } else if (bit == kMethodOptions) {
    match.verdict = RouteVerdict::kOptions;
    match.allow = MethodList(row.methods);
  } else {
    match.verdict = RouteVerdict::kFound;
  }
  return match;
}

}  // namespace

RouteMatch MatchRoute(std::string_view method, std::string_view path) {
  if (const RouteRow* row = FindFixed(path)) return Decide(*row, method, {});
  // compat: LiteLLM mounts the exposition, so that any path below answers.
  if (path.starts_with("/metrics/")) return Decide(*FindFixed("/metrics/"), method, {});
  const bool slash = path.size() > 2 && path.back() == '/';
  const std::string_view bare = slash ? path.substr(0, path.size() - 1) : path;
  std::string_view model;
  const RouteRow* row = slash ? FindFixed(bare) : nullptr;
  if (row == nullptr) row = FindWithModel(bare, model);
  if (row == nullptr) return {};
  if (!slash) return Decide(*row, method, model);
  RouteMatch match;
  match.verdict = RouteVerdict::kRedirect;
  match.id = row->id;
  match.label = row->path;
  match.location = bare;
  return match;
}

std::string_view StripRootPath(std::string_view path, std::string_view root) {
  while (!root.empty() && root.back() == '/') root.remove_suffix(1);
  if (root.empty() || !path.starts_with(root)) return path;
  const std::string_view rest = path.substr(root.size());
  if (rest.empty()) return "/";
  return rest.front() == '/' ? rest : path;
}

std::optional<Endpoint> EndpointOf(RouteId id) {
  switch (id) {
    case RouteId::kChat:
      return Endpoint::kChat;
    case RouteId::kCompletions:
      return Endpoint::kCompletions;
    case RouteId::kEmbeddings:
      return Endpoint::kEmbeddings;
    case RouteId::kMessages:
      return Endpoint::kMessages;
    case RouteId::kTranscriptions:
      return Endpoint::kTranscriptions;
    case RouteId::kSpeech:
      return Endpoint::kSpeech;
    default:
      return std::nullopt;
  }
}

std::span<const RouteRow> AllRoutes() { return kTable; }

std::string_view MethodList(uint8_t methods) {
  switch (methods) {
    case kPost:
      return "POST";
    case kGet:
      return "GET, HEAD";
    case kProbe:
      return "GET, HEAD, OPTIONS";
    case kScrape:
      return "GET, HEAD, POST";
    default:
      return "";
  }
}

}  // namespace gw::api
