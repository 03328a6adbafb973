#include "simulation/fleet_engine.h"

#include <algorithm>

namespace gw::routing::simulation {

bool BlockPool::IsIdle(uint64_t key) const {
  const auto found = blocks_.find(key);
  return found != blocks_.end() && found->second.holders == 0;
}

void BlockPool::Take(uint64_t key) {
  const auto found = blocks_.find(key);
  if (found != blocks_.end()) {
    if (found->second.holders++ == 0) {
      idle_.erase(found->second.place);
      --idle_count_;
    }
    return;
  }
  if (static_cast<int32_t>(blocks_.size()) >= total_) {
    blocks_.erase(idle_.front());
    idle_.pop_front();
    --idle_count_;
  }
  blocks_[key].holders = 1;
}

void BlockPool::Drop(uint64_t key, bool keep) {
  const auto found = blocks_.find(key);
  if (found == blocks_.end() || --found->second.holders > 0) return;
  if (!keep) {
    blocks_.erase(found);
    return;
  }
  found->second.place = idle_.insert(idle_.end(), key);
  ++idle_count_;
}

uint64_t Engine::KeyOf(const Prompt& prompt, int32_t block) const {
  const bool is_shared = (block + 1) * model_.block_tokens <= prompt.shared_tokens;
  const uint64_t owner = is_shared ? prompt.application : prompt.conversation;
  return (owner << 20) | (is_shared ? uint64_t{1} << 19 : 0) | static_cast<uint64_t>(block);
}

// vLLM computes at least the last token anew.
int32_t Engine::CachedTokens(const Prompt& prompt) const {
  const int32_t full = (prompt.tokens - 1) / model_.block_tokens;
  int32_t block = 0;
  while (block < full && pool_.Has(KeyOf(prompt, block))) ++block;
  return block * model_.block_tokens;
}

void Engine::Arrive(Sequence sequence, double now) {
  sequence.arrived = now;
  sequence.new_tokens = sequence.prompt.tokens - CachedTokens(sequence.prompt);
  waiting_.push_back(std::move(sequence));
}

// Takes the blocks of everything that is known so far; false: they do not fit now.
bool Engine::Admit(Sequence& sequence) {
  Prompt known = sequence.prompt;
  known.tokens = sequence.length();
  const int32_t cached = CachedTokens(known);
  const int32_t wanted = BlocksOf(known.tokens + 1);
  int32_t idle_hits = 0;
  for (int32_t b = 0; b < cached / model_.block_tokens; ++b) idle_hits += pool_.IsIdle(KeyOf(known, b)) ? 1 : 0;
  if (wanted - cached / model_.block_tokens + idle_hits > pool_.available()) return false;
  for (int32_t b = 0; b < wanted; ++b) pool_.Take(KeyOf(known, b));
  sequence.held_blocks = wanted;
  sequence.computed = cached;
  sequence.goal = known.tokens;
  return true;
}

// One more token needs a place; false: there is none.
bool Engine::Grow(Sequence& sequence) {
  const int32_t wanted = BlocksOf(sequence.length() + 1);
  if (wanted <= sequence.held_blocks) return true;
  if (pool_.available() <= 0) return false;
  pool_.Take(KeyOf(sequence.prompt, sequence.held_blocks));
  ++sequence.held_blocks;
  return true;
}

// From the end, so that the beginning of a prompt stays longest. What is not full cannot be found again.
void Engine::Release(Sequence& sequence) {
  const int32_t full = sequence.computed / model_.block_tokens;
  for (int32_t b = sequence.held_blocks; b-- > 0;) pool_.Drop(KeyOf(sequence.prompt, b), b < full);
  sequence.held_blocks = 0;
}

void Engine::Preempt(size_t at) {
  Sequence sequence = std::move(running_[at]);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
  Release(sequence);
  ++preemptions_;
  waiting_.push_front(std::move(sequence));
}

double Engine::BeginStep(double now) {
  if (is_busy_ || (running_.empty() && waiting_.empty())) return -1;
  int32_t budget = model_.batched_tokens_max;
  int64_t context = 0;
  int32_t prompt_tokens = 0;
  bool preempted = false;
  for (size_t i = 0; i < running_.size(); ++i) {
    while (i < running_.size() && !Grow(running_[i])) {
      Preempt(running_.size() - 1);
      preempted = true;
    }
  }
  parts_.assign(running_.size(), 0);
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& s = running_[i];
    const int32_t part = std::min(std::max(s.goal - s.computed, 1), budget);
    parts_[i] = part;
    budget -= part;
    if (s.goal - s.computed > 1 || s.produced == 0) prompt_tokens += part;  // else the last token of an answer
    context += s.computed + part;
  }
  while (!preempted && budget > 0 && !waiting_.empty() && static_cast<int32_t>(running_.size()) < model_.sequences_max) {
    Sequence& s = waiting_.front();
    if (!Admit(s)) break;
    const int32_t part = std::min(s.goal - s.computed, budget);
    budget -= part;
    prompt_tokens += part;
    context += s.computed + part;
    parts_.push_back(part);
    running_.push_back(std::move(s));
    waiting_.pop_front();
  }
  if (running_.empty()) return -1;  // a prompt that can never fit does not occur
  is_busy_ = true;
  busy_until_ = now + model_.step_s + model_.sequence_s * static_cast<double>(running_.size()) +
                model_.context_token_s * static_cast<double>(context) + prompt_tokens / model_.prefill_tokens_per_s;
  return busy_until_;
}

void Engine::EndStep(double now, std::vector<Sequence>& finished, int64_t& tokens) {
  is_busy_ = false;
  size_t kept = 0;
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& s = running_[i];
    s.computed += parts_[i];
    if (s.computed >= s.goal && parts_[i] > 0) {
      ++s.produced;
      ++tokens;
      if (s.first_token < 0) s.first_token = now;
      s.goal = s.length();
    }
    if (s.produced >= s.answer_tokens) {
      Release(s);
      finished.push_back(std::move(s));
      continue;
    }
    if (kept != i) running_[kept] = std::move(s);
    ++kept;
  }
  running_.resize(kept);
}

}  // namespace gw::routing::simulation
