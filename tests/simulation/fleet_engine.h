// A simulated vLLM server: continuous batching with chunked prefill, a pool of KV blocks that is also
// the prefix cache, preemption when it is full. Virtual time, no randomness.
//
// One step computes at most batched_tokens_max tokens: one for each running answer, then parts of prompts
// in order of arrival. Its time grows with the tokens of prompts, with the sequences and with the context
// that their attention reads. The figures are in EngineModel, with their sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>
#include <vector>

namespace gw::routing::simulation {

// Llama 3 70B in bfloat16 on four H100 (tensor parallel), the larger set-up of the vLLM team's "v0.6.0"
// performance post (September 2024). From data sheets and model card: 141 GB of weights, 80 layers x 8 KV
// heads x 128 x 2 x 2 bytes = 320 KiB of KV cache per token; per H100 SXM 80 GB, 3.35 TB/s, 989 dense
// TFLOP/s. At 70 % of the bandwidth a step reads the weights in 15 ms (20 with launch and all-reduce); at
// 36 % of the FLOPs a second computes 10,000 prompt tokens. vLLM's own defaults: gpu_memory_utilization
// 0.9 leaves some 135 GB = 411,000 tokens of KV cache; max_num_seqs 256; max_num_batched_tokens 8192.
// Blocks are 64 tokens instead of vLLM's 16, to be faster here.
struct EngineModel {
  double step_s = 0.020;
  double sequence_s = 0.00007;        // per sequence of a step
  double context_token_s = 35e-9;     // per token that attention reads
  double prefill_tokens_per_s = 10'000;
  int32_t block_tokens = 64;
  int32_t blocks = 411'000 / 64;
  int32_t sequences_max = 256;
  int32_t batched_tokens_max = 8192;
};

// The same model in FP8 on two H100: the weights leave 66 GB = 200,000 tokens of KV cache. From some 500 users
// on the prompts of those who chat no longer fit, then not even those that run.
[[nodiscard]] inline EngineModel SmallEngine() {
  EngineModel model;
  model.context_token_s = 70e-9;
  model.blocks = 200'000 / model.block_tokens;
  return model;
}

// What a prompt consists of: the first `shared_tokens` are the system prompt of an application, what
// follows belongs to one conversation.
struct Prompt {
  uint64_t application = 0;
  uint64_t conversation = 0;
  int32_t shared_tokens = 0;
  int32_t tokens = 0;
};

struct Sequence {
  uint64_t id = 0;
  Prompt prompt;
  int32_t answer_tokens = 0;  // how many it will have; only the oracle looks
  double arrived = 0;

  int32_t produced = 0;
  int32_t computed = 0;       // tokens in the KV cache
  int32_t goal = 0;           // to compute before the next token comes
  int32_t held_blocks = 0;
  int32_t new_tokens = 0;     // waiting: what was not in the cache when it came
  double first_token = -1;
  [[nodiscard]] int32_t length() const { return prompt.tokens + produced; }
  [[nodiscard]] int32_t left() const { return answer_tokens - produced; }
};

// Blocks by content; those that nobody holds stay until their place is needed, the idlest goes first.
class BlockPool {
 public:
  explicit BlockPool(int32_t blocks) : total_(blocks) {}
  [[nodiscard]] int32_t available() const { return total_ - static_cast<int32_t>(blocks_.size()) + idle_count_; }
  [[nodiscard]] double usage() const { return 1.0 - static_cast<double>(available()) / total_; }
  [[nodiscard]] bool Has(uint64_t key) const { return blocks_.contains(key); }
  [[nodiscard]] bool IsIdle(uint64_t key) const;
  void Take(uint64_t key);  // there is room: available() > 0, or it is held by another already
  void Drop(uint64_t key, bool keep);

 private:
  struct Block {
    int32_t holders = 0;
    std::list<uint64_t>::iterator place;
  };
  int32_t total_;
  int32_t idle_count_ = 0;
  std::unordered_map<uint64_t, Block> blocks_;
  std::list<uint64_t> idle_;  // idlest first
};

class Engine {
 public:
  explicit Engine(const EngineModel& model) : model_(model), pool_(model.blocks) {}

  void Arrive(Sequence sequence, double now);
  // Begins a step if there is work and none is under way; the time of its end, or a negative number.
  double BeginStep(double now);
  // Ends it. Sequences that are complete are moved to `finished`; `tokens` counts what was produced.
  void EndStep(double now, std::vector<Sequence>& finished, int64_t& tokens);

  // What /metrics would say.
  [[nodiscard]] size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] size_t running() const { return running_.size(); }
  [[nodiscard]] double kv_usage() const { return pool_.usage(); }
  [[nodiscard]] const EngineModel& model() const { return model_; }
  [[nodiscard]] uint64_t preemptions() const { return preemptions_; }

  // What only an oracle knows.
  [[nodiscard]] int32_t CachedTokens(const Prompt& prompt) const;
  [[nodiscard]] double busy_until() const { return busy_until_; }
  [[nodiscard]] const std::vector<Sequence>& running_sequences() const { return running_; }
  [[nodiscard]] const std::deque<Sequence>& waiting_sequences() const { return waiting_; }
  [[nodiscard]] int32_t available_blocks() const { return pool_.available(); }
  [[nodiscard]] int32_t BlocksOf(int32_t tokens) const { return (tokens + model_.block_tokens - 1) / model_.block_tokens; }

 private:
  [[nodiscard]] uint64_t KeyOf(const Prompt& prompt, int32_t block) const;
  bool Admit(Sequence& sequence);
  bool Grow(Sequence& sequence);
  void Release(Sequence& sequence);
  void Preempt(size_t at);

  EngineModel model_;
  BlockPool pool_;
  std::deque<Sequence> waiting_;
  std::vector<Sequence> running_;
  std::vector<int32_t> parts_;  // of the step under way: tokens computed for each running sequence
  bool is_busy_ = false;
  double busy_until_ = 0;
  uint64_t preemptions_ = 0;
};

}  // namespace gw::routing::simulation
