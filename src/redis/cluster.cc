#include "redis/cluster.h"

#include <set>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "redis/ask_once.h"
#include "redis/locators.h"

namespace gw::redis {

namespace {

constexpr std::chrono::seconds kAskTimeout{1};
constexpr std::chrono::milliseconds kPauseStale{200};
constexpr std::chrono::seconds kPauseAway{1};
constexpr std::chrono::seconds kPauseWell{30};
constexpr size_t kNodesMax = 1000;

std::string NameOf(const std::string& host, uint16_t port) { return host + ":" + std::to_string(port); }

}  // namespace

std::optional<Redirection> ReadRedirection(std::string_view error) {
  Redirection out;
  const std::vector<std::string_view> words = Split(error, ' ');
  if (words.size() != 3) return std::nullopt;
  if (words[0] != "MOVED" && words[0] != "ASK") return std::nullopt;
  out.is_ask = words[0] == "ASK";
  const auto slot = ParseInt(words[1]);
  const size_t colon = words[2].rfind(':');
  if (!slot || *slot < 0 || *slot >= kSlots || colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseInt(words[2].substr(colon + 1));
  if (!port || *port < 1 || *port > 65'535) return std::nullopt;
  out.slot = static_cast<uint16_t>(*slot);
  out.host = words[2].substr(0, colon);
  out.port = static_cast<uint16_t>(*port);
  return out;
}

void Cluster::Start() { net::Spawn(Refresh(shared_from_this())); }

void Cluster::Close() {
  const std::shared_ptr<Cluster> self = shared_from_this();
  closed_ = true;
  for (auto& [name, node] : nodes_) node->Close();
  wake_.Fire();
  end_.Fire();
}

std::vector<std::shared_ptr<Node>> Cluster::nodes() const {
  std::set<std::shared_ptr<Node>> seen;
  for (const auto& owner : owners_) {
    if (owner != nullptr) seen.insert(owner);
  }
  return {seen.begin(), seen.end()};
}

std::shared_ptr<Node> Cluster::NodeAt(const std::string& host, uint16_t port) {
  std::shared_ptr<Node>& node = nodes_[NameOf(host, port)];
  if (node == nullptr) {
    Login login = options_->login;
    login.db = 0;
    node = std::make_shared<Node>(loop_, dns_, MakeFixedLocator(options_->TargetOf(host, port)), login, observer_,
                                  NameOf(host, port));
    node->Start();
  }
  return node;
}

std::shared_ptr<Node> Cluster::Follow(const Redirection& redirection) {
  if (closed_ || redirection.host.empty() || nodes_.size() >= kNodesMax) return nullptr;
  std::shared_ptr<Node> node = NodeAt(redirection.host, redirection.port);
  if (!redirection.is_ask) {
    owners_[redirection.slot] = node;
    stale_ = true;
    wake_.Fire();
  }
  return node;
}

bool Cluster::TakeMap(const Reply& reply, const std::string& asked_host) {
  if (reply.kind != Reply::Kind::kList || reply.items.empty()) return false;
  std::set<std::string> named;
  for (const Reply& range : reply.items) {
    if (range.items.size() < 3 || range.items[2].items.size() < 2) return false;
    const int64_t first = range.items[0].AsInt(-1), last = range.items[1].AsInt(-1);
    const int64_t port = range.items[2].items[1].AsInt(0);
    if (first < 0 || last < first || last >= kSlots || port < 1 || port > 65'535) return false;
    // A server that does not know its own name leaves it out.
    const std::string& told = range.items[2].items[0].text;
    const std::string& host = told.empty() || told == "?" ? asked_host : told;
    if (named.size() >= kNodesMax) return false;
    named.insert(NameOf(host, static_cast<uint16_t>(port)));
    const std::shared_ptr<Node> node = NodeAt(host, static_cast<uint16_t>(port));
    for (int64_t slot = first; slot <= last; ++slot) owners_[static_cast<size_t>(slot)] = node;
  }
  for (auto at = nodes_.begin(); at != nodes_.end();) {
    if (named.find(at->first) != named.end()) {
      ++at;
      continue;
    }
    const std::shared_ptr<Node> gone = at->second;
    for (auto& owner : owners_) {
      if (owner == gone) owner = nullptr;
    }
    at = nodes_.erase(at);
    gone->Close();
  }
  return true;
}

net::Task<bool> Cluster::AskForMap() {
  // Those that serve know best; the start-up nodes are the way in.
  std::vector<net::DialTarget> targets;
  for (const auto& [name, node] : nodes_) {
    const size_t colon = name.rfind(':');
    if (!node->available()) continue;
    const auto port = ParseInt(std::string_view(name).substr(colon + 1));
    targets.push_back(options_->TargetOf(name.substr(0, colon), static_cast<uint16_t>(port.value_or(0))));
  }
  targets.insert(targets.end(), options_->targets.begin(), options_->targets.end());
  for (const net::DialTarget& target : targets) {
    Login login = options_->login;
    Command command("CLUSTER", {"SLOTS"});
    const TimePoint deadline = SteadyClock::now() + kAskTimeout;
    const std::optional<Reply> reply =
        co_await AskOnce(loop_, dns_, target, std::move(login), std::move(command), deadline, end_);
    if (closed_) co_return false;
    if (reply && TakeMap(*reply, target.host)) co_return true;
  }
  co_return false;
}

bool Cluster::AllWell() const {
  for (const auto& [name, node] : nodes_) {
    if (!node->available()) return false;
  }
  return !nodes_.empty();
}

net::Task<void> Cluster::Refresh(std::shared_ptr<Cluster> self) {
  bool told = false;
  while (!self->closed_) {
    self->stale_ = false;
    const bool found = co_await self->AskForMap();
    if (self->closed_) break;
    if (!found && !told) log::Warn("Redis cluster: no start-up node tells the slots");
    told = !found;
    // Not more often than this, however many keys have moved.
    (void)co_await net::Sleep(self->loop_, kPauseStale, &self->end_);
    if (self->closed_) break;
    if (self->stale_) continue;
    const Duration pause = found && self->AllWell() ? Duration(kPauseWell) : Duration(kPauseAway);
    (void)co_await net::Sleep(self->loop_, pause, &self->wake_);
  }
}

}  // namespace gw::redis
