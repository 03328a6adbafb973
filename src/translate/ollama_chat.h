// How do Ollama's answers (/api/chat and /api/generate) become an OpenAI chat answer?
//
// One JSON object per line in a stream, the same object once without:
//   {"message":{"role","content","thinking"?,"tool_calls"?},"done":false}       /api/chat
//   {"response":"...","thinking"?,"done":false}                                 /api/generate
//   {..., "done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":7}
//   {"error":"text"}                                                            any time
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "translate/chat_encoder.h"
#include "translate/ndjson.h"
#include "translate/ollama_request.h"
#include "translate/think_tags.h"
#include "translate/translator.h"

namespace gw::translate {

// The members of one line that matter; raw JSON values, empty = absent.
struct OllamaLine {
  std::string_view content;  // message.content or response
  std::string_view thinking;
  std::string_view tool_calls;
  std::string_view error;
  std::string_view done_reason;
  bool done = false;
  bool is_answer = false;  // has message, response or done
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> completion_tokens;
};

// `line` must be accepted by json::Validate.
[[nodiscard]] OllamaLine ReadOllamaLine(std::string_view line);

class OllamaChat final : public Translator {
 public:
  OllamaChat(const ClientRequest& request, const AttemptTarget& target);

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override;

 private:
  [[nodiscard]] Result<void> OnLine(std::string_view line, std::string& out);
  void OnToolCalls(std::string_view tool_calls, std::string& out);
  void Emit(const ChatEvent& event, std::string& out);
  void End(std::string_view done_reason, std::string& out);
  void Count(const OllamaLine& line);
  void FillUsage();
  [[nodiscard]] StreamProgress Progress() const { return {encoder_.has_content(), done_}; }
  [[nodiscard]] Error LineError(std::string_view error_value) const;
  [[nodiscard]] std::string_view FinishReason(std::string_view done_reason) const;

  // Constant after construction.
  const ClientRequest request_;
  const AttemptTarget target_;
  std::string model_;  // what the client reads back

  OllamaRoute route_ = OllamaRoute::kChat;
  NdjsonSplitter lines_;
  ThinkTagSplitter think_;
  ChatStreamEncoder encoder_;
  std::string scratch_;
  int tool_count_ = 0;
  bool done_ = false;
  bool usage_known_ = false;
  size_t answer_bytes_ = 0;  // for the estimate
  std::optional<int64_t> prompt_tokens_;
  std::optional<int64_t> completion_tokens_;
  api::Usage usage_;
};

}  // namespace gw::translate
