#include "translate/messages_over_chat.h"

#include "base/json.h"
#include "translate/anthropic_answer.h"
#include "translate/chat_chunk.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/messages_request.h"

namespace gw::translate {

MessagesOverChat::MessagesOverChat(const ClientRequest& request, const AttemptTarget& target)
    : target_(target), chat_body_(WithPadding(MessagesToChatBody(request.body))) {
  ClientRequest chat = request;
  chat.endpoint = api::Endpoint::kChat;
  chat.body = chat_body_;
  chat.members = nullptr;  // they are those of the client's body
  chat.include_usage = false;  // the last event takes it from usage()
  AttemptTarget chat_target = target;
  // A messages client cannot know which OpenAI parameters its own were turned into.
  chat_target.drop_params = true;
  chat_ = MakeTranslator(chat, chat_target);
}

Result<std::string> MessagesOverChat::TranslateBody(std::string& body) {
  auto answer = chat_->TranslateBody(body);
  if (!answer) return answer.error();
  std::string message = ChatAnswerToMessage(*answer, chat_->usage());
  if (message.empty()) return MapBadAnswer(*target_.deployment, "the answer holds no choice");
  return message;
}

Result<StreamProgress> MessagesOverChat::Feed(std::string_view bytes, std::string& out) {
  if (done_) return StreamProgress{has_content_, done_};
  chat_out_.clear();
  auto fed = chat_->Feed(bytes, chat_out_);
  // What came before an error is still the client's.
  const StreamProgress progress = Forward(out);
  if (!fed) return fed.error();
  return progress;
}

Result<StreamProgress> MessagesOverChat::Finish(std::string& out) {
  if (done_) return StreamProgress{has_content_, done_};
  chat_out_.clear();
  auto finished = chat_->Finish(chat_out_);
  const StreamProgress progress = Forward(out);
  if (!finished) return finished.error();
  return progress;
}

StreamProgress MessagesOverChat::Forward(std::string& out) {
  chat_events_.Push(chat_out_);
  SseEvent event;
  while (chat_events_.Next(&event) == SseDecoder::Status::kEvent && !done_) {
    if (event.data == "[DONE]") {
      if (!encoder_.begun()) OnChunk("{}", out);
      encoder_.AppendEnd(finish_reason_, chat_->usage(), out);
      done_ = true;
    } else {
      OnChunk(event.data, out);
    }
  }
  return {has_content_, done_};
}

void MessagesOverChat::OnChunk(std::string_view data, std::string& out) {
  const ChatChunk chunk = ReadChatChunk(data);
  if (!encoder_.begun()) {
    std::string_view id = target_.answer_id;
    const size_t dash = id.find('-');
    if (dash != std::string_view::npos) id.remove_prefix(dash + 1);
    encoder_.Begin("msg_" + std::string(id), chunk.model, out);
  }
  ReadDelta(chunk.content, &deltas_);
  for (const ChatEvent& event : deltas_) {
    encoder_.Append(event, out);
    has_content_ = true;
  }
  if (!chunk.finish_reason.empty()) finish_reason_ = EscapedContent(chunk.finish_reason);
}

void MessagesOverChat::AppendStreamError(const Error& error, std::string& out) const {
  AppendAnthropicStreamError(error, out);
}

std::unique_ptr<Translator> MakeMessagesOverChat(const ClientRequest& request,
                                                 const AttemptTarget& target) {
  return std::make_unique<MessagesOverChat>(request, target);
}

}  // namespace gw::translate
