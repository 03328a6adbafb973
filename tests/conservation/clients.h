// Clients that ask, cancel and read, and count what they were told.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace conservation {

struct ClientCounts {
  long requests = 0;
  long complete = 0;        // 200, with everything to its end
  long broken = 0;          // 200, then an error inside the stream
  long cancelled = 0;       // left in the middle of an endless stream
  long unclear = 0;         // anything else: must be none
  std::map<int, long> refused;  // by status
  long prompt_tokens = 0, completion_tokens = 0;  // of the complete ones
  long fell_back = 0;       // complete ones from another group than asked for
  void Add(const ClientCounts& other);
};

struct ClientPlan {
  int port = 0;
  std::string key;
  long requests = 0;   // of all connections together
  int connections = 1;
  uint64_t seed = 0;
};

[[nodiscard]] ClientCounts RunClients(const ClientPlan& plan);

}  // namespace conservation
