// What do litellm_settings, general_settings and the environment say about the gateway itself?
#include "config/proxy_settings.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/callbacks.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

std::optional<size_t> MegabytesOf(const yaml::Node& map, std::string_view key) {
  const auto value = ReadNumber(map, key);
  if (!value || *value <= 0) return std::nullopt;
  return static_cast<size_t>(std::min(*value, 1e6) * 1024 * 1024);
}

}  // namespace

ProxySettings ReadProxySettings(LoadContext& context, const yaml::Node& root) {
  const yaml::Node& litellm = SectionOf(root, "litellm_settings");
  ProxySettings out;
  out.drop_params = context.env.IsTrue("LITELLM_DROP_PARAMS");
  SetIf(ReadBool(litellm, "drop_params"), out.drop_params);
  out.json_logs = context.env.IsTrue("JSON_LOGS");
  SetIf(ReadBool(litellm, "json_logs"), out.json_logs);
  SetIf(ReadBool(SectionOf(root, "router_settings"), "set_verbose"), out.set_verbose);
  SetIf(ReadBool(litellm, "set_verbose"), out.set_verbose);
  SetIf(ReadBool(litellm, "include_cost_in_streaming_usage"), out.include_cost_in_streaming_usage);
  out.ca_file = context.env.FirstOf("SSL_CERT_FILE").value_or("");
  yaml::Node verify = yaml::MakeString(context.env.FirstOf("SSL_VERIFY").value_or("true"));
  if (const auto* node = litellm.Find("ssl_verify"); node != nullptr && !node->IsNull()) {
    verify = *node;
  }
  if (const auto flag = AsBool(verify)) {
    out.ssl_verify = *flag;
  } else if (verify.IsString()) {
    out.ca_file = verify.text;
  }
  out.callbacks = ReadCallbacks(context, litellm, SectionOf(root, "callback_settings"));
  return out;
}

namespace {

// The one key that every tutorial shows.
constexpr std::string_view kPublicKey = "sk-1234";

void CheckMasterKey(LoadContext& context, const yaml::Node& general, const std::string& key) {
  if (!key.empty() && key != kPublicKey) return;
  const yaml::Node* node = general.Find("master_key");
  const yaml::Place place = node == nullptr ? yaml::Place{} : node->place;
  const std::string what = key.empty() ? "the master key is not set"
                                       : "the master key is sk-1234, which everybody knows";
  const bool is_permitted =
      ReadBool(general, "dangerously_permit_weak_or_unset_master_key").value_or(false) ||
      context.env.IsTrue("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY");
  if (is_permitted) {
    context.Warn(place, "general_settings.master_key",
                 what + ": everybody who reaches the port is administrator");
    return;
  }
  context.Fatal(kExitRefused, place, "general_settings.master_key",
                what +
                    ". Make one with: echo \"sk-$(openssl rand -hex 32)\" and put it into "
                    "LITELLM_MASTER_KEY or general_settings.master_key. To start all the same: "
                    "general_settings.dangerously_permit_weak_or_unset_master_key: true");
}

// Leaving authentication code out silently would open the gateway.
void RefuseHooks(LoadContext& context, const yaml::Node& general) {
  for (const std::string_view key : {"custom_auth", "custom_sso", "custom_ui_sso_sign_in_handler",
                                     "custom_key_generate", "custom_key_update"}) {
    const yaml::Node* node = general.Find(key);
    if (node == nullptr || node->IsNull()) continue;
    context.Fatal(
        kExitRefused, node->place, Join("general_settings", key),
        "Python code cannot decide about access here; remove the key to start without it");
  }
}

void ReadHealthChecks(LoadContext& context, const yaml::Node& general, GeneralSettings& out) {
  SetIf(ReadBool(general, "background_health_checks"), out.background_health_checks);
  SetIf(EnvNumber(context, "DEFAULT_HEALTH_CHECK_INTERVAL"), out.health_check_interval_s);
  SetIf(ReadNumber(general, "health_check_interval"), out.health_check_interval_s);
  if (out.health_check_interval_s < 1) {
    context.Warn({}, "general_settings.health_check_interval", "less than a second; 1 is used");
    out.health_check_interval_s = 1;
  }
  SetIf(ReadBool(general, "health_check_details"), out.health_check_details);
  const auto concurrency = Narrow(ReadInt(general, "health_check_concurrency"));
  if (concurrency && *concurrency > 0) out.health_check_concurrency = concurrency;
}

}  // namespace

GeneralSettings ReadGeneralSettings(LoadContext& context, const yaml::Node& root) {
  const yaml::Node& general = SectionOf(root, "general_settings");
  GeneralSettings out;
  const yaml::Node* key = general.Find("master_key");
  if (key != nullptr && !key->IsNull()) {
    out.master_key = key->IsString() ? key->text : "";
  } else {
    out.master_key = context.env.Get("LITELLM_MASTER_KEY").value_or("");
  }
  CheckMasterKey(context, general, out.master_key);
  RefuseHooks(context, general);
  out.litellm_key_header_name = ReadString(general, "litellm_key_header_name").value_or("");
  out.completion_model = ReadString(general, "completion_model").value_or("");
  out.embedding_model = ReadString(general, "embedding_model").value_or("");
  out.request_bytes_max = MegabytesOf(general, "max_request_size_mb").value_or(0);
  out.response_bytes_max = MegabytesOf(general, "max_response_size_mb").value_or(0);
  SetIf(ReadBool(general, "always_include_stream_usage"), out.always_include_stream_usage);
  SetIf(ReadBool(general, "forward_client_headers_to_llm_api"), out.forward_client_headers);
  SetIf(ReadBool(general, "forward_openai_org_id"), out.forward_openai_org_id);
  ReadHealthChecks(context, general, out);
  SetIf(ReadBool(general, "dangerously_allow_mock_testing_request_params"), out.allow_mock_testing);
  SetIf(ReadBool(general, "allow_public_health_readiness_details"), out.public_readiness_details);
  out.public_routes = ReadStrings(general, "public_routes");
  out.user_header_name = ReadString(general, "user_header_name").value_or("");
  SetIf(ReadBool(general, "reload_on_file_change"), out.reload_on_file_change);
  SetIf(ReadBool(general, "use_x_forwarded_for"), out.use_x_forwarded_for);
  return out;
}

ServerOptions ReadServerOptions(LoadContext& context) {
  ServerOptions out;
  const Environment& env = context.env;
  if (const auto host = env.FirstOf("HOST")) out.host = *host;
  const auto port = EnvInt(context, "PORT");
  if (port && *port > 0 && *port <= 65535) {
    out.port = static_cast<uint16_t>(*port);
  } else if (port) {
    context.Warn({}, "PORT", "no port number; 4000 is used");
  }
  const auto workers = EnvInt(context, "NUM_WORKERS");
  if (workers && *workers > 0)
    out.num_workers = static_cast<int>(std::min<int64_t>(*workers, 1024));
  const auto keepalive = EnvNumber(context, "KEEPALIVE_TIMEOUT");
  if (keepalive && *keepalive > 0) out.keepalive_timeout_s = *keepalive;
  out.tls_cert_file = env.FirstOf("SSL_CERTFILE_PATH").value_or("");
  out.tls_key_file = env.FirstOf("SSL_KEYFILE_PATH").value_or("");
  std::string root_path = env.FirstOf("SERVER_ROOT_PATH").value_or("");
  while (!root_path.empty() && root_path.back() == '/') root_path.pop_back();
  if (!root_path.empty() && root_path.front() != '/') root_path.insert(root_path.begin(), '/');
  out.root_path = std::move(root_path);
  if (const auto origins = env.FirstOf("LITELLM_CORS_ORIGINS")) out.cors_origins = *origins;
  out.no_docs = env.IsTrue("NO_DOCS");
  return out;
}

}  // namespace gw::config
