// May this request be answered from the cache, and may its answer be kept?
//
// Pure. Sources in order of precedence: the body's `cache` object, the header Cache-Control (which
// can only forbid or shorten), the settings. Semantics: routing facts 12.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/cache_settings.h"

namespace gw::cache {

// What one request says about caching.
struct Controls {
  bool no_cache = false;   // do not look
  bool no_store = false;   // do not keep
  bool use_cache = false;  // asks for it where mode is default_off
  bool off = false;        // body `caching: false`
  std::optional<double> ttl_s;      // how long the answer may be kept
  std::optional<double> max_age_s;  // how old an answer may be
  std::optional<std::string> name_space;
};

// The body's `cache` object; anything but an object says nothing.
void ReadCacheObject(std::string_view value, Controls& controls);
// no-cache, no-store, max-age, and s-maxage, which compat: means the ttl of this answer.
void ReadCacheControl(std::string_view header, Controls& controls);

struct Decision {
  bool lookup = false;
  bool store = false;
  Duration ttl{};
  std::optional<double> max_age_s;
  std::string name_space;

  [[nodiscard]] bool any() const { return lookup || store; }
};

// `messages`: how many the chat has; ignored for the other endpoints.
[[nodiscard]] Decision Decide(const config::CacheSettings& settings, api::Endpoint endpoint, size_t messages,
                              const Controls& controls);

// Is an answer of that age acceptable?
[[nodiscard]] bool IsFresh(const Decision& decision, int64_t stored_unix_ms, int64_t now_unix_ms);

}  // namespace gw::cache
