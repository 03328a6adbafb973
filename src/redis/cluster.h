// Which server of a cluster holds a key? The map of slots, asked for at the start, whenever a server
// says "moved", and while one of them is away.
// Thread rule: one loop's thread only.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "redis/hash_slot.h"
#include "redis/node.h"
#include "redis/options.h"

namespace gw::redis {

// "MOVED 3999 127.0.0.1:6381" and "ASK ...".
struct Redirection {
  bool is_ask = false;
  uint16_t slot = 0;
  std::string host;  // empty: that of the server which said so
  uint16_t port = 0;
};
[[nodiscard]] std::optional<Redirection> ReadRedirection(std::string_view error);

class Cluster : public std::enable_shared_from_this<Cluster> {
 public:
  Cluster(net::EventLoop& loop, net::DnsCache& dns, OptionsPtr options, Observer* observer)
      : loop_(loop), dns_(dns), options_(std::move(options)), observer_(observer) {}

  void Start();
  void Close();

  // Null: nobody is known to hold it.
  [[nodiscard]] std::shared_ptr<Node> NodeOf(uint16_t slot) const { return owners_[slot]; }
  // The server that `error` points to, known from now on; the map is asked for again.
  [[nodiscard]] std::shared_ptr<Node> Follow(const Redirection& redirection);
  [[nodiscard]] std::vector<std::shared_ptr<Node>> nodes() const;

 private:
  static net::Task<void> Refresh(std::shared_ptr<Cluster> self);
  [[nodiscard]] net::Task<bool> AskForMap();
  bool TakeMap(const Reply& reply, const std::string& asked_host);
  std::shared_ptr<Node> NodeAt(const std::string& host, uint16_t port);
  [[nodiscard]] bool AllWell() const;

  net::EventLoop& loop_;
  net::DnsCache& dns_;
  const OptionsPtr options_;
  Observer* const observer_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;  // by "host:port"
  std::array<std::shared_ptr<Node>, kSlots> owners_;
  net::CancelSlot wake_, end_;  // end_: of what goes on to its own end otherwise
  bool stale_ = true;
  bool closed_ = false;
};

}  // namespace gw::redis
