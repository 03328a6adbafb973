// What replicas keep in Redis about a deployment, and the Lua texts that touch it. Each runs as one
// step in Redis, so that a limit holds over all replicas, whoever asks at the same time.
//
//   [namespace:]gw:{<deployment id>}:use     hash: counts of the minute and the day, with their begin;
//                                            tokens that running requests have reserved
//   [namespace:]gw:{<deployment id>}:leases  sorted set: running requests, by the time they are
//                                            given up unless renewed (a replica that died)
//   [namespace:]gw:{<deployment id>}:fails   count of failures within a cooldown time
//   [namespace:]gw:cooldowns                 sorted set: deployment ids by the end of their cooldown
//
// A minute begins with its first request, as in routing/row_limits. Redis' own clock counts.
#pragma once

#include <string>
#include <string_view>

#include "redis/client.h"

namespace gw::gateway {

// KEYS use, leases; ARGV lease, lease_ms, input, output, slots, rpm, tpm, itpm, otpm, rpd, tpd, day,
// ms left of the day, 1 if requests are counted. A limit below 0 is none.
// Answer: {routing::Reservation, ms until it may pass, requests of the minute, tokens used and reserved}.
[[nodiscard]] const redis::Script& ReserveScript();

// Gives a lease back and books what was used. KEYS use, leases; ARGV lease, input, output, day.
// Answer: {requests of the minute, tokens used and reserved}.
[[nodiscard]] const redis::Script& SettleScript();

// KEYS use, leases; ARGV lease_ms, leases... Also brings back what a restarted Redis has forgotten.
// Without leases it only reads. Answer: as above.
[[nodiscard]] const redis::Script& RenewScript();

// KEYS fails; ARGV window_ms. Answer: failures so far.
[[nodiscard]] const redis::Script& CountFailureScript();

// KEYS cooldowns; ARGV id, ms, channel. The later end holds; subscribers are told "<ms> <id>".
[[nodiscard]] const redis::Script& CoolDownScript();
// KEYS cooldowns. Answer: {id, ms left, id, ms left, ...}.
[[nodiscard]] const redis::Script& ReadCooldownsScript();

struct SharedKeys {
  std::string use, leases, fails;
};
[[nodiscard]] SharedKeys KeysOf(std::string_view name_space, std::string_view deployment_id);
[[nodiscard]] std::string CooldownsKey(std::string_view name_space);
[[nodiscard]] std::string CooldownChannel(std::string_view name_space);

}  // namespace gw::gateway
