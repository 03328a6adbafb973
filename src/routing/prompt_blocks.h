// Which beginnings of a prompt may an engine have computed before? Chained hashes over its bytes: the
// hash of a block names everything from the first byte to the block's end, as in the engine's own
// prefix cache.
//
// Blocks grow with the distance from the beginning (at least block_bytes, about an eighth of what
// lies before), so that a prompt of a megabyte has some sixty of them and a look-up stays cheap. The
// same text has the same ends whatever follows it: the next turn of a chat finds the last one's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace gw::routing {

struct PromptBlock {
  uint64_t hash = 0;
  int32_t end_tokens = 0;  // of the prompt up to the block's end, estimated
};

struct PromptBlocks {
  std::vector<PromptBlock> blocks;  // at most limits::kPromptBlocksMax
  int64_t tokens = 0;               // of the whole prompt; 0: unknown
};

// English text and JSON around it; only differences between deployments matter.
inline constexpr int64_t kBytesPerToken = 4;

[[nodiscard]] inline size_t NextBlockEnd(size_t end, size_t block_bytes) {
  return end + (end / 8 > block_bytes ? end / 8 : block_bytes);
}

// `pieces` in the order in which the engine's template renders them: tools, system, messages.
[[nodiscard]] PromptBlocks HashPrompt(std::initializer_list<std::string_view> pieces, size_t block_bytes);

}  // namespace gw::routing
