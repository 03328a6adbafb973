// What the settings say about Redis, made ready for the loops: addresses, TLS, login. Immutable,
// shared by all loops; made once per configuration, since a TLS context reads files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/redis_settings.h"
#include "net/dial.h"
#include "redis/node.h"

namespace gw::redis {

struct Options {
  config::RedisSettings settings;
  std::vector<net::DialTarget> targets;  // as settings.nodes
  Login login, sentinel_login;

  // The same server by another address (of a sentinel's or a cluster's answer).
  [[nodiscard]] net::DialTarget TargetOf(std::string host, uint16_t port) const;
};

using OptionsPtr = std::shared_ptr<const Options>;

// Null when no Redis is configured. TLS files that cannot be read are logged and leave it off.
[[nodiscard]] OptionsPtr MakeOptions(const config::RedisSettings& settings);

}  // namespace gw::redis
