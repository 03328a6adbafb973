// How does an Anthropic messages client talk to an Anthropic upstream?
//
// Nothing is translated: the client's body travels with another model name and without the orders
// meant for the gateway; answers come back with the public model name. Events are passed on whole,
// their data untouched except for message_start's model; usage is read in passing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "translate/anthropic_answer.h"
#include "translate/body_splice.h"
#include "translate/sse_decoder.h"
#include "translate/translator.h"

namespace gw::translate {

class MessagesNative final : public Translator {
 public:
  MessagesNative(const ClientRequest& request, const AttemptTarget& target);

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override;
  [[nodiscard]] bool content_filtered() const override { return refused_; }

 private:
  [[nodiscard]] Result<void> OnEvent(const SseEvent& event, std::string& out);
  // `object` (a view into `source`) with its "model" replaced, in the middle of `source`.
  void AppendWithModel(std::string_view source, std::string_view object, std::string& out);
  void ReadStopReason(std::string_view holder);

  // Constant after construction.
  const ClientRequest request_;
  const AttemptTarget target_;
  std::string shown_model_;  // quoted; empty: keep the upstream's

  SseDecoder events_;
  EditList edits_;
  std::string event_text_;  // the current event, with readable bytes behind it
  AnthropicCounts counts_;
  api::Usage usage_;
  size_t answer_bytes_ = 0;
  bool has_content_ = false;
  bool refused_ = false;
  bool done_ = false;
};

}  // namespace gw::translate
