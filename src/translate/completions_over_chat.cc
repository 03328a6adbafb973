#include "translate/completions_over_chat.h"

#include <array>

#include "base/json.h"
#include "translate/error_map.h"
#include "translate/factories.h"

namespace gw::translate {

namespace {

// Of the completions schema alone; chat has no counterpart.
constexpr auto kNotForChat = std::to_array<std::string_view>(
    {"prompt", "messages", "echo", "best_of", "suffix", "logprobs"});

// The one text of a prompt as a raw JSON string; "" for token ids and for several texts.
std::string_view SingleText(std::string_view prompt) {
  if (json::KindOf(prompt) == json::Kind::kString) return prompt;
  if (json::KindOf(prompt) != json::Kind::kArray) return {};
  std::string_view text;
  for (json::ElementCursor c(prompt); c.Next();) {
    if (json::KindOf(c.value()) != json::Kind::kString || !text.empty()) return {};
    text = c.value();
  }
  return text;
}

std::string ChatBody(std::string_view body, std::string_view prompt, bool keeps_prompt) {
  std::string out;
  out.reserve(body.size() + 128);
  out += keeps_prompt ? "{\"prompt\":" : "{\"messages\":[{\"role\":\"user\",\"content\":";
  out += prompt.empty() ? "\"\"" : prompt;
  if (!keeps_prompt) out += "}]";
  for (json::MemberCursor c(body); c.Next();) {
    const json::Member& m = c.member();
    bool skip = false;
    for (const std::string_view key : kNotForChat) skip = skip || m.KeyIs(key);
    if (skip) continue;
    out += ",\"";
    out += m.key;
    out += "\":";
    out += m.value;
  }
  out += '}';
  return out;
}

}  // namespace

CompletionsOverChat::CompletionsOverChat(const ClientRequest& request, const AttemptTarget& target)
    : target_(target) {
  const config::ProviderRow* row = target.deployment->row;
  const bool takes_prompts = row != nullptr && row->dialect == config::Dialect::kOllamaGenerate;
  const std::string_view prompt = SingleText(MemberOf(request.body, "prompt"));
  if (prompt.empty()) {
    refused_ = MapUnsupported(*target.deployment,
                              "'prompt' must be one text for this provider, not several or tokens");
  }
  chat_body_ = WithPadding(ChatBody(request.body, prompt, takes_prompts));
  ClientRequest chat = request;
  chat.endpoint = api::Endpoint::kChat;
  chat.body = chat_body_;
  chat.members = nullptr;  // they are those of the client's body
  chat_ = MakeTranslator(chat, target);
}

Result<UpstreamRequest> CompletionsOverChat::BuildRequest() {
  if (refused_) return *refused_;
  return chat_->BuildRequest();
}

Result<std::string> CompletionsOverChat::TranslateBody(std::string& body) {
  auto answer = chat_->TranslateBody(body);
  if (!answer) return answer.error();
  const ChatChunk chat = ReadChatChunk(*answer);
  std::string out;
  out.reserve(answer->size() + 64);
  out += "{\"id\":";
  out += chat.id;
  out += ",\"object\":\"text_completion\",\"created\":";
  out += chat.created;
  out += ",\"model\":";
  out += chat.model;
  out += ",\"choices\":[{\"finish_reason\":";
  out += chat.finish_reason.empty() ? "\"stop\"" : chat.finish_reason;
  out += ",\"index\":0,\"logprobs\":null,\"text\":\"";
  out += EscapedContent(MemberOf(chat.content, "content"));
  out += "\"}]";
  if (!chat.usage.empty()) {
    out += ",\"usage\":";
    out += chat.usage;
  }
  out += '}';
  return out;
}

Result<StreamProgress> CompletionsOverChat::Feed(std::string_view bytes, std::string& out) {
  if (done_) return StreamProgress{has_content_, done_};
  chat_out_.clear();
  auto fed = chat_->Feed(bytes, chat_out_);
  const StreamProgress progress = Forward(out);
  if (!fed) return fed.error();
  return progress;
}

Result<StreamProgress> CompletionsOverChat::Finish(std::string& out) {
  if (done_) return StreamProgress{has_content_, done_};
  chat_out_.clear();
  auto finished = chat_->Finish(chat_out_);
  const StreamProgress progress = Forward(out);
  if (!finished) return finished.error();
  return progress;
}

StreamProgress CompletionsOverChat::Forward(std::string& out) {
  chat_events_.Push(chat_out_);
  SseEvent event;
  while (chat_events_.Next(&event) == SseDecoder::Status::kEvent && !done_) {
    if (event.data == "[DONE]") {
      out += "data: [DONE]\n\n";
      done_ = true;
    } else {
      OnChunk(event.data, out);
    }
  }
  return {has_content_, done_};
}

void CompletionsOverChat::OpenChunk(const ChatChunk& chunk, std::string& out) {
  out += "data: {\"id\":";
  out += chunk.id;
  out += ",\"object\":\"text_completion\",\"created\":";
  out += chunk.created;
  out += ",\"model\":";
  out += chunk.model;
  out += ",\"choices\":[";
}

void CompletionsOverChat::OnChunk(std::string_view data, std::string& out) {
  const ChatChunk chunk = ReadChatChunk(data);
  ReadDelta(chunk.content, &deltas_);
  for (const ChatEvent& event : deltas_) {
    if (event.kind != ChatEvent::Kind::kText) continue;  // the schema knows text only
    OpenChunk(chunk, out);
    out += "{\"index\":0,\"text\":\"";
    out += event.text;
    out += "\"}]}\n\n";
    has_content_ = true;
  }
  if (!chunk.finish_reason.empty()) {
    OpenChunk(chunk, out);
    out += "{\"finish_reason\":";
    out += chunk.finish_reason;
    out += ",\"index\":0,\"text\":\"\"}]}\n\n";
  }
  if (!chunk.usage.empty()) {
    OpenChunk(chunk, out);
    out += "],\"usage\":";
    out += chunk.usage;
    out += "}\n\n";
  }
}

void CompletionsOverChat::AppendStreamError(const Error& error, std::string& out) const {
  chat_->AppendStreamError(error, out);
}

std::unique_ptr<Translator> MakeCompletionsOverChat(const ClientRequest& request,
                                                    const AttemptTarget& target) {
  return std::make_unique<CompletionsOverChat>(request, target);
}

}  // namespace gw::translate
