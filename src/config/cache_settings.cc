#include "config/cache_settings.h"

#include <algorithm>
#include <array>

#include "config/load_context.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kPath = "litellm_settings.cache_params";

struct TypeRow {
  std::string_view name;
  CacheType type;
  bool is_refused;  // a search that does not exist here
};

constexpr std::array<TypeRow, 9> kTypes = {{
    {"local", CacheType::kLocal, false},
    {"redis", CacheType::kRedis, false},
    {"redis-semantic", CacheType::kRedisSemantic, false},
    {"valkey-semantic", CacheType::kOff, true},
    {"s3", CacheType::kOff, false},
    {"qdrant-semantic", CacheType::kOff, true},
    {"azure-blob", CacheType::kOff, false},
    {"gcs", CacheType::kOff, false},
    {"disk", CacheType::kOff, false},
}};

CacheType ReadType(LoadContext& context, const yaml::Node& params) {
  const std::string name = ReadString(params, "type").value_or("redis");
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.name == name; });
  const std::string path = Join(kPath, "type");
  if (row == kTypes.end()) {
    context.Fatal(kExitRefused, params.place, path,
                  "Unsupported cache type '" + name +
                      "'. Supported types: local, redis, redis-semantic, valkey-semantic, s3, "
                      "qdrant-semantic, azure-blob, gcs");
    return CacheType::kOff;
  }
  if (row->is_refused) {
    // An answer to a similar question is another answer: whoever asked for it should know at once.
    context.Fatal(kExitRefused, params.place, path,
                  "'" + name + "' is not supported; use redis-semantic, redis or local, or remove cache");
  } else if (row->type == CacheType::kOff) {
    context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, params.place, path,
                "accepted but not implemented: '" + name + "' stores nothing, every request goes upstream");
  }
  return row->type;
}

void ReadSemantic(LoadContext& context, const yaml::Node& params, CacheSettings& out) {
  out.semantic = ReadSemanticSettings(context, params);
  out.redis = ReadCacheRedis(context, params);
  if (!out.redis.on()) {
    context.Fatal(kExitRefused, params.place, Join(kPath, "host"),
                  "'redis-semantic' needs a Redis with vector search: host, url, REDIS_HOST or REDIS_URL");
  } else if (out.redis.topology == RedisSettings::Topology::kCluster) {
    context.Fatal(kExitRefused, params.place, Join(kPath, "redis_startup_nodes"),
                  "'redis-semantic' needs one server (or sentinels): a cluster's index covers one node only");
  }
}

void ReadMode(LoadContext& context, const yaml::Node& params, CacheSettings& out) {
  const std::string mode = ReadString(params, "mode").value_or("default_on");
  out.default_on = mode != "default_off";
  if (mode == "default_on" || mode == "default_off") return;
  context.Warn(params.place, Join(kPath, "mode"), "neither default_on nor default_off; default_on is used");
}

// Which of the call types that exist here are named; the asynchronous names mean the same.
void ReadCallTypes(const yaml::Node& params, CacheSettings& out) {
  const yaml::Node* list = ReadList(params, "supported_call_types");
  if (list == nullptr) return;
  const std::vector<std::string> names = ReadStrings(params, "supported_call_types");
  const auto has = [&names](std::string_view name) {
    return std::any_of(names.begin(), names.end(), [name](const std::string& n) {
      return n == name || (n.size() == name.size() + 1 && n.front() == 'a' && n.substr(1) == name);
    });
  };
  out.chat = has("completion");
  out.completions = has("text_completion");
  out.embeddings = has("embedding");
  out.transcriptions = has("transcription");
}

// The tier's own default is used when `ttl` is not given.
void ReadTtl(LoadContext& context, const yaml::Node& params, CacheSettings& out) {
  const char* tier = out.type == CacheType::kLocal ? "default_in_memory_ttl" : "default_in_redis_ttl";
  for (const char* key : {tier, "ttl"}) {
    const auto ttl = ReadNumber(params, key);
    if (!ttl) continue;
    if (*ttl > 0) {
      out.ttl_s = std::min(*ttl, 1e9);
    } else {
      context.Warn(params.place, Join(kPath, key), "not above 0; the default is used");
    }
  }
}

void ReadBounds(const yaml::Node& params, CacheSettings& out) {
  const auto positive = [&params](std::string_view key, double most) -> std::optional<double> {
    const auto value = ReadNumber(params, key);
    return value && *value > 0 ? std::optional(std::min(*value, most)) : std::nullopt;
  };
  if (const auto n = positive("memory_max_entries", 1e8)) out.entries_max = static_cast<size_t>(std::max(*n, 1.0));
  if (const auto n = positive("memory_max_mb", 1e6)) out.bytes_max = static_cast<size_t>(*n * 1024 * 1024);
  if (const auto n = positive("max_entry_kb", 1e6)) out.entry_bytes_max = static_cast<size_t>(*n * 1024);
  SetIf(ReadBool(params, "coalesce"), out.coalesce);
  if (const auto s = positive("coalesce_wait", 6000)) out.coalesce_wait_s = *s;
}

void ReadGroups(const yaml::Node& root, CacheSettings& out) {
  const yaml::Node* router = ReadMap(root, "router_settings");
  const yaml::Node* groups = router == nullptr ? nullptr : ReadList(*router, "caching_groups");
  if (groups == nullptr) return;
  for (const yaml::Node& group : groups->items) {
    std::vector<std::string> names;
    for (const yaml::Node& name : group.items) {
      if (name.IsString()) names.push_back(name.text);
    }
    if (!names.empty()) out.groups.push_back(std::move(names));
  }
}

}  // namespace

std::string_view CacheTypeName(CacheType type) {
  switch (type) {
    case CacheType::kLocal:
      return "local";
    case CacheType::kRedis:
      return "redis";
    case CacheType::kRedisSemantic:
      return "redis-semantic";
    case CacheType::kOff:
      break;
  }
  return "";
}

CacheSettings ReadCacheSettings(LoadContext& context, const yaml::Node& root) {
  CacheSettings out;
  const yaml::Node* litellm = ReadMap(root, "litellm_settings");
  if (litellm == nullptr || !ReadBool(*litellm, "cache").value_or(false)) return out;
  const yaml::Node& params = SectionOf(*litellm, "cache_params");
  out.type = ReadType(context, params);
  if (out.type == CacheType::kRedis) {
    out.redis = ReadCacheRedis(context, params);
    if (!out.redis.on()) {
      context.Warn(params.place, Join(kPath, "host"),
                   "no Redis is named (host, url, REDIS_HOST, REDIS_URL): each process keeps answers in its own memory");
    }
  }
  if (out.is_semantic()) ReadSemantic(context, params, out);
  ReadMode(context, params, out);
  ReadCallTypes(params, out);
  ReadTtl(context, params, out);
  out.name_space = ReadText(params, "namespace").value_or("");
  if (const auto n = Narrow(ReadInt(params, "max_messages")); n && *n > 0) out.max_messages = *n;
  ReadBounds(params, out);
  ReadGroups(root, out);
  return out;
}

}  // namespace gw::config
