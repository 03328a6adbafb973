// Who is calling? Headers -> identity, or the 401 to answer.
//
// There is one key so far, the master key; without one everybody is the administrator (the loader
// lets that pass only when the operator permits it). A key is read from the first header that is
// present, so that a good key in a later header does not heal a bad one in an earlier:
//
//   x-litellm-api-key, general_settings.litellm_key_header_name, Authorization, API-Key, x-api-key,
//   x-goog-api-key, Ocp-Apim-Subscription-Key
//
// Pure and immutable after construction: shared by all threads. Never logs, never prints a key.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "api/route_table.h"
#include "base/result.h"
#include "config/snapshot.h"

namespace gw::auth {

// Label values of the caller; views of static text. Empty prints as "None".
struct Identity {
  std::string_view hashed_api_key;
  std::string_view user;
  bool is_admin = false;
};

// The first header that may carry the key.
struct Credential {
  std::string_view value;     // as sent; empty: no header
  bool needs_scheme = false;  // Authorization: "Bearer K" only
};

class Authenticator {
 public:
  // Keeps what it needs; the snapshot may go.
  explicit Authenticator(const config::Snapshot& snapshot);

  // False for routes that answer without a key: probes, /, /routes, /test, /metrics unless closed,
  // general_settings.public_routes.
  [[nodiscard]] bool NeedsKey(api::RouteId id, std::string_view path) const;

  // `lookup(lower_case_name)` -> value of that header, trimmed, empty when absent.
  template <typename Lookup>
  [[nodiscard]] Result<Identity> Authenticate(const Lookup& lookup) const {
    return Judge(FindCredential(lookup));
  }

  template <typename Lookup>
  [[nodiscard]] Credential FindCredential(const Lookup& lookup) const {
    if (const std::string_view value = lookup("x-litellm-api-key"); !value.empty()) return {value};
    if (!key_header_.empty()) {
      if (const std::string_view value = lookup(key_header_); !value.empty()) return {value};
    }
    if (const std::string_view value = lookup("authorization"); !value.empty())
      return {value, true};
    for (const std::string_view name : kPlainHeaders) {
      if (const std::string_view value = lookup(name); !value.empty()) return {value};
    }
    return {};
  }

  [[nodiscard]] Result<Identity> Judge(const Credential& credential) const;

 private:
  static constexpr std::array<std::string_view, 4> kPlainHeaders = {
      "api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key"};

  std::string master_key_;
  std::string key_header_;
  std::vector<std::string> public_routes_;
  bool metrics_closed_ = false;
};

}  // namespace gw::auth
