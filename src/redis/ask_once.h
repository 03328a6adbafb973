// One question over a connection of its own: what sentinels and clusters are asked, rarely.
#pragma once

#include <optional>

#include "net/dial.h"
#include "redis/node.h"
#include "redis/resp.h"

namespace gw::redis {

// nullopt: no answer by the deadline, an error, or `cancel` fired.
[[nodiscard]] net::Task<std::optional<Reply>> AskOnce(net::EventLoop& loop, net::DnsCache& dns, net::DialTarget target,
                                                      Login login, Command command, TimePoint deadline,
                                                      net::CancelSlot& cancel);

}  // namespace gw::redis
