// gw_conservation SEED: prints the upstream's port, reads "GATEWAY_PORT KEY REQUESTS CONNECTIONS" from its
// input, drives the gateway and prints what clients and upstream counted, as JSON.
#include <cstdlib>
#include <iostream>
#include <string>

#include "clients.h"
#include "upstream.h"

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  static conservation::Upstream upstream(seed);
  upstream.Start();
  std::cout << upstream.port() << std::endl;
  conservation::ClientPlan plan;
  plan.seed = seed;
  if (!(std::cin >> plan.port >> plan.key >> plan.requests >> plan.connections)) return 2;
  const conservation::ClientCounts c = conservation::RunClients(plan);
  const conservation::UpstreamCounts& u = upstream.counts();
  std::cout << "{\"requests\":" << c.requests << ",\"complete\":" << c.complete << ",\"broken\":" << c.broken
            << ",\"cancelled\":" << c.cancelled << ",\"unclear\":" << c.unclear << ",\"fell_back\":" << c.fell_back
            << ",\"prompt_tokens\":" << c.prompt_tokens << ",\"completion_tokens\":" << c.completion_tokens << ",\"refused\":{";
  const char* comma = "";
  for (const auto& [status, count] : c.refused) {
    std::cout << comma << "\"" << status << "\":" << count;
    comma = ",";
  }
  std::cout << "}}" << std::endl;
  // The gateway notices the last ones that left a moment later: asked for again when it is at rest.
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.empty()) continue;
    std::cout << "{\"requests\":" << u.requests << ",\"good\":" << u.good << ",\"prompt_tokens\":" << u.prompt_tokens
              << ",\"completion_tokens\":" << u.completion_tokens << ",\"failed_before\":" << u.failed_before
              << ",\"failed_within\":" << u.failed_within << ",\"left_by_peer\":" << u.left_by_peer << "}" << std::endl;
  }
  std::_Exit(0);  // threads still wait on their connections
}
