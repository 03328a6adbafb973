#include "gateway/shared_lease.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "gateway/shared_scripts.h"

namespace gw::gateway {

namespace {

constexpr std::chrono::milliseconds kLeaseTime{30'000};
// A full row is asked again after this long at the latest, so that a restarted Redis is noticed; one
// that waits for running requests, sooner.
constexpr std::chrono::milliseconds kTrustWindow{1000};
constexpr std::chrono::milliseconds kTrustRunning{20};
constexpr int64_t kDaySeconds = 86'400;

int64_t Millis(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int64_t DayOf(const routing::RowLimits& limits, int64_t unix_s) {
  return (unix_s - limits.daily_reset_s) / kDaySeconds;
}

SharedKeys KeysOf(const Core& core, const config::Deployment& row) {
  return gateway::KeysOf(core.snapshot->redis.name_space, row.id);
}

// Unique over replicas, workers and restarts.
std::string MakeLease(routing::TokenCounts tokens) {
  static thread_local const std::string origin = MakeUuid();
  static thread_local uint64_t count = 0;
  return origin + ":" + std::to_string(++count) + ":" + std::to_string(tokens.input) + ":" +
         std::to_string(tokens.output);
}

redis::ScriptCall ReserveCall(const Core& core, const config::Deployment& row, routing::TokenCounts tokens,
                              const std::string& lease) {
  const routing::RowLimits& limits = core.index.table().at(row.index).limits;
  const SharedKeys keys = KeysOf(core, row);
  const int64_t now_s = UnixSeconds();
  const int64_t day = DayOf(limits, now_s);
  redis::ScriptCall call;
  call.function = "reserve";
  call.script = &ReserveScript();
  call.keys = {keys.use, keys.leases};
  call.arguments.push_back(lease);
  const int64_t day_left_ms = ((day + 1) * kDaySeconds + limits.daily_reset_s - now_s) * 1000;
  for (const int64_t number :
       {Millis(kLeaseTime), int64_t{tokens.input}, int64_t{tokens.output}, limits.slots, limits.rpm, limits.tpm,
        limits.itpm, limits.otpm, limits.rpd, limits.tpd, day, day_left_ms, int64_t{limits.counts_requests}}) {
    call.arguments.push_back(std::to_string(number));
  }
  return call;
}

// Puts the total of all replicas where the strategies look.
void TakeTotal(Core& core, uint32_t row, const redis::Answer& answer, size_t at) {
  if (!answer.ok() || answer.reply.items.size() <= at) return;
  if (!core.index.table().at(row).limits.counts_tokens) return;
  routing::NoteTotalTokens(core.state.at(row), answer.reply.items[at].AsInt(0), SteadyClock::now());
}

net::Task<void> RunSettle(std::shared_ptr<redis::Client> client, std::shared_ptr<Core> core, uint32_t row,
                          redis::ScriptCall call) {
  const redis::Answer answer = co_await client->Run(std::move(call));
  TakeTotal(*core, row, answer, 1);
}

SharedRefusal RefusalOf(const redis::Reply& reply) {
  using routing::Reservation;
  SharedRefusal refusal;
  const int64_t code = reply.items[0].AsInt(0);
  const bool is_known = code > 0 && code <= static_cast<int64_t>(Reservation::kTpdReached);
  if (!is_known) return refusal;
  refusal.reason = static_cast<Reservation>(code);
  refusal.free_in = std::chrono::milliseconds(std::clamp<int64_t>(reply.items[1].AsInt(0), 0, kDaySeconds * 1000));
  // A count of requests only goes down when its window ends; slots and reserved tokens at any time.
  const bool is_count = refusal.reason == Reservation::kRpmReached || refusal.reason == Reservation::kRpdReached;
  refusal.trusted = is_count ? std::min<Duration>(refusal.free_in, kTrustWindow) : Duration(kTrustRunning);
  return refusal;
}

}  // namespace

void LeaseBook::Renew(redis::Client& client) const {
  std::map<std::string, redis::ScriptCall> calls;
  for (const Held& held : held_) {
    const SharedKeys keys = KeysOf(*held.core, held.core->snapshot->deployments[held.row]);
    redis::ScriptCall& call = calls[keys.use];
    if (call.keys.empty()) {
      call.function = "renew";
      call.script = &RenewScript();
      call.keys = {keys.use, keys.leases};
      call.arguments.push_back(std::to_string(Millis(kLeaseTime)));
    }
    call.arguments.push_back(held.lease);
  }
  for (auto& [key, call] : calls) client.Send(std::move(call));
}

net::Task<std::optional<SharedRefusal>> SharedLease::Ask(const View& view, const routing::Candidate& candidate,
                                                         routing::TokenCounts tokens, bool& late) {
  std::optional<SharedRefusal> refusal;
  const config::Deployment& row = *candidate.deployment;
  const routing::RowLimits& limits = view.core->index.table().at(row.index).limits;
  if (!limits.IsLimited() && !limits.counts_tokens) co_return refusal;
  core_ = view.core;
  client_ = view.shared_redis;
  row_ = &row;
  if (!limits.IsLimited() || late) co_return refusal;
  std::string lease = MakeLease(tokens);
  const redis::Answer answer = co_await client_->Run(ReserveCall(*core_, row, tokens, lease));
  if (answer.state == redis::Answer::State::kTimeout) late = true;
  if (answer.ok() && answer.reply.items.size() == 4) {
    TakeTotal(*core_, row.index, answer, 3);
    const SharedRefusal found = RefusalOf(answer.reply);
    if (found.reason != routing::Reservation::kHeld) {
      core_ = nullptr;
      refusal = found;
      co_return refusal;
    }
    place_ = worker_.leases().Add({core_, row.index, lease});
  }
  // Not answered in time: it may be held all the same, and is given back like one that is.
  if (answer.state != redis::Answer::State::kAway) lease_ = std::move(lease);
  co_return refusal;
}

SharedLease::~SharedLease() {
  if (core_ == nullptr) return;
  if (place_) worker_.leases().Remove(*place_);
  if (lease_.empty() && input_ + output_ <= 0) return;
  const SharedKeys keys = KeysOf(*core_, *row_);
  redis::ScriptCall call;
  call.function = "settle";
  call.script = &SettleScript();
  call.keys = {keys.use, keys.leases};
  const bool counts = core_->index.table().at(row_->index).limits.counts_tokens;
  call.arguments = {lease_, std::to_string(counts ? std::max<int64_t>(input_, 0) : 0),
                    std::to_string(counts ? std::max<int64_t>(output_, 0) : 0),
                    std::to_string(DayOf(core_->index.table().at(row_->index).limits, UnixSeconds()))};
  call.patient = true;
  // A reload may have closed the client that was asked; the keys are where they were.
  const std::shared_ptr<redis::Client>& now = worker_.view()->shared_redis;
  net::Spawn(RunSettle(now != nullptr ? now : client_, core_, row_->index, std::move(call)));
}

namespace {

void PublishCooldown(redis::Client& client, const Core& core, const config::Deployment& row, Duration length) {
  const std::string& name_space = core.snapshot->redis.name_space;
  redis::ScriptCall call;
  call.function = "cool_down";
  call.script = &CoolDownScript();
  call.keys = {CooldownsKey(name_space)};
  call.arguments = {row.id, std::to_string(std::max<int64_t>(Millis(length), 1)), CooldownChannel(name_space)};
  client.Send(std::move(call));
}

net::Task<void> CountFailure(std::shared_ptr<redis::Client> client, std::shared_ptr<Core> core,
                             const config::Deployment* row, routing::FailureEffect effect) {
  redis::ScriptCall call;
  call.function = "count_failure";
  call.script = &CountFailureScript();
  call.keys = {KeysOf(*core, *row).fails};
  call.arguments = {std::to_string(std::max<int64_t>(Millis(effect.fails_window), 1))};
  call.patient = true;
  const redis::Answer answer = co_await client->Run(std::move(call));
  if (!answer.ok() || answer.reply.AsInt(0) <= *effect.fails_allowed) co_return;
  routing::CoolDownElsewhere(core->state.at(row->index), core->snapshot->router, effect.cooldown_then,
                             SteadyClock::now());
  PublishCooldown(*client, *core, *row, effect.cooldown_then);
}

}  // namespace

void ShareFailure(const View& view, const config::Deployment& row, const routing::FailureEffect& effect) {
  if (view.shared_redis == nullptr) return;
  if (effect.cooldown > Duration::zero()) {
    PublishCooldown(*view.shared_redis, *view.core, row, effect.cooldown);
  } else if (effect.fails_allowed) {
    net::Spawn(CountFailure(view.shared_redis, view.core, &row, effect));
  }
}

}  // namespace gw::gateway
