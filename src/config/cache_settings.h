// What do litellm_settings.cache and cache_params say about the response cache?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/redis_settings.h"
#include "config/semantic_settings.h"

namespace gw::config::yaml {
struct Node;
}

namespace gw::config {

class LoadContext;

enum class CacheType : uint8_t { kOff, kLocal, kRedis, kRedisSemantic };

struct CacheSettings {
  CacheType type = CacheType::kOff;
  bool default_on = true;       // mode: default_off asks each request for use-cache
  std::optional<double> ttl_s;  // unset: the default of the tier
  std::string name_space;       // `namespace`; the keys become "namespace:hash"
  bool chat = true, completions = true, embeddings = true, transcriptions = true;  // supported_call_types
  RedisSettings redis;          // off unless the type is one of Redis and a server is named
  SemanticSettings semantic;    // of kRedisSemantic
  int max_messages = 4;         // longer conversations are never cached
  std::vector<std::vector<std::string>> groups;  // router_settings.caching_groups

  // Ours: bounds of the memory store, and sharing of answers that are still being made.
  size_t entries_max = 20'000;
  size_t bytes_max = size_t{128} << 20;
  size_t entry_bytes_max = size_t{1} << 20;
  bool coalesce = false;
  double coalesce_wait_s = 60;

  bool operator==(const CacheSettings&) const = default;
  [[nodiscard]] bool on() const { return type != CacheType::kOff; }
  [[nodiscard]] bool is_semantic() const { return type == CacheType::kRedisSemantic; }
};

// The name that cache_params.type and the answers of /cache/ping use.
[[nodiscard]] std::string_view CacheTypeName(CacheType type);

[[nodiscard]] CacheSettings ReadCacheSettings(LoadContext& context, const yaml::Node& root);

}  // namespace gw::config
