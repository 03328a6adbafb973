#include "routing/prompt_blocks.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"

namespace gw::routing {
namespace {

__extension__ using Wide = unsigned __int128;

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15U) * (b ^ 0xC2B2AE3D27D4EB4FU);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Bytes in, eight at a time, whatever pieces they come in.
class ChainedHash {
 public:
  void Add(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t take = std::min(bytes.size(), sizeof(uint64_t) - held_);
      std::memcpy(reinterpret_cast<char*>(&word_) + held_, bytes.data(), take);
      held_ += take;
      bytes.remove_prefix(take);
      if (held_ < sizeof(uint64_t)) return;
      Take();
      while (bytes.size() >= sizeof(uint64_t)) {
        std::memcpy(&word_, bytes.data(), sizeof(uint64_t));
        bytes.remove_prefix(sizeof(uint64_t));
        Take();
      }
    }
  }
  // Of all bytes so far; never 0.
  [[nodiscard]] uint64_t Value() const { return Mix(Mix(state_, word_), held_ + 1) | 1; }

 private:
  void Take() {
    state_ = Mix(state_, word_);
    word_ = 0;
    held_ = 0;
  }
  uint64_t state_ = 0x243F6A8885A308D3U;
  uint64_t word_ = 0;
  size_t held_ = 0;
};

}  // namespace

PromptBlocks HashPrompt(std::initializer_list<std::string_view> pieces, size_t block_bytes) {
  PromptBlocks out;
  size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  out.tokens = static_cast<int64_t>(total) / kBytesPerToken;
  ChainedHash hash;
  size_t at = 0;
  size_t end = NextBlockEnd(0, block_bytes);
  for (std::string_view piece : pieces) {
    while (at + piece.size() >= end) {
      if (out.blocks.size() >= limits::kPromptBlocksMax) return out;
      hash.Add(piece.substr(0, end - at));
      piece.remove_prefix(end - at);
      at = end;
      out.blocks.push_back({hash.Value(), static_cast<int32_t>(static_cast<int64_t>(end) / kBytesPerToken)});
      end = NextBlockEnd(end, block_bytes);
    }
    hash.Add(piece);
    at += piece.size();
  }
  return out;
}

}  // namespace gw::routing
