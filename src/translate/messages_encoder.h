// How are chat events and answers written in Anthropic's messages schema?
//
//   message_start
//   per block: content_block_start, content_block_delta..., content_block_stop
//   message_delta {stop_reason, usage}
//   message_stop                                            no [DONE] in this schema
// A block is opened by the first delta that needs it and closed when another kind follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/usage.h"
#include "translate/chat_event.h"

namespace gw::translate {

class MessagesStreamEncoder {
 public:
  [[nodiscard]] bool begun() const { return begun_; }
  // `model` as a raw JSON string.
  void Begin(std::string_view id, std::string_view model, std::string& out);
  void Append(const ChatEvent& event, std::string& out);
  void AppendEnd(std::string_view finish_reason, const api::Usage& usage, std::string& out);

 private:
  enum class Block : uint8_t { kNone, kText, kThinking, kTool };

  void Open(Block block, const ChatEvent& event, std::string& out);
  void Close(std::string& out);
  void AppendDelta(std::string_view type_and_name, std::string_view escaped, std::string& out);

  bool begun_ = false;
  Block open_ = Block::kNone;
  int block_index_ = -1;  // of the open block, or of the last one
  int tool_index_ = -1;   // of the open tool block
};

// `chat_answer`: a whole chat answer. `id` and `model` are kept; empty when it has no choice.
[[nodiscard]] std::string ChatAnswerToMessage(std::string_view chat_answer,
                                              const api::Usage& usage);

// "end_turn" for "stop" and so on.
[[nodiscard]] std::string_view StopReasonOf(std::string_view finish_reason);

}  // namespace gw::translate
