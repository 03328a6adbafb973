// Kept answers in Redis, shared by replicas. A look-up that Redis does not answer in time is a miss;
// keeping waits for nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/cache_store.h"

namespace gw::gateway {

// Larger answers are not kept there: they would hold up whoever shares the connection.
inline constexpr size_t kRedisValueBytesMax = size_t{1} << 20;

[[nodiscard]] std::unique_ptr<CacheStore> MakeRedisCacheStore();

// Forgets the keys that begin with `prefix` and have something behind it that `is_ours` accepts. False:
// Redis did not answer.
[[nodiscard]] net::Task<bool> UnlinkOurs(const View& view, std::string prefix, bool (*is_ours)(std::string_view));

}  // namespace gw::gateway
