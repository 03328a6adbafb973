// HTTP/1.1 over blocking sockets, as much as both ends of this test need. Not the gateway's code on
// purpose: what is counted here must not depend on what is tested.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace conservation {

// A message with its body decoded. `complete` is false when the peer closed before its end.
struct Message {
  std::string head;  // start line and fields, lower case names as sent
  std::string body;
  bool complete = false;
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string_view Field(std::string_view lower_name) const;
};

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() { Close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void Close();
  // False: the peer is gone.
  [[nodiscard]] bool Send(std::string_view data);
  // Nothing: no byte of a further message came.
  [[nodiscard]] Message Read();
  // The head and the first bytes of the body.
  [[nodiscard]] Message ReadBegin();
  // Waits until the peer closes, or so long.
  [[nodiscard]] bool PeerLeavesWithin(int milliseconds);

 private:
  bool Fill();
  bool ReadHead(Message& message);
  void ReadChunked(Message& message);

  int fd_;
  std::string rest_;
};

[[nodiscard]] int Connect(int port);                       // -1: refused
[[nodiscard]] int Listen(int& port);                       // on 127.0.0.1; 0: any port
// The number behind "name": in JSON text that a test made; 0 when it is not there.
[[nodiscard]] long NumberIn(std::string_view json, std::string_view name);

}  // namespace conservation
