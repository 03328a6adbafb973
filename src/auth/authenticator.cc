#include "auth/authenticator.h"

#include "base/strings.h"

namespace gw::auth {

namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kBasic = "Basic ";

Error Refuse(std::string message) {
  Error error;
  error.cls = ErrorClass::kProxy;
  error.source = ErrorSource::kDownstream;
  error.status = 401;
  error.message = "Authentication Error, " + std::move(message);
  error.type = "auth_error";
  return error;
}

// The key behind a scheme; empty when there is no known scheme. The rest is taken to the letter: a
// second space belongs to the key, as in the reference.
std::string_view BehindScheme(std::string_view value) {
  if (StartsWithIgnoreCase(value, kBearer)) return value.substr(kBearer.size());
  // compat: LiteLLM reads `Basic K` as the key K, for clients that can do nothing else.
  if (value.starts_with(kBasic)) return value.substr(kBasic.size());
  return {};
}

// Names of two header spellings are equal when they differ in case only; lookups are by lower case.
std::string LowerTrimmed(std::string_view name) { return ToLower(Trim(name)); }

}  // namespace

Authenticator::Authenticator(const config::Snapshot& snapshot)
    : master_key_(snapshot.general.master_key),
      key_header_(LowerTrimmed(snapshot.general.litellm_key_header_name)),
      public_routes_(snapshot.general.public_routes),
      metrics_closed_(snapshot.metrics.require_auth) {}

bool Authenticator::NeedsKey(api::RouteId id, std::string_view path) const {
  switch (id) {
    case api::RouteId::kLiveness:
    case api::RouteId::kReadiness:
    case api::RouteId::kRoot:
    case api::RouteId::kRoutes:
    case api::RouteId::kTest:
      return false;
    case api::RouteId::kExplain:
      return true;  // shows names and states of deployments: public_routes cannot open it
    case api::RouteId::kMetrics:
      if (!metrics_closed_) return false;
      break;
    default:
      break;
  }
  for (const std::string& route : public_routes_) {
    if (GlobMatch(route, path, nullptr)) return false;
  }
  return true;
}

Result<Identity> Authenticator::Judge(const Credential& credential) const {
  // compat: without a master key every caller is the administrator, whatever key it sends. The
  // labels stay empty: LiteLLM prints the hash of what was sent, which a client can vary at will.
  if (master_key_.empty()) return Identity{.hashed_api_key = {}, .user = {}, .is_admin = true};
  if (credential.value.empty()) return Refuse("No api key passed in.");
  std::string_view key = BehindScheme(credential.value);
  if (key.empty()) {
    if (credential.needs_scheme || EqualsIgnoreCase(credential.value, Trim(kBearer))) {
      return Refuse("Malformed API Key passed in. Ensure Key has `Bearer ` prefix.");
    }
    key = credential.value;
  }
  // compat: LiteLLM without a database answers 400 "No connected db."; clients treat 401 as what it
  // is (docs/compat.md, "Keys").
  if (!ConstantTimeEquals(key, master_key_)) return Refuse("Invalid API key provided.");
  return Identity{
      .hashed_api_key = "litellm_proxy_master_key", .user = "default_user_id", .is_admin = true};
}

}  // namespace gw::auth
