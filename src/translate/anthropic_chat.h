// How do Anthropic's answers become an OpenAI chat answer?
//
//   message_start        input usage, model
//   content_block_start  tool_use: first fragment of a tool call (id, name)
//   content_block_delta  text, thinking, signature, input_json
//   content_block_stop   a tool call that got no arguments gets "{}"
//   message_delta        stop_reason, output usage
//   message_stop         finish chunk, usage chunk, [DONE]
//   error                Error;   ping and unknown events: nothing
// Tool calls count from 0, whatever blocks lie between them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "translate/anthropic_answer.h"
#include "translate/chat_encoder.h"
#include "translate/sse_decoder.h"
#include "translate/translator.h"

namespace gw::translate {

class AnthropicChat final : public Translator {
 public:
  AnthropicChat(const ClientRequest& request, const AttemptTarget& target)
      : request_(request), target_(target) {}

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override;
  [[nodiscard]] bool content_filtered() const override { return finish_ == "content_filter"; }

 private:
  enum class Block : uint8_t { kOther, kText, kThinking, kTool, kJsonTool };

  [[nodiscard]] Result<void> OnEvent(std::string_view data, std::string& out);
  void OnMessageStart(std::string_view message);
  void OnBlockStart(std::string_view block, std::string& out);
  void OnBlockDelta(std::string_view delta, std::string& out);
  void OnBlockStop(std::string& out);
  void ReadBlock(std::string_view block, ChatAnswer* answer);
  void Emit(const ChatEvent& event, std::string& out);
  void End(std::string& out);
  // The client's name of a tool, escaped.
  [[nodiscard]] std::string_view ToolName(std::string_view sent_escaped) const;
  [[nodiscard]] ChatHead Head() const;
  [[nodiscard]] StreamProgress Progress() const { return {encoder_.has_content(), done_}; }

  // Constant after construction.
  const ClientRequest request_;
  const AttemptTarget target_;

  // From BuildRequest.
  bool json_by_tool_ = false;
  std::vector<std::pair<std::string, std::string>> renamed_tools_;

  SseDecoder events_;
  std::string event_text_;  // the current event, with readable bytes behind it
  ChatStreamEncoder encoder_;
  std::string upstream_model_;  // as the upstream says it
  std::string_view finish_;     // static; empty until known
  Block block_ = Block::kOther;
  bool block_has_input_ = false;
  int tool_count_ = 0;
  bool done_ = false;

  AnthropicCounts counts_;
  size_t answer_bytes_ = 0;
  size_t reasoning_bytes_ = 0;
  api::Usage usage_;
};

}  // namespace gw::translate
