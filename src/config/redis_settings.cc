#include "config/redis_settings.h"

#include <array>
#include <optional>

#include "base/json_tree.h"
#include "base/strings.h"
#include "config/load_context.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr int kDatabasesMax = 1 << 20;

// One section's view of the settings: its own member, else the environment variable.
struct Source {
  LoadContext& context;
  const yaml::Node& map;
  std::string_view path;
  std::string_view prefix;  // "redis_" in router_settings

  [[nodiscard]] std::optional<std::string> Own(std::string_view key) const {
    auto text = ReadText(map, std::string(prefix) + std::string(key));
    return text && !text->empty() ? text : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> Get(std::string_view key, std::string_view variable) const {
    auto own = Own(key);
    return own ? own : context.env.FirstOf(variable);
  }
  void Warn(std::string_view key, std::string message) const {
    context.Warn(map.place, Join(path, std::string(prefix) + std::string(key)), std::move(message));
  }
};

std::optional<uint16_t> PortOf(std::string_view text) {
  const auto port = ParseInt(text);
  if (!port || *port < 1 || *port > 65'535) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

bool IsTrue(std::string_view text) {
  return EqualsIgnoreCase(text, "true") || text == "1" || EqualsIgnoreCase(text, "yes");
}

// redis://[user[:password]@]host[:port][/db]; false: it is none. compat: rediss is Redis over TLS.
bool ReadUrl(std::string_view url, RedisSettings& out) {
  out.tls = url.starts_with("rediss://");
  if (!out.tls && !url.starts_with("redis://")) return false;
  url.remove_prefix(url.find("//") + 2);
  url = url.substr(0, url.find('?'));
  if (const size_t slash = url.find('/'); slash != std::string_view::npos) {
    const auto db = ParseInt(url.substr(slash + 1));
    if (db && *db >= 0 && *db < kDatabasesMax) out.db = static_cast<int>(*db);
    url = url.substr(0, slash);
  }
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = url.substr(0, at);
    const size_t colon = login.find(':');
    out.username = PercentDecode(login.substr(0, colon), false);
    if (colon != std::string_view::npos) out.password = PercentDecode(login.substr(colon + 1), false);
    url.remove_prefix(at + 1);
  }
  RedisNode node;
  const size_t colon = url.rfind(':');
  const bool has_port = colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos;
  std::string_view host = has_port ? url.substr(0, colon) : url;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (has_port) {
    const auto port = PortOf(url.substr(colon + 1));
    if (!port) return false;
    node.port = *port;
  }
  node.host = host;
  if (node.host.empty()) return false;
  out.nodes.push_back(std::move(node));
  return true;
}

void AddNode(const Source& source, std::string_view key, const std::optional<std::string>& host,
             const std::optional<std::string>& port, RedisSettings& out) {
  const auto number = PortOf(port.value_or("6379"));
  if (!host || host->empty() || !number) {
    source.Warn(key, "expected host and port of each node; this one is skipped");
    return;
  }
  out.nodes.push_back({*host, *number});
}

// [{host, port}] or [[host, port]], as a list of the file.
void ReadNodeList(const Source& source, std::string_view key, const yaml::Node& list, RedisSettings& out) {
  for (const yaml::Node& item : list.items) {
    if (item.IsMapping()) {
      AddNode(source, key, ReadText(item, "host"), ReadText(item, "port"), out);
    } else if (item.IsSequence() && !item.items.empty()) {
      const bool has_port = item.items.size() > 1;
      AddNode(source, key, yaml::KeyText(item.items[0]),
              has_port ? std::optional(yaml::KeyText(item.items[1])) : std::nullopt, out);
    } else {
      AddNode(source, key, std::nullopt, std::nullopt, out);
    }
  }
}

std::optional<std::string> TextOf(const json::Value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return json::Serialize(value);
}

// The same as JSON text of an environment variable.
void ReadNodeVariable(const Source& source, std::string_view variable, std::string_view text, RedisSettings& out) {
  const auto tree = json::ParseTree(text);
  if (!tree || !tree->is_array()) {
    source.context.Warn({}, std::string(variable), "expected a JSON list of nodes; it is ignored");
    return;
  }
  for (const json::Value& item : tree->get_array()) {
    std::optional<std::string> host, port;
    if (item.is_object()) {
      if (const auto* value = json::Get(item.get_object(), "host")) host = TextOf(*value);
      if (const auto* value = json::Get(item.get_object(), "port")) port = TextOf(*value);
    } else if (item.is_array() && !item.get_array().empty()) {
      host = TextOf(item.get_array()[0]);
      if (item.get_array().size() > 1) port = TextOf(item.get_array()[1]);
    }
    AddNode(source, variable, host, port, out);
  }
}

bool ReadNodes(const Source& source, std::string_view key, std::string_view variable, RedisSettings& out) {
  if (const yaml::Node* list = ReadList(source.map, key)) {
    ReadNodeList(source, key, *list, out);
  } else if (source.Own("host") || source.Own("url")) {
    // What the file says outranks the environment.
  } else if (const auto text = source.context.env.FirstOf(variable)) {
    ReadNodeVariable(source, variable, *text, out);
  }
  return out.on();
}

// One server by host or by url; an explicit host outranks every url, the file the environment.
void ReadServer(const Source& source, RedisSettings& out) {
  const auto own_host = source.Own("host");
  const auto own_url = source.Own("url");
  const auto url = own_host ? std::nullopt : own_url ? own_url : source.context.env.FirstOf("REDIS_URL");
  if (url) {
    if (!ReadUrl(*url, out)) source.Warn("url", "not redis://host:port/db or rediss://...; Redis is not used");
    return;
  }
  const auto host = own_host ? own_host : source.context.env.FirstOf("REDIS_HOST");
  if (!host) return;
  RedisNode node;
  node.host = *host;
  if (const auto text = source.Get("port", "REDIS_PORT")) {
    const auto port = PortOf(*text);
    if (!port) source.Warn("port", "not a port; 6379 is used");
    node.port = port.value_or(node.port);
  }
  out.nodes.push_back(std::move(node));
}

void ReadTls(const Source& source, RedisSettings& out) {
  if (const auto ssl = ReadBool(source.map, std::string(source.prefix) + "ssl")) {
    out.tls = *ssl;
  } else if (const auto text = source.context.env.FirstOf("REDIS_SSL")) {
    out.tls = IsTrue(*text);
  }
  if (const auto reqs = source.Get("ssl_cert_reqs", "REDIS_SSL_CERT_REQS")) {
    out.tls_verify = !EqualsIgnoreCase(*reqs, "none");
  }
  if (const auto file = source.Get("ssl_ca_certs", "REDIS_SSL_CA_CERTS")) out.ca_file = *file;
  for (const std::string_view key : {"ssl_certfile", "ssl_keyfile"}) {
    if (source.Own(key)) source.Warn(key, "certificates of the client are not sent to Redis");
  }
}

RedisSettings Read(const Source& source) {
  RedisSettings out;
  using Topology = RedisSettings::Topology;
  if (ReadNodes(source, "redis_startup_nodes", "REDIS_CLUSTER_NODES", out)) {
    out.topology = Topology::kCluster;
  } else if (ReadNodes(source, "sentinel_nodes", "REDIS_SENTINEL_NODES", out)) {
    out.topology = Topology::kSentinel;
    out.service_name = source.Get("service_name", "REDIS_SERVICE_NAME").value_or("");
    out.sentinel_password = source.Get("sentinel_password", "REDIS_SENTINEL_PASSWORD").value_or("");
    if (out.service_name.empty()) {
      source.Warn("service_name", "sentinels are asked by the master's name; 'mymaster' is taken");
      out.service_name = "mymaster";
    }
  } else {
    ReadServer(source, out);
  }
  if (!out.on()) return {};
  if (const auto username = source.Get("username", "REDIS_USERNAME")) out.username = *username;
  if (const auto password = source.Get("password", "REDIS_PASSWORD")) out.password = *password;
  if (const auto text = source.Get("db", "REDIS_DB")) {
    const auto db = ParseInt(*text);
    const bool is_valid = db && *db >= 0 && *db < kDatabasesMax;
    if (!is_valid) source.Warn("db", "not the number of a database; 0 is used");
    out.db = is_valid ? static_cast<int>(*db) : 0;
  }
  if (out.topology == Topology::kCluster && out.db != 0) {
    source.Warn("db", "a cluster has database 0 only");
    out.db = 0;
  }
  ReadTls(source, out);
  out.name_space = source.Own("namespace").value_or("");
  return out;
}

}  // namespace

RedisSettings ReadCacheRedis(LoadContext& context, const yaml::Node& params) {
  return Read(Source{context, params, "litellm_settings.cache_params", ""});
}

RedisSettings ReadRouterRedis(LoadContext& context, const yaml::Node& router) {
  const Source source{context, router, "router_settings", "redis_"};
  if (!source.Own("host") && !source.Own("url")) return {};
  return Read(source);
}

}  // namespace gw::config
