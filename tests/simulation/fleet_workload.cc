#include "simulation/fleet_workload.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gw::routing::simulation {

User::User(const WorkloadModel& model, uint64_t seed, uint64_t number)
    : model_(model), random_(seed * 1'000'003 + number), seed_(seed), number_(number) {}

double User::LogNormal(double median, double sigma) {
  const double u = std::max(random_.NextUnit(), 1e-12);
  const double normal = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * random_.NextUnit());
  return median * std::exp(sigma * normal);
}

double User::NextPause() { return -model_.pause_s_mean * std::log(std::max(random_.NextUnit(), 1e-12)); }

void User::BeginConversation() {
  // The first application is the most popular one.
  const double u = random_.NextUnit();
  const auto application = static_cast<uint64_t>(u * u * static_cast<double>(model_.applications));
  Random of_application(seed_ * 77 + application);
  const double spread = model_.shared_tokens_max - model_.shared_tokens_min;
  prompt_ = {};
  prompt_.application = application + 1;
  prompt_.shared_tokens = static_cast<int32_t>(model_.shared_tokens_min + spread * of_application.NextUnit());
  bytes_per_token_ = 3.5 + of_application.NextUnit();
  prompt_.conversation = (number_ + 1) * 100'000 + ++conversations_;
  prompt_.tokens = prompt_.shared_tokens;
  if (random_.NextUnit() < model_.document_chance) {
    prompt_.tokens += static_cast<int32_t>(model_.document_min +
                                           (model_.document_max - model_.document_min) * random_.NextUnit());
  }
  turns_left_ = 1 + static_cast<int>(-(model_.turns_mean - 1) * std::log(std::max(random_.NextUnit(), 1e-12)) + 0.5);
}

Ask User::NextAsk() {
  if (turns_left_ <= 0 || prompt_.tokens > model_.history_max) BeginConversation();
  --turns_left_;
  prompt_.tokens += 10 + static_cast<int32_t>(std::min(LogNormal(model_.message_median, model_.message_sigma), 4000.0));
  Ask ask;
  ask.prompt = prompt_;
  const double answer = std::min(LogNormal(model_.answer_median, model_.answer_sigma), model_.answer_max);
  ask.answer_tokens = std::max(1, static_cast<int32_t>(answer));
  ask.bytes_per_token = bytes_per_token_;
  prompt_.tokens += ask.answer_tokens;
  return ask;
}

}  // namespace gw::routing::simulation
