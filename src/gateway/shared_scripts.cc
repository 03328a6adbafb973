#include "gateway/shared_scripts.h"

namespace gw::gateway {

namespace {

// Reads the clock and the counts, forgets windows that are over and leases that nobody renewed.
constexpr std::string_view kPrelude = R"lua(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local names = {'r', 'rb', 't', 'tb', 'i', 'ib', 'o', 'ob', 'd', 'dr', 'dt', 'hi', 'ho'}
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local use = {}
for n = 1, #names do use[names[n]] = tonumber(stored[n] or '0') or 0 end
for _, name in ipairs({'r', 't', 'i', 'o'}) do
  local age = now - use[name .. 'b']
  if use[name] == 0 or age < 0 or age >= 60000 then
    use[name] = 0
    use[name .. 'b'] = now
  end
end
local function held(lease, sign)
  local input, output = string.match(lease, ':(%d+):(%d+)$')
  use.hi = math.max(0, use.hi + sign * (tonumber(input) or 0))
  use.ho = math.max(0, use.ho + sign * (tonumber(output) or 0))
end
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 500)
for _, lease in ipairs(dead) do
  redis.call('ZREM', KEYS[2], lease)
  held(lease, -1)
end
-- Without a lease nothing is held: what was lost with a replica or an evicted key must not stay reserved.
if use.hi + use.ho > 0 and redis.call('EXISTS', KEYS[2]) == 0 then
  use.hi = 0
  use.ho = 0
end
-- Forward only: clocks of replicas differ a little around midnight.
local function today(day)
  if day > use.d then
    use.d = day
    use.dr = 0
    use.dt = 0
  end
end
local function save()
  local list = {}
  for n = 1, #names do
    list[2 * n - 1] = names[n]
    list[2 * n] = use[names[n]]
  end
  redis.call('HSET', KEYS[1], unpack(list))
  redis.call('PEXPIRE', KEYS[1], 172800000)
end
)lua";

constexpr std::string_view kReserve = R"lua(
local lease, lease_ms = ARGV[1], tonumber(ARGV[2])
local input, output, slots = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local rpm, tpm, itpm, otpm = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local rpd, tpd, day, day_left = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
today(day)
local function room(limit, used, reserved, wanted)
  return limit < 0 or used + reserved + wanted <= limit or (reserved == 0 and used < limit)
end
local function left(name) return math.max(1, 60000 - (now - use[name .. 'b'])) end
local function refuse(reason, free_in)
  if #dead > 0 then save() end
  return {reason, free_in, use.r, use.t + use.hi + use.ho}
end
if slots >= 0 and redis.call('ZCARD', KEYS[2]) >= slots then return refuse(1, 0) end
if not room(tpm, use.t, use.hi + use.ho, input + output) then return refuse(3, left('t')) end
if not room(itpm, use.i, use.hi, input) then return refuse(4, left('i')) end
if not room(otpm, use.o, use.ho, output) then return refuse(5, left('o')) end
if not room(tpd, use.dt, use.hi + use.ho, input + output) then return refuse(7, day_left) end
if rpd >= 0 and use.dr >= rpd then return refuse(6, day_left) end
if rpm >= 0 and use.r >= rpm then return refuse(2, left('r')) end
if ARGV[14] == '1' then
  use.r = use.r + 1
  use.dr = use.dr + 1
end
redis.call('ZADD', KEYS[2], now + lease_ms, lease)
redis.call('PEXPIRE', KEYS[2], 172800000)
held(lease, 1)
save()
return {0, 0, use.r, use.t + use.hi + use.ho}
)lua";

constexpr std::string_view kSettle = R"lua(
local input, output = tonumber(ARGV[2]), tonumber(ARGV[3])
today(tonumber(ARGV[4]))
if redis.call('ZREM', KEYS[2], ARGV[1]) == 1 then held(ARGV[1], -1) end
use.t = use.t + input + output
use.i = use.i + input
use.o = use.o + output
use.dt = use.dt + input + output
save()
return {use.r, use.t + use.hi + use.ho}
)lua";

constexpr std::string_view kRenew = R"lua(
local lease_ms = tonumber(ARGV[1])
for n = 2, #ARGV do
  if not redis.call('ZSCORE', KEYS[2], ARGV[n]) then held(ARGV[n], 1) end
  redis.call('ZADD', KEYS[2], now + lease_ms, ARGV[n])
end
if #ARGV > 1 then redis.call('PEXPIRE', KEYS[2], 172800000) end
if #ARGV > 1 or #dead > 0 then save() end
return {use.r, use.t + use.hi + use.ho}
)lua";

constexpr std::string_view kCountFailure = R"lua(
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
)lua";

constexpr std::string_view kCoolDown = R"lua(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local old = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
redis.call('ZADD', KEYS[1], math.max(old, now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], 172800000)
redis.call('PUBLISH', ARGV[3], ARGV[2] .. ' ' .. ARGV[1])
return 1
)lua";

constexpr std::string_view kReadCooldowns = R"lua(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local list = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES')
for n = 2, #list, 2 do list[n] = math.floor(tonumber(list[n]) - now) end
return list
)lua";

std::string Join(std::string_view a, std::string_view b) {
  std::string out(a);
  out += b;
  return out;
}

std::string Prefix(std::string_view name_space) {
  return name_space.empty() ? "gw:" : std::string(name_space) + ":gw:";
}

}  // namespace

const redis::Script& ReserveScript() {
  static const redis::Script script(Join(kPrelude, kReserve));
  return script;
}
const redis::Script& SettleScript() {
  static const redis::Script script(Join(kPrelude, kSettle));
  return script;
}
const redis::Script& RenewScript() {
  static const redis::Script script(Join(kPrelude, kRenew));
  return script;
}
const redis::Script& CountFailureScript() {
  static const redis::Script script{std::string(kCountFailure)};
  return script;
}
const redis::Script& CoolDownScript() {
  static const redis::Script script{std::string(kCoolDown)};
  return script;
}
const redis::Script& ReadCooldownsScript() {
  static const redis::Script script{std::string(kReadCooldowns)};
  return script;
}

SharedKeys KeysOf(std::string_view name_space, std::string_view deployment_id) {
  const std::string prefix = Prefix(name_space) + "{" + std::string(deployment_id) + "}:";
  return {prefix + "use", prefix + "leases", prefix + "fails"};
}

std::string CooldownsKey(std::string_view name_space) { return Prefix(name_space) + "cooldowns"; }
std::string CooldownChannel(std::string_view name_space) { return Prefix(name_space) + "cooldown"; }

}  // namespace gw::gateway
