#include "redis/locators.h"

#include "redis/ask_once.h"

namespace gw::redis {

namespace {

constexpr std::chrono::milliseconds kSentinelTimeout{500};

class Fixed final : public Locator {
 public:
  explicit Fixed(net::DialTarget target) : target_(std::move(target)) {}
  net::Task<std::optional<net::DialTarget>> Locate(net::EventLoop&, net::DnsCache&, net::CancelSlot&) override {
    co_return target_;
  }

 private:
  const net::DialTarget target_;
};

class BySentinels final : public Locator {
 public:
  explicit BySentinels(OptionsPtr options) : options_(std::move(options)) {}

  net::Task<std::optional<net::DialTarget>> Locate(net::EventLoop& loop, net::DnsCache& dns,
                                                    net::CancelSlot& cancel) override {
    std::optional<net::DialTarget> found;
    const size_t count = options_->targets.size();
    for (size_t i = 0; i < count && !found; ++i) {
      const size_t at = (first_ + i) % count;
      Command command("SENTINEL", {"get-master-addr-by-name", options_->settings.service_name});
      const TimePoint deadline = SteadyClock::now() + kSentinelTimeout;
      const std::optional<Reply> reply = co_await AskOnce(loop, dns, options_->targets[at], options_->sentinel_login,
                                                          std::move(command), deadline, cancel);
      if (!reply || reply->items.size() != 2) continue;
      const int64_t port = reply->items[1].AsInt(0);
      if (port < 1 || port > 65'535) continue;
      found = options_->TargetOf(reply->items[0].text, static_cast<uint16_t>(port));
      first_ = at;
    }
    co_return found;
  }

 private:
  const OptionsPtr options_;
  size_t first_ = 0;
};

}  // namespace

std::shared_ptr<Locator> MakeFixedLocator(net::DialTarget target) { return std::make_shared<Fixed>(std::move(target)); }

std::shared_ptr<Locator> MakeSentinelLocator(OptionsPtr options) {
  return std::make_shared<BySentinels>(std::move(options));
}

std::shared_ptr<Locator> MakeLocator(const OptionsPtr& options) {
  if (options->settings.topology == config::RedisSettings::Topology::kSentinel) return MakeSentinelLocator(options);
  return MakeFixedLocator(options->targets.front());
}

}  // namespace gw::redis
