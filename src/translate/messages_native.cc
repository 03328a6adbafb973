#include "translate/messages_native.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "translate/anthropic_request.h"
#include "translate/chat_event.h"
#include "translate/control_members.h"
#include "translate/dialect_params.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

bool IsOrder(std::string_view key) {
  // Anthropic's own metadata (user_id) shares its name with the gateway's.
  return key != "metadata" && IsControlMember(key);
}

void AppendTreeMember(std::string& out, std::string_view key, const json::Value& value) {
  if (!out.empty()) out += ',';
  json::AppendQuoted(out, key);
  out += ':';
  out += json::Serialize(value);
}

}  // namespace

MessagesNative::MessagesNative(const ClientRequest& request, const AttemptTarget& target)
    : request_(request), target_(target) {
  if (!target.shown_model.empty()) json::AppendQuoted(shown_model_, target.shown_model);
}

Result<UpstreamRequest> MessagesNative::BuildRequest() {
  const config::Deployment& deployment = *target_.deployment;
  static const json::Object kNone;
  const json::Object& overrides = request_.overrides != nullptr ? *request_.overrides : kNone;
  std::string model;
  json::AppendQuoted(model, target_.upstream_model);
  std::vector<std::string> seen;
  bool has_model = false;
  const std::vector<std::string> dropped = [&] {
    std::vector<std::string> names = StringList(MemberOf(request_.body, "additional_drop_params"));
    names.insert(names.end(), deployment.additional_drop_params.begin(),
                 deployment.additional_drop_params.end());
    return names;
  }();

  edits_.Reset(request_.body);
  ObjectEditor editor(request_.body, &edits_);
  for (json::MemberCursor c(request_.body); c.Next();) {
    const json::Member& member = c.member();
    std::string key = json::Unquote(std::string("\"").append(member.key).append("\""));
    if (key == "model") {
      has_model = true;
      editor.ReplaceValue(member, model);
      continue;
    }
    const bool drop = IsOrder(key) || json::Get(overrides, key) != nullptr ||
                      std::find(dropped.begin(), dropped.end(), key) != dropped.end();
    if (drop) editor.Remove(member);
    else editor.Keep(member);
    if (member.kind != json::Kind::kNull) seen.push_back(std::move(key));
  }
  std::string additions;
  if (!has_model) additions = "\"model\":" + model;
  for (const json::Object* source : {&overrides, &deployment.default_params,
                                     &deployment.extra_body}) {
    for (const auto& member : *source) {
      const std::string key(member.key().data(), member.key().size());
      if (key == "model" || IsOrder(key)) continue;
      // Overrides were cut out of the body above; the others only fill gaps.
      if (source != &overrides && std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
      AppendTreeMember(additions, key, member.value());
      seen.push_back(key);
    }
  }
  if (std::find(seen.begin(), seen.end(), "max_tokens") == seen.end()) {
    return MapUnsupported(deployment, "'max_tokens' is required");
  }
  std::string scratch;
  editor.Finish(additions, &scratch);
  UpstreamRequest out = StartAnthropicRequest(target_, {});
  edits_.AppendTo(out.body);
  return out;
}

void MessagesNative::AppendWithModel(std::string_view source, std::string_view object,
                                     std::string& out) {
  if (shown_model_.empty() || json::KindOf(object) != json::Kind::kObject) {
    out += source;
    return;
  }
  edits_.Reset(source);
  for (json::MemberCursor c(object); c.Next();) {
    if (c.member().KeyIs("model")) edits_.Replace(c.member().value, shown_model_);
  }
  edits_.AppendTo(out);
}

void MessagesNative::ReadStopReason(std::string_view holder) {
  if (MemberOf(holder, "stop_reason") == "\"refusal\"") refused_ = true;
}

Result<std::string> MessagesNative::TranslateBody(std::string& body) {
  const std::string_view text = json::TrimSpace(body);
  if (text.empty()) return MapBadAnswer(*target_.deployment, "empty answer");
  if (json::Validate(body) != nullptr || text.front() != '{') {
    return MapBadAnswer(*target_.deployment, "the answer is not a JSON object");
  }
  if (MemberOf(text, "type") == "\"error\"") return MapAnthropicError(*target_.deployment, text);
  const std::string_view content = MemberOf(text, "content");
  if (json::KindOf(content) != json::Kind::kArray) {
    return MapBadAnswer(*target_.deployment, "the answer holds no content");
  }
  answer_bytes_ = TextBytes(content);
  ReadAnthropicUsage(MemberOf(text, "usage"), &counts_);
  NoteAnswerModel(*target_.deployment, false, MemberOf(text, "model"), &usage_);
  ReadStopReason(text);
  std::string out;
  out.reserve(text.size() + shown_model_.size());
  AppendWithModel(text, text, out);
  return out;
}

Result<StreamProgress> MessagesNative::Feed(std::string_view bytes, std::string& out) {
  if (done_) return StreamProgress{has_content_, done_};
  events_.Push(bytes);
  SseEvent event;
  while (!done_) {
    switch (events_.Next(&event)) {
      case SseDecoder::Status::kNeedMore: return StreamProgress{has_content_, done_};
      case SseDecoder::Status::kTooLong:
        return MapBadAnswer(*target_.deployment, "an event of the stream is too long");
      case SseDecoder::Status::kEvent: break;
    }
    if (auto read = OnEvent(event, out); !read) return read.error();
  }
  return StreamProgress{has_content_, done_};
}

Result<StreamProgress> MessagesNative::Finish(std::string& out) {
  SseEvent event;
  if (!done_ && events_.Flush(&event)) {
    if (auto read = OnEvent(event, out); !read) return read.error();
  }
  if (!done_ && !has_content_) {
    return MapBadAnswer(*target_.deployment, "the stream ended before it said anything");
  }
  done_ = true;
  return StreamProgress{has_content_, done_};
}

Result<void> MessagesNative::OnEvent(const SseEvent& event, std::string& out) {
  if (event.data.empty()) return {};
  event_text_.reserve(event.data.size() + json::kPadding);
  event_text_ = event.data;
  // One line on the wire, whatever the upstream did; inside JSON a line end is white space.
  if (event.multi_line) std::replace(event_text_.begin(), event_text_.end(), '\n', ' ');
  const std::string_view text = json::TrimSpace(event_text_);
  if (json::Validate(event_text_) != nullptr || text.front() != '{') {
    if (has_content_) return {};
    return MapBadAnswer(*target_.deployment, "an event of the stream is not a JSON object");
  }
  const std::string_view type = EscapedContent(MemberOf(text, "type"));
  if (type == "error") return MapAnthropicError(*target_.deployment, text);
  const std::string_view message = type == "message_start" ? MemberOf(text, "message") : "";
  if (type == "content_block_delta") {
    has_content_ = true;
    answer_bytes_ += TextBytes(MemberOf(text, "delta"));
  } else if (type == "message_start") {
    ReadAnthropicUsage(MemberOf(message, "usage"), &counts_);
    NoteAnswerModel(*target_.deployment, false, MemberOf(message, "model"), &usage_);
  } else if (type == "message_delta") {
    ReadAnthropicUsage(MemberOf(text, "usage"), &counts_);
    ReadStopReason(MemberOf(text, "delta"));
  } else if (type == "message_stop") {
    done_ = true;
  }
  out += "event: ";
  out += event.name.empty() ? type : event.name;
  out += "\ndata: ";
  AppendWithModel(text, message, out);
  out += "\n\n";
  return {};
}

void MessagesNative::AppendStreamError(const Error& error, std::string& out) const {
  AppendAnthropicStreamError(error, out);
}

const api::Usage& MessagesNative::usage() {
  if (counts_.reported) {
    ToUsage(counts_, &usage_);
  } else {
    const auto messages = json::Find(request_.body, "messages");
    EstimateUsage(messages ? TextBytes(*messages) : 0, answer_bytes_, &usage_);
  }
  return usage_;
}

std::unique_ptr<Translator> MakeMessagesNative(const ClientRequest& request,
                                               const AttemptTarget& target) {
  return std::make_unique<MessagesNative>(request, target);
}

}  // namespace gw::translate
