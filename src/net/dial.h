// An outgoing connection: name lookup, connect to each address in turn, TLS.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls_stream.h"

namespace gw::net {

struct DialTarget {
  std::string host;
  uint16_t port = 0;
  std::shared_ptr<TlsContext> tls;  // null: plain TCP
};

struct DialResult {
  std::unique_ptr<Stream> stream;  // null on failure
  IoStatus status = IoStatus::kOk; // kTimeout, kCancelled, kReset (refused), kFailed (DNS, TLS)
  std::string error;               // in words
};

// Ends by `deadline`. `cancel` may be null; when it fires the dial fails at once.
[[nodiscard]] Task<DialResult> Dial(EventLoop& loop, DnsCache& dns, const DialTarget& target,
                                    TimePoint deadline, CancelSlot* cancel);

// The server side of TLS on an accepted connection.
[[nodiscard]] Task<IoStatus> ServerHandshake(EventLoop& loop, TlsStream& stream, Duration limit);

}  // namespace gw::net
