// An upstream that answers well, badly or not at all, and counts each of it.
//
//   model ok      always well
//   model flaky   by chance: well, 429, 500, closed, cut, garbage
//   model long    a stream without an end; it counts when the peer leaves
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "wire.h"

namespace conservation {

struct UpstreamCounts {
  std::atomic<long> requests{0};      // attempts, as seen from here
  std::atomic<long> good{0};
  std::atomic<long> prompt_tokens{0}, completion_tokens{0};  // of good answers
  std::atomic<long> failed_before{0};  // nothing of an answer could reach the client
  std::atomic<long> failed_within{0};  // a stream cut behind its first content
  std::atomic<long> left_by_peer{0};   // long streams whose reader went away
};

class Upstream {
 public:
  explicit Upstream(uint64_t seed) : seed_(seed), listener_(Listen(port_)) {}
  void Start();
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const UpstreamCounts& counts() const { return counts_; }

 private:
  class Session;
  void Serve(int fd, uint64_t number);

  const uint64_t seed_;
  int port_ = 0;
  const int listener_;
  UpstreamCounts counts_;
};

}  // namespace conservation
