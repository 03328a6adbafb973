// Who asks the simulated fleet, and what? Users who chat: a shared system prompt, a history that grows with
// every turn, a pause after every answer. The same seed gives every balancer the same users.
#pragma once

#include <cstdint>
#include <vector>

#include "routing/router.h"
#include "simulation/fleet_engine.h"

namespace gw::routing::simulation {

// Lengths in the range of published chat traces (ShareGPT in the vLLM benchmarks: answers of 200 tokens in
// the mean, long tails), with the system prompts and documents of today's applications.
struct WorkloadModel {
  size_t applications = 6;
  double shared_tokens_min = 600, shared_tokens_max = 3000;
  double message_median = 120, message_sigma = 1.0;
  double document_chance = 0.15;  // in a first message
  double document_min = 1000, document_max = 6000;
  double answer_median = 180, answer_sigma = 0.8, answer_max = 1500;
  double turns_mean = 6;
  double pause_s_mean = 12;
  int32_t history_max = 24'000;   // then a new conversation
};

struct Ask {
  Prompt prompt;
  int32_t answer_tokens = 0;
  double bytes_per_token = 4;  // of this application's texts; the gateway reckons with 4
};

// One user's stream of questions; answers do not change it.
class User {
 public:
  User(const WorkloadModel& model, uint64_t seed, uint64_t number);
  [[nodiscard]] Ask NextAsk();
  [[nodiscard]] double NextPause();

 private:
  [[nodiscard]] double LogNormal(double median, double sigma);
  void BeginConversation();

  const WorkloadModel& model_;
  Random random_;
  uint64_t seed_;
  uint64_t number_;
  uint64_t conversations_ = 0;
  Prompt prompt_;
  double bytes_per_token_ = 4;
  int turns_left_ = 0;
};

}  // namespace gw::routing::simulation
