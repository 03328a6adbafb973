// Listens to one channel on a connection of its own, and comes back after every loss. What was said
// meanwhile is lost: whoever must know it looks it up as well.
// Thread rule: one loop's thread only. Close() before the last owner lets go.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/event_loop.h"
#include "net/resolver.h"
#include "redis/options.h"

namespace gw::redis {

class Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  using OnMessage = std::function<void(std::string_view)>;
  Subscriber(net::EventLoop& loop, net::DnsCache& dns, OptionsPtr options, std::string channel, OnMessage on_message);
  void Start();
  void Close();

 private:
  static net::Task<void> Run(std::shared_ptr<Subscriber> self);
  net::Task<void> Listen();
  [[nodiscard]] std::shared_ptr<Locator> NextLocator();

  net::EventLoop& loop_;
  net::DnsCache& dns_;
  const OptionsPtr options_;
  const std::string channel_;
  const OnMessage on_message_;
  std::shared_ptr<Locator> locator_;  // null: a cluster, whose servers are tried in turn
  size_t turn_ = 0;
  net::Stream* stream_ = nullptr;     // of the frame that listens
  bool closed_ = false;
  net::CancelSlot wake_, dial_cancel_;
};

}  // namespace gw::redis
