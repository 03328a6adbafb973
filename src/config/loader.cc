// In which order is a configuration put together?
#include "config/loader.h"

#include "base/strings.h"
#include "config/check.h"
#include "config/deployments.h"
#include "config/document.h"
#include "config/fallbacks.h"
#include "config/load_context.h"
#include "config/metrics_settings.h"
#include "config/price_map.h"
#include "config/proxy_settings.h"
#include "config/router_settings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

void ReadDotenv(LoadContext& context, const LoadOptions& options) {
  if (!options.read_dotenv || context.env.Get("LITELLM_MODE") == "PRODUCTION") return;
  if (const auto text = ReadFile(".env")) context.env.AddDotenv(*text);
}

// Adds to the digest of what this configuration was made from.
void Digest(Snapshot& snapshot, std::string_view text) {
  snapshot.source_digest = Sha256Hex(snapshot.source_digest.append(text));
}

void ReadPriceMap(LoadContext& context, const LoadOptions& options, Snapshot& snapshot) {
  AddBuiltinFacts(snapshot.model_facts);
  std::string path = options.price_map_file;
  if (path.empty()) path = context.env.FirstOf("LITELLM_MODEL_COST_MAP_URL").value_or("");
  if (path.starts_with("file://")) path.erase(0, 7);
  if (path.empty()) return;
  if (path.starts_with("http://") || path.starts_with("https://")) {
    context.Warn({}, "LITELLM_MODEL_COST_MAP_URL",
                 "nothing is downloaded: give the path of a file; the built-in prices are used");
    return;
  }
  context.AddFile(path);
  const auto text = ReadFile(path);
  Digest(snapshot, text.value_or(""));
  const auto problem = text ? AddFactsFromJson(snapshot.model_facts, *text)
                            : std::optional<std::string>("cannot be read");
  if (problem) {
    context.Warn({}, "LITELLM_MODEL_COST_MAP_URL",
                 "price map " + path + ": " + *problem + "; the built-in prices are used");
  }
}

std::optional<yaml::Node> ReadRoot(LoadContext& context, const std::string& file) {
  if (file.empty()) {
    yaml::Node empty;
    empty.kind = yaml::Kind::kMapping;
    return empty;
  }
  return LoadDocument(context, file);
}

// The whole snapshot; what is wrong is in the context.
std::shared_ptr<Snapshot> Build(LoadContext& context, const LoadOptions& options) {
  auto root = ReadRoot(context, options.config_file);
  if (!root) return nullptr;
  ApplyEnvironmentVariables(context, *root);
  ResolveReferences(context, *root, "");
  CheckSections(context, *root);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->source_file = options.config_file;
  std::string resolved;
  yaml::AppendJson(resolved, *root);
  Digest(*snapshot, resolved);
  snapshot->proxy = ReadProxySettings(context, *root);
  snapshot->cache = ReadCacheSettings(context, *root);
  snapshot->redis = ReadRouterRedis(context, SectionOf(*root, "router_settings"));
  if (!snapshot->redis.on()) snapshot->redis = snapshot->cache.redis;
  if (snapshot->redis.name_space.empty()) snapshot->redis.name_space = snapshot->cache.name_space;
  snapshot->metrics = ReadMetricsSettings(context, *root);
  snapshot->router = ReadRouterSettings(context, *root);
  snapshot->general = ReadGeneralSettings(context, *root);
  snapshot->telemetry = ReadTelemetrySettings(context, *root, snapshot->proxy.callbacks);
  snapshot->server = ReadServerOptions(context);
  ReadPriceMap(context, options, *snapshot);
  ReadDeployments(context, *root, *snapshot);
  CheckTargets(context, *snapshot, *root);
  if (options.apply_flags) options.apply_flags(*snapshot);
  return snapshot;
}

}  // namespace

Loaded Load(const LoadOptions& options) {
  LoadContext context{Environment(options.env)};
  ReadDotenv(context, options);
  Loaded loaded;
  std::shared_ptr<Snapshot> snapshot = Build(context, options);
  loaded.exit_code = context.exit_code();
  loaded.files = context.files();
  loaded.findings = context.TakeFindings();
  if (loaded.exit_code == 0) loaded.snapshot = std::move(snapshot);
  return loaded;
}

}  // namespace gw::config
