// A listening socket of one loop; the kernel spreads connections over the loops (SO_REUSEPORT).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace gw::net {

class Listener {
 public:
  using OnAccept = std::function<void(std::unique_ptr<Stream>)>;

  // Binds and listens; port 0 picks a free one. Error: address in use, bad host.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> Open(EventLoop& loop, const std::string& host,
                                                              uint16_t port, OnAccept on_accept);
  ~Listener();
  void Start();  // on the loop's thread
  void Close();  // on the loop's thread: no new connections
  [[nodiscard]] uint16_t port() const;

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::net
