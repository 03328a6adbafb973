// TCP (and TLS over TCP) streams on a loop. Internal to net/: others see Stream.
#pragma once

#include <memory>
#include <string>

#include "net/event_loop.h"
#include "net/stream.h"

namespace gw::net {

class SocketStream : public Stream {
 public:
  // After a non-blocking connect(): kOk once connected, kReset when it failed.
  virtual void StartConnectWait(IoOp& op) = 0;
};

// Takes the non-blocking socket `fd` over.
[[nodiscard]] std::unique_ptr<SocketStream> WrapSocket(EventLoop& loop, int fd, std::string peer_address);

}  // namespace gw::net
