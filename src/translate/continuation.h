// How does a client's stream go on when its upstream broke off after content had gone out?
//
//   Note(events)   what the client got: the text so far, and whether it can be continued at all
//   NextBody(row)  the request for the next deployment: the text so far as the answer's beginning
//   Rewrite(events) what the next deployment says, made one stream with the first: one id, one role
//
// Chat: the text becomes a last assistant message ("prefill"), which only some upstreams continue.
// Completions: the text is appended to the prompt, which every upstream understands.
// Text only: tool calls, reasoning, audio or several choices are not continued.
// Pure; one object per request. Source: routing facts 8.4, enable_mid_stream_fallback_continuation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "config/snapshot.h"
#include "translate/translator.h"

namespace gw::translate {

class Continuation {
 public:
  // `request.body` must outlive the object.
  explicit Continuation(const ClientRequest& request);

  // Complete SSE events that are about to go to the client.
  void Note(std::string_view events);
  // Makes the events of a later attempt part of the client's stream (in place) and notes them.
  void Rewrite(std::string& events);

  // Some text has gone out, nothing else, and the answer is not complete.
  [[nodiscard]] bool IsPossible() const { return !text_.empty() && text_only_ && !finished_; }
  // Does the deployment continue a text that it did not write?
  [[nodiscard]] bool CanContinueAt(const config::Deployment& deployment) const;
  // The client's body with the text so far, json::kPadding bytes behind it; `spent_tokens` are taken
  // off a token limit. nullopt when the body has no place for it.
  [[nodiscard]] std::optional<std::string> NextBody(const config::Deployment& deployment, int64_t spent_tokens) const;

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void NoteEvent(std::string_view chunk);
  void NoteChoice(std::string_view choice);
  void NoteDelta(std::string_view delta);
  void AppendText(std::string_view json_string);
  void RewriteEvent(std::string_view chunk, std::string& out) const;

  const ClientRequest& request_;
  const bool is_chat_;
  std::string text_;
  std::string quoted_id_, created_;  // of the first stream, as spelled
  bool text_only_ = true;
  bool finished_ = false;
};

}  // namespace gw::translate
