#include "translate/openai_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "translate/body_splice.h"
#include "translate/error_map.h"
#include "translate/finish_reason.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

constexpr std::string_view kThinkBegin = "<think>";
constexpr std::string_view kThinkEnd = "</think>";

bool IsNull(const json::Member& member) { return member.kind == json::Kind::kNull; }

// Why `body` is no answer at all; nullopt when it is a JSON object.
std::optional<Error> CheckObject(std::string_view body, const config::Deployment& deployment) {
  if (json::TrimSpace(body).empty()) return MapBadAnswer(deployment, "The answer is empty.");
  if (json::Validate(body) != nullptr) return MapBadAnswer(deployment, "The answer is not JSON.");
  if (json::TrimSpace(body).front() != '{')
    return MapBadAnswer(deployment, "The answer is not a JSON object.");
  return std::nullopt;
}

// An error object with status 200: its own code, if it is a status, else 500.
Error MapErrorAnswer(std::string_view body, const config::Deployment& deployment) {
  const auto code = ParseInt(ReadErrorBody(body, 500).code);
  const bool is_status = code && *code >= 400 && *code < 600;
  return MapUpstreamError(deployment, is_status ? static_cast<int>(*code) : 500, body, {});
}

// A usual answer's members fit on the stack; what is longer goes on in the heap.
struct Arena {
  alignas(json::Member) std::byte room[4096];
  std::pmr::monotonic_buffer_resource memory{room, sizeof(room)};
};
using Members = std::pmr::vector<json::Member>;

class AnswerSplicer {
 public:
  AnswerSplicer(std::string_view body, const ClientRequest& request, const AttemptTarget& target,
                AnswerFacts* facts)
      : body_(body), request_(request), target_(target), facts_(facts), edits_(body) {
    if (!target.shown_model.empty()) json::AppendQuoted(quoted_model_, target.shown_model);
  }

  Result<std::string> Splice() {
    Collect();
    facts_->usage.text_completion = request_.endpoint == api::Endpoint::kCompletions;
    for (const json::Member& member : top_) {
      if (!IsNull(member)) Note(member);
    }
    const std::string_view content_key = is_embeddings() ? "data" : "choices";
    if (json::KindOf(content_) != json::Kind::kArray || content_.empty()) {
      if (has_error_) return MapErrorAnswer(body_, *target_.deployment);
      return MapBadAnswer(*target_.deployment, fmt::format("The answer has no {}.", content_key));
    }
    if (!facts_->usage.reported) {
      NoteContent();
      EstimateUsage(PromptBytes(request_.body), completion_bytes_, &facts_->usage);
    }
    ObjectEditor editor(body_, &edits_);
    for (const json::Member& member : top_) EditMember(member, &editor);
    AddMissing();
    editor.Finish(additions_, &scratch_);
    std::string out;
    out.reserve(body_.size() + additions_.size() + 256);
    edits_.AppendTo(out);
    return out;
  }

 private:
  [[nodiscard]] bool is_embeddings() const {
    return request_.endpoint == api::Endpoint::kEmbeddings;
  }
  [[nodiscard]] bool is_chat() const { return request_.endpoint == api::Endpoint::kChat; }

  void Note(const json::Member& member) {
    if (member.KeyIs("id")) has_id_ = true;
    else if (member.KeyIs("object")) has_object_ = true;
    else if (member.KeyIs("created")) has_created_ = true;
    else if (member.KeyIs("model")) NoteModel(member.value);
    else if (member.KeyIs("error")) has_error_ = true;
    else if (member.KeyIs("service_tier")) facts_->usage.service_tier = json::Unquote(member.value);
    else if (member.KeyIs("usage")) ReadOpenAiUsage(member.value, &facts_->usage);
    else if (member.KeyIs(is_embeddings() ? "data" : "choices")) content_ = member.value;
  }

  void NoteModel(std::string_view model) {
    has_model_ = true;
    NoteAnswerModel(*target_.deployment, false, model, &facts_->usage);
  }

  // The members of a choice and of its message: ranges of `inner_`.
  struct Range {
    size_t begin = 0, end = 0;
  };
  struct Choice {
    std::string_view text;
    std::string_view message_text;
    Range members, message;
  };

  // Collects the members of the object whose brace is at `brace`, with offsets from `origin`.
  // enter(member, value) walks into a value that matters and returns where it ends; 0: skip it.
  // Returns the offset behind the object.
  template <typename Enter>
  size_t CollectObject(size_t brace, size_t origin, Members* out, const Enter& enter) {
    out->clear();
    json::Member member;
    size_t at = brace + 1;
    for (size_t value = 0; (value = json::BeginMemberAt(body_, &at, &member)) != std::string_view::npos;) {
      const size_t entered = enter(member, value);
      at = entered != 0 ? entered : json::SkipValueAt(body_, value);
      json::FinishMember(body_, origin, value, at, &member);
      out->push_back(member);
    }
    return at + 1;
  }

  // One walk over the body, into choices and messages: its bytes are mostly one long content string.
  void Collect() {
    top_.reserve(12);
    inner_.reserve(12);
    choices_.reserve(1);
    choice_.reserve(6);
    message_.reserve(6);
    CollectObject(body_.find('{'), 0, &top_, [this](const json::Member& member, size_t value) -> size_t {
      if (is_embeddings() || body_[value] != '[' || !member.KeyIs("choices")) return 0;
      choices_.clear();
      return CollectChoices(value);
    });
  }

  size_t CollectChoices(size_t at) {
    for (at = json::SkipSpaceAt(body_, at + 1); at < body_.size() && body_[at] != ']';
         at = json::SkipSpaceAt(body_, at)) {
      if (body_[at] == ',') at = json::SkipSpaceAt(body_, at + 1);
      at = body_[at] == '{' ? CollectChoice(at) : json::SkipValueAt(body_, at);
    }
    return at + 1;
  }

  size_t CollectChoice(size_t base) {
    Choice choice;
    const size_t end = CollectObject(base, base, &choice_, [&](const json::Member& member, size_t value) -> size_t {
      if (!is_chat() || body_[value] != '{' || !member.KeyIs("message")) return 0;
      return CollectMessage(value, &choice);
    });
    choice.members = Append(choice_);
    choice.text = body_.substr(base, end - base);
    choices_.push_back(choice);
    return end;
  }

  size_t CollectMessage(size_t base, Choice* choice) {
    const size_t end = CollectObject(base, base, &message_, [](const json::Member&, size_t) -> size_t { return 0; });
    choice->message = Append(message_);
    choice->message_text = body_.substr(base, end - base);
    return end;
  }

  Range Append(const Members& members) {
    const size_t begin = inner_.size();
    inner_.insert(inner_.end(), members.begin(), members.end());
    return {begin, inner_.size()};
  }
  [[nodiscard]] std::span<const json::Member> At(Range range) const {
    return std::span(inner_).subspan(range.begin, range.end - range.begin);
  }

  // The last member called `key`, nullptr when there is none.
  static const json::Member* FindIn(std::span<const json::Member> members, std::string_view key) {
    const json::Member* found = nullptr;
    for (const json::Member& member : members) {
      if (member.KeyIs(key)) found = &member;
    }
    return found;
  }

  // Bytes of the answer's text: only when the upstream counted no tokens.
  void NoteContent() {
    completion_bytes_ = 0;
    if (is_embeddings()) return;
    for (json::ElementCursor choice(content_); choice.Next();) {
      if (json::KindOf(choice.value()) != json::Kind::kObject) continue;
      for (json::MemberCursor c(choice.value()); c.Next();) {
        if (c.member().KeyIs("text")) completion_bytes_ += TextBytes(c.member().value);
        if (c.member().KeyIs("message")) completion_bytes_ += MessageBytes(c.member().value);
      }
    }
  }

  static size_t MessageBytes(std::string_view message) {
    size_t bytes = 0;
    for (json::MemberCursor c(message); c.Next();) {
      const json::Member& member = c.member();
      if (member.KeyIs("content") || member.KeyIs("reasoning_content") ||
          member.KeyIs("reasoning") || member.KeyIs("tool_calls") || member.KeyIs("refusal"))
        bytes += TextBytes(member.value);
    }
    return bytes;
  }

  void EditMember(const json::Member& member, ObjectEditor* editor) {
    const bool wanted = member.KeyIs("id") || member.KeyIs("object") || member.KeyIs("created") ||
                        member.KeyIs("model") || member.KeyIs("usage");
    const bool bad_usage = member.KeyIs("usage") && member.kind != json::Kind::kObject;
    if (bad_usage || (wanted && IsNull(member))) return editor->Remove(member);
    if (member.KeyIs("model") && !quoted_model_.empty())
      return editor->ReplaceValue(member, quoted_model_);
    editor->Keep(member);
    if (is_embeddings()) {
      if (member.KeyIs("usage")) EditEmbeddingUsage(member.value);
    } else if (member.KeyIs("choices")) {
      // Of two lists the last one was collected, and is the one that counts.
      if (member.value.data() == content_.data()) {
        for (const Choice& choice : choices_) EditChoice(choice);
      }
    }
  }

  // compat: embeddings cost no completion tokens, and say so.
  void EditEmbeddingUsage(std::string_view usage) {
    if (json::Find(usage, "completion_tokens")) return;
    ObjectEditor editor(usage, &edits_);
    editor.InsertFirst(R"("completion_tokens":0)");
  }

  void EditChoice(const Choice& choice) {
    ObjectEditor editor(choice.text, &edits_);
    const std::span<const json::Member> members = At(choice.members);
    if (FindIn(members, "finish_reason") == nullptr) editor.InsertFirst(R"("finish_reason":"stop")");
    for (const json::Member& member : members) {
      if (member.KeyIs("finish_reason")) {
        EditFinish(member, &editor);
        continue;
      }
      editor.Keep(member);
      // Of two messages the last one was collected.
      if (member.value.data() == choice.message_text.data()) EditMessage(choice);
    }
    editor.Finish({}, nullptr);
  }

  void EditFinish(const json::Member& member, ObjectEditor* editor) {
    std::string_view upstream;
    if (!json::PlainString(member.value, &upstream)) upstream = "stop";
    const std::string_view reason = NormalFinishReason(upstream);
    if (reason == "content_filter") facts_->content_filtered = true;
    const std::string_view quoted = QuotedFinishReason(reason);
    if (member.value == quoted) return editor->Keep(member);
    editor->ReplaceValue(member, quoted, true);
  }

  void EditMessage(const Choice& choice) {
    const std::span<const json::Member> members = At(choice.message);
    const json::Member* role = nullptr;
    bool has_reasoning = false, has_other_reasoning = false;
    for (const json::Member& member : members) {
      if (member.KeyIs("role")) role = &member;
      else if (member.KeyIs("reasoning_content")) has_reasoning = !IsNull(member);
      else if (member.KeyIs("reasoning")) has_other_reasoning = !IsNull(member);
    }
    const bool may_split = !has_reasoning && !has_other_reasoning;
    ObjectEditor editor(choice.message_text, &edits_);
    if (role == nullptr) editor.InsertFirst(R"("role":"assistant")");
    for (const json::Member& member : members) {
      if (member.kind == json::Kind::kString && !has_reasoning && member.KeyIs("reasoning")) {
        editor.ReplaceKey(member, R"("reasoning_content")");
      } else {
        editor.Keep(member);
        if (may_split && member.KeyIs("content")) SplitThinking(member.value);
      }
    }
    editor.Finish({}, nullptr);
  }

  // "content":"<think>A</think>B"  -->  "content":"B","reasoning_content":"A". Both halves stay as
  // spelled: the tags hold no escapes, so a cut beside them is a cut between characters.
  void SplitThinking(std::string_view value) {
    if (!value.starts_with("\"<think>")) return;
    const size_t end = value.find(kThinkEnd);
    if (end == std::string_view::npos) return;
    const size_t begin = 1 + kThinkBegin.size();
    split_.push_back(std::make_unique<std::string>(
        fmt::format(R"("{},"reasoning_content":"{}")", value.substr(end + kThinkEnd.size()),
                    value.substr(begin, end - begin))));
    edits_.Replace(value, *split_.back());
  }

  void BeginAddition(std::string_view quoted_key) {
    if (!additions_.empty()) additions_ += ',';
    additions_ += quoted_key;
    additions_ += ':';
  }

  void AddMissing() {
    if (!has_id_ && !is_embeddings()) {
      BeginAddition("\"id\"");
      json::AppendQuoted(additions_, target_.answer_id);
    }
    if (!has_object_) {
      BeginAddition("\"object\"");
      additions_ += is_embeddings() ? "\"list\""
                    : is_chat()     ? "\"chat.completion\""
                                    : "\"text_completion\"";
    }
    if (!has_created_ && !is_embeddings()) {
      BeginAddition("\"created\"");
      fmt::format_to(std::back_inserter(additions_), "{}", target_.now_unix_s);
    }
    if (!has_model_ && !quoted_model_.empty()) {
      BeginAddition("\"model\"");
      additions_ += quoted_model_;
    }
    if (facts_->usage.reported) return;
    BeginAddition("\"usage\"");
    AppendUsageJson(facts_->usage, false, additions_);
  }

  const std::string_view body_;
  const ClientRequest& request_;
  const AttemptTarget& target_;
  AnswerFacts* facts_;
  EditList edits_;
  std::string quoted_model_, additions_, scratch_;
  std::vector<std::unique_ptr<std::string>> split_;
  Arena arena_;  // before its users
  Members top_{&arena_.memory}, inner_{&arena_.memory};
  std::pmr::vector<Choice> choices_{&arena_.memory};
  Members choice_{&arena_.memory}, message_{&arena_.memory};  // scratch of the level that is being collected
  std::string_view content_;
  size_t completion_bytes_ = 0;
  bool has_id_ = false, has_object_ = false, has_created_ = false, has_model_ = false;
  bool has_error_ = false;
};

}  // namespace

Result<std::string> SpliceOpenAiAnswer(std::string_view body, const ClientRequest& request,
                                       const AttemptTarget& target, AnswerFacts* facts) {
  if (auto error = CheckObject(body, *target.deployment)) return std::move(*error);
  return AnswerSplicer(body, request, target, facts).Splice();
}

}  // namespace gw::translate
