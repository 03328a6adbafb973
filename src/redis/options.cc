#include "redis/options.h"

#include "base/log.h"
#include "net/tls_stream.h"

namespace gw::redis {

net::DialTarget Options::TargetOf(std::string host, uint16_t port) const {
  return {std::move(host), port, targets.front().tls};
}

OptionsPtr MakeOptions(const config::RedisSettings& settings) {
  if (!settings.on()) return nullptr;
  auto options = std::make_shared<Options>();
  options->settings = settings;
  std::shared_ptr<net::TlsContext> tls;
  if (settings.tls) {
    auto made = net::TlsContext::Client(settings.tls_verify, settings.ca_file);
    if (!made.ok()) {
      log::Error("TLS set-up of Redis failed: it is not used", {{"why", made.error().message}});
      return nullptr;
    }
    tls = made.value();
  }
  for (const config::RedisNode& node : settings.nodes) options->targets.push_back({node.host, node.port, tls});
  options->login = {settings.username, settings.password, settings.db};
  options->sentinel_login.password = settings.sentinel_password;
  return options;
}

}  // namespace gw::redis
