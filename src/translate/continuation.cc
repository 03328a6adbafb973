#include "translate/continuation.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_tree.h"
#include "base/strings.h"
#include "translate/body_splice.h"

namespace gw::translate {

namespace {

// A text beyond this is not repeated to another upstream.
constexpr size_t kTextBytesMax = size_t{1} << 20;
constexpr std::string_view kData = "data: ";

bool FactIs(const json::Object* facts, std::string_view name) {
  const json::Value* value = facts == nullptr ? nullptr : json::Get(*facts, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

bool IsVllm(const config::Deployment& d) { return d.provider == "hosted_vllm" || d.provider == "vllm"; }

// Calls visit(json text) for every "data: {...}" event.
template <typename Visit>
void ForEachEvent(std::string_view events, const Visit& visit) {
  while (!events.empty()) {
    const size_t end = events.find("\n\n");
    const std::string_view event = events.substr(0, end);
    visit(event);
    if (end == std::string_view::npos) return;
    events.remove_prefix(end + 2);
  }
}

std::string_view JsonOf(std::string_view event) {
  if (!event.starts_with(kData) || event.size() <= kData.size() || event[kData.size()] != '{') return {};
  return event.substr(kData.size());
}

// `limit` minus what is spent, at least 1: an upstream refuses 0.
std::string LessTokens(std::string_view limit, int64_t spent) {
  return std::to_string(std::max<int64_t>(1, json::ToInt(limit).value_or(1) - spent));
}

}  // namespace

Continuation::Continuation(const ClientRequest& request)
    : request_(request), is_chat_(request.endpoint == api::Endpoint::kChat) {
  const auto n = json::Find(request.body, "n");
  const auto best_of = json::Find(request.body, "best_of");
  const auto echo = json::Find(request.body, "echo");
  const bool one = (!n || *n == "1" || *n == "null") && (!best_of || *best_of == "1" || *best_of == "null");
  const bool known = is_chat_ || request.endpoint == api::Endpoint::kCompletions;
  text_only_ = known && one && (!echo || *echo != "true");
}

void Continuation::AppendText(std::string_view json_string) {
  if (json::KindOf(json_string) == json::Kind::kNull) return;
  if (json::KindOf(json_string) != json::Kind::kString || text_.size() > kTextBytesMax) {
    text_only_ = false;
    return;
  }
  text_ += json::Unquote(json_string);
}

void Continuation::NoteDelta(std::string_view delta) {
  if (json::KindOf(delta) != json::Kind::kObject) return;
  for (json::MemberCursor c(delta); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("content")) AppendText(member.value);
    else if (!member.KeyIs("role") && member.kind != json::Kind::kNull && member.value != "\"\"" &&
             member.value != "[]" && member.value != "{}")
      text_only_ = false;
  }
}

void Continuation::NoteChoice(std::string_view choice) {
  if (json::KindOf(choice) != json::Kind::kObject) return;
  for (json::MemberCursor c(choice); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("delta")) NoteDelta(member.value);
    else if (member.KeyIs("text")) AppendText(member.value);
    else if (member.KeyIs("finish_reason")) finished_ = finished_ || member.kind == json::Kind::kString;
    else if (member.KeyIs("index") && member.value != "0") text_only_ = false;
  }
}

void Continuation::NoteEvent(std::string_view chunk) {
  for (json::MemberCursor c(chunk); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("id") && quoted_id_.empty()) quoted_id_ = member.value;
    else if (member.KeyIs("created") && created_.empty()) created_ = member.value;
    else if (member.KeyIs("choices") && member.kind == json::Kind::kArray) {
      for (json::ElementCursor e(member.value); e.Next();) NoteChoice(e.value());
    }
  }
}

void Continuation::Note(std::string_view events) {
  ForEachEvent(events, [this](std::string_view event) {
    if (const std::string_view chunk = JsonOf(event); !chunk.empty()) NoteEvent(chunk);
  });
}

// One id and time for the whole stream; the role was said once.
void Continuation::RewriteEvent(std::string_view chunk, std::string& out) const {
  EditList edits(chunk);
  ObjectEditor editor(chunk, &edits);
  for (json::MemberCursor c(chunk); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("id") && !quoted_id_.empty()) {
      editor.ReplaceValue(member, quoted_id_);
      continue;
    }
    if (member.KeyIs("created") && !created_.empty()) {
      editor.ReplaceValue(member, created_);
      continue;
    }
    editor.Keep(member);
    if (!is_chat_ || !member.KeyIs("choices") || member.kind != json::Kind::kArray) continue;
    for (json::ElementCursor e(member.value); e.Next();) {
      const auto delta = json::KindOf(e.value()) == json::Kind::kObject ? json::Find(e.value(), "delta") : std::nullopt;
      if (!delta || json::KindOf(*delta) != json::Kind::kObject) continue;
      ObjectEditor inner(*delta, &edits);
      for (json::MemberCursor d(*delta); d.Next();) {
        if (d.member().KeyIs("role")) inner.Remove(d.member());
        else inner.Keep(d.member());
      }
      inner.Finish({}, nullptr);
    }
  }
  editor.Finish({}, nullptr);
  edits.AppendTo(out);
}

void Continuation::Rewrite(std::string& events) {
  std::string out;
  out.reserve(events.size() + 256);
  ForEachEvent(events, [this, &out](std::string_view event) {
    const std::string_view chunk = JsonOf(event);
    if (event.empty()) return;
    if (chunk.empty()) {
      out += event;
    } else {
      out += kData;
      RewriteEvent(chunk, out);
    }
    out += "\n\n";
  });
  events.swap(out);
  Note(events);
}

bool Continuation::CanContinueAt(const config::Deployment& d) const {
  if (!is_chat_) return true;
  if (IsVllm(d)) return true;
  switch (d.row->dialect) {
    case config::Dialect::kOllamaChat:
    case config::Dialect::kAnthropic: return true;
    default: break;
  }
  return FactIs(&d.model_info, "supports_assistant_prefill") ||
         FactIs(d.facts == nullptr ? nullptr : &d.facts->raw, "supports_assistant_prefill");
}

std::optional<std::string> Continuation::NextBody(const config::Deployment& d, int64_t spent_tokens) const {
  std::string quoted;
  json::AppendQuoted(quoted, text_);
  EditList edits(request_.body);
  ObjectEditor editor(request_.body, &edits);
  std::string message, prompt, additions, scratch;
  std::vector<std::string> limits;
  limits.reserve(4);
  bool placed = false;
  for (json::MemberCursor c(request_.body); c.Next();) {
    const json::Member& member = c.member();
    const bool limit = member.kind == json::Kind::kNumber &&
                       (member.KeyIs("max_tokens") || member.KeyIs("max_completion_tokens"));
    if (limit && limits.size() < limits.capacity()) {
      limits.push_back(LessTokens(member.value, spent_tokens));
      editor.ReplaceValue(member, limits.back());
    } else if (is_chat_ && member.KeyIs("messages") && member.kind == json::Kind::kArray) {
      const std::string_view inside = json::TrimSpace(member.value.substr(1, member.value.size() - 2));
      message = inside.empty() ? "" : ",";
      message += R"({"role":"assistant","content":)" + quoted + "}";
      editor.Keep(member);
      const size_t end = edits.OffsetOf(member.value) + member.value.size() - 1;
      edits.Replace(end, end, message);
      placed = true;
    } else if (!is_chat_ && member.KeyIs("prompt") && member.kind == json::Kind::kString) {
      prompt = member.value;
      prompt.pop_back();
      prompt += quoted.substr(1);
      editor.ReplaceValue(member, prompt);
      placed = true;
    } else {
      editor.Keep(member);
    }
  }
  // vLLM otherwise opens a new turn behind the text.
  if (is_chat_ && IsVllm(d)) additions = R"("continue_final_message":true,"add_generation_prompt":false)";
  editor.Finish(additions, &scratch);
  if (!placed) return std::nullopt;
  std::string body;
  body.reserve(request_.body.size() + quoted.size() + 256 + json::kPadding);
  edits.AppendTo(body);
  body.reserve(body.size() + json::kPadding);
  return body;
}

}  // namespace gw::translate
