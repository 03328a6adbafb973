// Where is Redis, and how does one talk to it? Read from cache_params, router_settings and REDIS_*.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw::config::yaml {
struct Node;
}

namespace gw::config {

class LoadContext;

struct RedisNode {
  std::string host;
  uint16_t port = 6379;
  bool operator==(const RedisNode&) const = default;
};

struct RedisSettings {
  enum class Topology : uint8_t { kSingle, kSentinel, kCluster };
  Topology topology = Topology::kSingle;
  std::vector<RedisNode> nodes;  // the server; the sentinels; start-up nodes. Empty: no Redis
  std::string username, password;
  std::string sentinel_password;
  std::string service_name;      // the master's name, as the sentinels know it
  int db = 0;
  bool tls = false;
  bool tls_verify = true;
  std::string ca_file;
  std::string name_space;        // before every key, with a colon

  bool operator==(const RedisSettings&) const = default;
  [[nodiscard]] bool on() const { return !nodes.empty(); }
};

// litellm_settings.cache_params; what it does not say, REDIS_* says.
[[nodiscard]] RedisSettings ReadCacheRedis(LoadContext& context, const yaml::Node& params);
// router_settings.redis_*; off when there is neither host nor url there.
[[nodiscard]] RedisSettings ReadRouterRedis(LoadContext& context, const yaml::Node& router);

}  // namespace gw::config
