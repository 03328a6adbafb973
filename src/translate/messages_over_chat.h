// How does an Anthropic messages client talk to an upstream of another dialect?
//
//   client body --MessagesToChatBody--> chat body --> chat translator of the dialect --> upstream
//   client SSE  <--MessagesStreamEncoder-- chat SSE <-- the same translator          <-- upstream
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "translate/messages_encoder.h"
#include "translate/sse_decoder.h"
#include "translate/translator.h"

namespace gw::translate {

class MessagesOverChat final : public Translator {
 public:
  MessagesOverChat(const ClientRequest& request, const AttemptTarget& target);

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override { return chat_->BuildRequest(); }
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override { return chat_->usage(); }
  [[nodiscard]] bool content_filtered() const override { return chat_->content_filtered(); }

 private:
  // Turns what the chat translator wrote into the client's events.
  [[nodiscard]] StreamProgress Forward(std::string& out);
  void OnChunk(std::string_view data, std::string& out);

  const AttemptTarget target_;
  std::string chat_body_;  // the chat translator's request points into it
  std::unique_ptr<Translator> chat_;

  std::string chat_out_;  // what the chat translator wrote last; reused
  SseDecoder chat_events_;
  std::vector<ChatEvent> deltas_;
  MessagesStreamEncoder encoder_;
  std::string finish_reason_ = "stop";
  bool has_content_ = false;
  bool done_ = false;
};

}  // namespace gw::translate
