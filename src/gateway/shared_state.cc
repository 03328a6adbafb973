#include "gateway/shared_state.h"

#include <unordered_map>

#include "base/strings.h"
#include "gateway/shared_lease.h"
#include "gateway/shared_scripts.h"
#include "redis/subscriber.h"
#include "routing/elsewhere.h"

namespace gw::gateway {

namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::hours kNothingToDo{1};
constexpr int kTicksPerRenewal = 10;
constexpr int64_t kCooldownMsMax = int64_t{366} * 86'400'000;

using RowsById = std::unordered_map<std::string_view, const config::Deployment*>;

RowsById IndexRows(const config::Snapshot& snapshot) {
  RowsById rows;
  for (const config::Deployment& row : snapshot.deployments) rows.emplace(row.id, &row);
  return rows;
}

void CoolDown(Core& core, const config::Deployment* row, int64_t left_ms) {
  if (left_ms <= 0 || left_ms > kCooldownMsMax) return;
  routing::CoolDownElsewhere(core.state.at(row->index), core.snapshot->router, std::chrono::milliseconds(left_ms),
                             SteadyClock::now());
}

// "<ms> <id>" of the channel; anybody may publish there.
void HearCooldown(Worker& worker, std::string_view message) {
  const size_t space = message.find(' ');
  if (space == std::string_view::npos) return;
  const auto left_ms = ParseInt(message.substr(0, space));
  const std::string_view id = message.substr(space + 1);
  if (!left_ms) return;
  Core& core = *worker.view()->core;
  for (const config::Deployment& row : core.snapshot->deployments) {
    if (row.id == id) CoolDown(core, &row, *left_ms);
  }
}

net::Task<void> ReadCooldowns(std::shared_ptr<redis::Client> client, std::shared_ptr<Core> core) {
  redis::ScriptCall call;
  call.function = "read_cooldowns";
  call.script = &ReadCooldownsScript();
  call.keys = {CooldownsKey(core->snapshot->redis.name_space)};
  call.patient = true;
  const redis::Answer answer = co_await client->Run(std::move(call));
  if (!answer.ok() || answer.reply.items.empty()) co_return;
  const RowsById rows = IndexRows(*core->snapshot);
  for (size_t i = 0; i + 1 < answer.reply.items.size(); i += 2) {
    const auto found = rows.find(answer.reply.items[i].text);
    if (found != rows.end()) CoolDown(*core, found->second, answer.reply.items[i + 1].AsInt(0));
  }
}

// What others have used of rows that this replica may not have picked for a while.
net::Task<void> ReadUsage(std::shared_ptr<redis::Client> client, std::shared_ptr<Core> core, uint32_t row) {
  const SharedKeys keys = KeysOf(core->snapshot->redis.name_space, core->snapshot->deployments[row].id);
  redis::ScriptCall call;
  call.function = "read_usage";
  call.script = &RenewScript();
  call.keys = {keys.use, keys.leases};
  call.arguments = {"1000"};
  call.patient = true;
  const redis::Answer answer = co_await client->Run(std::move(call));
  if (!answer.ok() || answer.reply.items.size() != 2) co_return;
  routing::NoteTotalTokens(core->state.at(row), answer.reply.items[1].AsInt(0), SteadyClock::now());
}

bool PicksByUsage(const config::RouterSettings& router) {
  if (routing::IsUsageBased(router.strategy)) return true;
  for (const config::RoutingGroup& group : router.routing_groups) {
    if (routing::IsUsageBased(group.strategy)) return true;
  }
  return false;
}

void Look(const std::shared_ptr<redis::Client>& client, const std::shared_ptr<Core>& core) {
  net::Spawn(ReadCooldowns(client, core));
  if (!PicksByUsage(core->snapshot->router)) return;
  for (uint32_t row = 0; row < core->snapshot->deployments.size(); ++row) {
    if (core->index.table().at(row).limits.counts_tokens) net::Spawn(ReadUsage(client, core, row));
  }
}

// The subscription of the first worker; follows the configuration.
class Ear {
 public:
  explicit Ear(Worker& worker) : worker_(worker) {}
  void Follow(const ViewPtr& view) {
    const redis::OptionsPtr options = view == nullptr ? nullptr : view->core->shared_redis;
    std::string channel = view == nullptr ? "" : CooldownChannel(view->core->snapshot->redis.name_space);
    if (options == options_ && (options == nullptr || channel == channel_)) return;
    if (subscriber_ != nullptr) subscriber_->Close();
    subscriber_ = nullptr;
    options_ = options;
    channel_ = std::move(channel);
    if (options_ == nullptr) return;
    Worker& worker = worker_;
    subscriber_ = std::make_shared<redis::Subscriber>(worker.loop(), worker.dns(), options_, channel_,
                                                      [&worker](std::string_view text) { HearCooldown(worker, text); });
    subscriber_->Start();
  }

 private:
  Worker& worker_;
  redis::OptionsPtr options_;
  std::string channel_;
  std::shared_ptr<redis::Subscriber> subscriber_;
};

}  // namespace

net::Task<void> RunSharedState(Worker& worker) {
  Ear ear(worker);
  const bool is_first = worker.index() == 0;
  int ticks = 0;
  while (!worker.stopping()) {
    const ViewPtr view = worker.view();
    const bool is_on = view->shared_redis != nullptr;
    if (is_first) ear.Follow(view);
    if (is_on && is_first) Look(view->shared_redis, view->core);
    if (is_on && ++ticks % kTicksPerRenewal == 0) worker.leases().Renew(*view->shared_redis);
    (void)co_await net::Sleep(worker.loop(), is_on ? Duration(kTick) : Duration(kNothingToDo), &worker.on_change());
  }
  ear.Follow(nullptr);
}

}  // namespace gw::gateway
