#include "translate/openai_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "translate/error_map.h"
#include "translate/finish_reason.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

constexpr std::string_view kChunkBegin = "data: ";
constexpr std::string_view kChunkEnd = "\n\n";

bool IsNull(const json::Member& member) { return member.kind == json::Kind::kNull; }

bool IsFilled(const json::Member& member) {
  switch (member.kind) {
    case json::Kind::kString: return member.value.size() > 2;
    case json::Kind::kArray:
    case json::Kind::kObject: {
      const std::string_view inside = json::TrimSpace(member.value.substr(1));
      return inside.size() > 1;  // more than the closing bracket
    }
    default: return false;
  }
}

bool HasElements(std::string_view array) {
  if (array.empty() || json::KindOf(array) != json::Kind::kArray) return false;
  json::ElementCursor c(array);
  return c.Next();
}

// compat: the usage of a stream always has completion_tokens_details.
std::string WithDetails(std::string_view usage_text, const api::Usage& usage) {
  EditList edits(usage_text);
  ObjectEditor editor(usage_text, &edits);
  bool has_details = false;
  for (json::MemberCursor c(usage_text); c.Next();) {
    const bool is_details = c.member().KeyIs("completion_tokens_details");
    if (is_details && IsNull(c.member())) {
      editor.Remove(c.member());
    } else {
      has_details = has_details || is_details;
      editor.Keep(c.member());
    }
  }
  std::string details, scratch;
  if (!has_details) {
    details = fmt::format(
        R"("completion_tokens_details":{{"reasoning_tokens":{},"text_tokens":{}}})",
        usage.reasoning_tokens,
        std::max<int64_t>(usage.completion_tokens - usage.reasoning_tokens, 0));
  }
  editor.Finish(details, &scratch);
  std::string out;
  edits.AppendTo(out);
  return out;
}

}  // namespace

OpenAiStream::OpenAiStream(Schema schema, const ClientRequest& request,
                           const AttemptTarget& target)
    : schema_(schema), request_(request), target_(target) {
  if (!target.shown_model.empty()) json::AppendQuoted(quoted_model_, target.shown_model);
  usage_.text_completion = schema == Schema::kText;
}

Result<StreamProgress> OpenAiStream::Feed(std::string_view bytes, std::string& out) {
  if (progress_.done) return progress_;
  decoder_.Push(bytes);
  SseEvent event;
  while (true) {
    const SseDecoder::Status status = decoder_.Next(&event);
    if (status == SseDecoder::Status::kNeedMore) return progress_;
    if (status == SseDecoder::Status::kTooLong)
      return MapStreamBreak(*target_.deployment, "An event of the stream is too long.");
    if (auto result = OnEvent(event, bytes, out); !result) return std::move(result.error());
    if (progress_.done) return progress_;
  }
}

Result<StreamProgress> OpenAiStream::Finish(std::string& out) {
  SseEvent event;
  if (!progress_.done && decoder_.Flush(&event)) {
    if (auto result = OnEvent(event, {}, out); !result) return std::move(result.error());
  }
  if (!progress_.done) {
    if (auto result = Complete(out); !result) return std::move(result.error());
  }
  return progress_;
}

Result<void> OpenAiStream::OnMalformed() {
  if (progress_.has_content) return {};  // one bad event does not undo what the client has
  return MapBadAnswer(*target_.deployment, "The stream holds an event that is no JSON object.");
}

Result<void> OpenAiStream::OnEvent(const SseEvent& event, std::string_view input,
                                   std::string& out) {
  const std::string_view data = json::TrimSpace(event.data);
  if (data.empty()) return {};
  if (data == "[DONE]") return Complete(out);
  if (data.front() != '{') return OnMalformed();
  if (std::string_view text; template_.Apply(data, out, &text)) {
    content_bytes_ += text.size();
    return {};
  }
  const std::string_view json = MakeReadable(event, input);
  if (json::Validate(json) != nullptr) return OnMalformed();

  const Chunk chunk = ReadChunk(json);
  if (chunk.is_error) return MapErrorEvent(*target_.deployment, json);
  Remember(chunk);
  if (HasElements(chunk.choices)) {
    WriteChunk(json, chunk, out);
  } else if (!chunk.usage.empty() && request_.include_usage) {
    KeepUsageChunk(json);
  }
  return {};
}

// The event's JSON with json::kPadding readable bytes behind it and on one line.
std::string_view OpenAiStream::MakeReadable(const SseEvent& event, std::string_view input) {
  const auto begin = reinterpret_cast<uintptr_t>(event.data.data());
  const auto input_begin = reinterpret_cast<uintptr_t>(input.data());
  const bool in_input = begin >= input_begin && begin - input_begin <= input.size();
  if (in_input && !event.multi_line &&
      input.size() - (begin - input_begin) >= event.data.size() + json::kPadding) {
    return event.data;
  }
  if (padded_.capacity() < event.data.size() + json::kPadding)
    padded_.reserve(2 * event.data.size() + json::kPadding);
  padded_.assign(event.data);
  // Between tokens, the only place where JSON may have it, a space is as good as a line feed.
  if (event.multi_line) std::replace(padded_.begin(), padded_.end(), '\n', ' ');
  return padded_;
}

// One look at the length instead of a comparison with every name: this runs for each member of
// each chunk.
OpenAiStream::Key OpenAiStream::Classify(std::string_view key) {
  const auto is = [key](std::string_view name, Key then) {
    return key == name ? then : Key::kOther;
  };
  switch (key.size()) {
    case 2: return is("id", Key::kId);
    case 4: return key == "text" ? Key::kText : is("role", Key::kRole);
    case 5:
      if (key == "model") return Key::kModel;
      if (key == "delta") return Key::kDelta;
      if (key == "usage") return Key::kUsage;
      if (key == "index") return Key::kIndex;
      return key == "audio" ? Key::kPayload : is("error", Key::kError);
    case 6: return key == "object" ? Key::kObject : is("images", Key::kPayload);
    case 7:
      if (key == "choices") return Key::kChoices;
      if (key == "created") return Key::kCreated;
      return key == "content" || key == "refusal" ? Key::kPayload : Key::kOther;
    case 9: return is("reasoning", Key::kReasoning);
    case 10: return is("tool_calls", Key::kToolCalls);
    case 12: return is("service_tier", Key::kServiceTier);
    case 13:
      return key == "finish_reason" ? Key::kFinishReason : is("function_call", Key::kPayload);
    case 17: return is("reasoning_content", Key::kReasoningContent);
    default: return Key::kOther;
  }
}

void OpenAiStream::Collect(std::string_view object, Members* members) {
  members->clear();
  std::string buffer;
  for (json::MemberCursor c(object); c.Next();)
    members->push_back({c.member(), Classify(c.member().PlainKey(buffer))});
}

OpenAiStream::Chunk OpenAiStream::ReadChunk(std::string_view json) {
  Chunk chunk;
  Collect(json, &top_members_);
  for (const KeyedMember& m : top_members_) {
    if (m.is_null()) continue;
    const std::string_view value = m.member.value;
    switch (m.key) {
      case Key::kId: chunk.id = value; break;
      case Key::kCreated: chunk.created = value; break;
      case Key::kModel: chunk.model = value; break;
      case Key::kObject: chunk.object = value; break;
      case Key::kChoices: chunk.choices = value; break;
      case Key::kUsage:
        if (m.member.kind == json::Kind::kObject) chunk.usage = value;
        break;
      case Key::kServiceTier: chunk.service_tier = value; break;
      case Key::kError: chunk.is_error = true; break;
      default: break;
    }
  }
  chunk.is_error = chunk.is_error || chunk.object == "\"error\"";  // older vLLM
  return chunk;
}

void OpenAiStream::Remember(const Chunk& chunk) {
  if (id_.empty()) id_ = chunk.id;
  if (created_.empty()) created_ = chunk.created;
  if (upstream_model_.empty() && !chunk.model.empty()) {
    upstream_model_ = chunk.model;
    NoteAnswerModel(*target_.deployment, true, chunk.model, &usage_);
  }
  if (!chunk.usage.empty()) {
    ReadOpenAiUsage(chunk.usage, &usage_);
    const auto details = json::Find(chunk.usage, "completion_tokens_details");
    has_details_ = details && json::KindOf(*details) == json::Kind::kObject;
    if (request_.include_usage) usage_text_ = chunk.usage;
  }
  if (!chunk.service_tier.empty()) usage_.service_tier = json::Unquote(chunk.service_tier);
}

void OpenAiStream::WriteChunk(std::string_view json, const Chunk& chunk, std::string& out) {
  any_chunk_ = true;
  edits_.Reset(json);
  late_.clear();
  only_text_ = {};
  is_ordinary_ = true;
  size_t choices = 0;
  ObjectEditor editor(json, &edits_);
  for (const KeyedMember& m : top_members_) {
    const bool is_envelope = m.key == Key::kId || m.key == Key::kObject ||
                             m.key == Key::kCreated || m.key == Key::kModel;
    if (m.key == Key::kUsage || (is_envelope && m.is_null())) {
      editor.Remove(m.member);
    } else if (m.key == Key::kModel && !quoted_model_.empty()) {
      editor.ReplaceValue(m.member, quoted_model_);
    } else {
      editor.Keep(m.member);
      if (m.key != Key::kChoices) continue;
      for (json::ElementCursor c(m.member.value); c.Next(); ++choices) EditChoice(c.value());
    }
  }
  AddMissing(chunk);
  editor.Finish(additions_, &finish_scratch_);
  const size_t begin = out.size();
  out += kChunkBegin;
  edits_.AppendTo(out);
  out += kChunkEnd;
  if (choices == 1) LearnTemplate(json, chunk, std::string_view(out).substr(begin));
  for (const LateFinish& finish : late_) AppendFinishChunk(finish.index, finish.reason, out);
}

void OpenAiStream::LearnTemplate(std::string_view json, const Chunk& chunk, std::string_view written) {
  if (!is_ordinary_ || only_text_.empty() || !chunk.usage.empty()) return;
  const size_t offset = kChunkBegin.size() + edits_.OutputOffset(edits_.OffsetOf(only_text_));
  template_.Learn(json, only_text_, written, offset);
}

// Some servers leave parts of the envelope out; clients' libraries want it whole.
void OpenAiStream::AddMissing(const Chunk& chunk) {
  additions_.clear();
  const auto begin = [this](std::string_view quoted_key) {
    if (!additions_.empty()) additions_ += ',';
    additions_ += quoted_key;
    additions_ += ':';
  };
  if (chunk.id.empty()) {
    begin("\"id\"");
    if (id_.empty()) json::AppendQuoted(id_, target_.answer_id);
    additions_ += id_;
  }
  if (chunk.object.empty()) {
    begin("\"object\"");
    additions_ += schema_ == Schema::kChat ? "\"chat.completion.chunk\"" : "\"text_completion\"";
  }
  if (chunk.created.empty()) {
    begin("\"created\"");
    fmt::format_to(std::back_inserter(additions_), "{}", target_.now_unix_s);
  }
  if (chunk.model.empty() && !quoted_model_.empty()) {
    begin("\"model\"");
    additions_ += quoted_model_;
  }
}

OpenAiStream::Choice& OpenAiStream::ChoiceAt(int64_t index) {
  for (Choice& choice : choices_) {
    if (choice.index == index) return choice;
  }
  choices_.push_back({index});
  return choices_.back();
}

void OpenAiStream::EditChoice(std::string_view object) {
  if (json::KindOf(object) != json::Kind::kObject) return;
  const bool is_chat = schema_ == Schema::kChat;
  int64_t index = 0;
  const KeyedMember* payload = nullptr;
  Collect(object, &choice_members_);
  for (const KeyedMember& m : choice_members_) {
    if (m.key == Key::kIndex) index = json::ToInt(m.member.value).value_or(0);
    if (m.key == (is_chat ? Key::kDelta : Key::kText)) payload = &m;
  }
  Choice& choice = ChoiceAt(index);
  if (is_chat && !choice.role_sent) is_ordinary_ = false;
  bool has_payload = false;
  if (payload != nullptr) {
    if (!is_chat && payload->member.kind == json::Kind::kString)
      only_text_ = payload->member.value.substr(1, payload->member.value.size() - 2);
    has_payload = is_chat ? ScanDelta(payload->member.value, choice)
                          : CountPayload(payload->member);
  }
  progress_.has_content = progress_.has_content || has_payload;

  ObjectEditor editor(object, &edits_);
  if (payload == nullptr && is_chat) editor.InsertFirst(R"("delta":{})");
  for (const KeyedMember& m : choice_members_) {
    if (m.key == Key::kFinishReason) {
      EditFinish(m.member, has_payload, &editor, choice);
      continue;
    }
    editor.Keep(m.member);
    if (&m == payload && is_chat) EditDelta(m.member.value, choice);
  }
  editor.Finish({}, nullptr);
}

// Counts the text of a member that a client shows or acts upon; false when it is none or empty.
bool OpenAiStream::CountPayload(const json::Member& member) {
  if (!IsFilled(member)) return false;
  content_bytes_ += TextBytes(member.value);
  return true;
}

// Fills delta_members_. True: the delta carries content, reasoning or a tool call.
bool OpenAiStream::ScanDelta(std::string_view delta, Choice& choice) {
  Collect(delta, &delta_members_);
  bool has_payload = false;
  size_t reasoning = 0;  // the text may stand under both names
  for (const KeyedMember& m : delta_members_) {
    if (m.key != Key::kPayload && m.key != Key::kToolCalls && m.key != Key::kReasoning &&
        m.key != Key::kReasoningContent) {
      continue;
    }
    const bool filled = CountPayload(m.member);
    if (filled && m.key == Key::kReasoningContent) reasoning = m.member.value.size() - 2;
    if (filled && m.key == Key::kReasoning && reasoning == 0) reasoning = m.member.value.size() - 2;
    if (filled) {
      const bool is_text = m.member.kind == json::Kind::kString && m.key == Key::kPayload;
      if (has_payload || !is_text) is_ordinary_ = false;
      if (is_text) only_text_ = m.member.value.substr(1, m.member.value.size() - 2);
    }
    has_payload = has_payload || filled;
    if (m.key == Key::kToolCalls && filled) choice.has_tool_calls = true;
  }
  reasoning_bytes_ += reasoning;
  return has_payload;
}

// compat: of a stream, what the upstream does not tell of reasoning is counted from its text.
void OpenAiStream::FillReasoning() {
  if (has_details_ || reasoning_bytes_ == 0) return;
  usage_.reasoning_tokens = std::min(EstimateTokens(reasoning_bytes_), usage_.completion_tokens);
}

// The role once per choice, and first; reasoning under its common name. Needs ScanDelta.
void OpenAiStream::EditDelta(std::string_view delta, Choice& choice) {
  if (json::KindOf(delta) != json::Kind::kObject) return edits_.Replace(delta, "{}", true);
  const auto has = [this](Key key) {
    return std::any_of(delta_members_.begin(), delta_members_.end(),
                       [key](const KeyedMember& m) { return m.key == key && !m.is_null(); });
  };
  const bool rename_reasoning = !has(Key::kReasoningContent);
  const bool is_first = !choice.role_sent;
  ObjectEditor editor(delta, &edits_);
  if (is_first && !has(Key::kRole)) editor.InsertFirst(R"("role":"assistant")");
  for (const KeyedMember& m : delta_members_) {
    if (m.key == Key::kRole && !is_first) {
      editor.Remove(m.member);
    } else if (m.key == Key::kRole && m.is_null()) {
      editor.ReplaceValue(m.member, R"("assistant")", true);
    } else if (m.key == Key::kReasoning && rename_reasoning &&
               m.member.kind == json::Kind::kString) {
      editor.ReplaceKey(m.member, R"("reasoning_content")");
    } else {
      editor.Keep(m.member);
    }
  }
  editor.Finish({}, nullptr);
  choice.role_sent = true;
}

void OpenAiStream::EditFinish(const json::Member& member, bool has_payload, ObjectEditor* editor,
                              Choice& choice) {
  if (IsNull(member)) return editor->Keep(member);
  is_ordinary_ = false;
  // An empty reason is none; a second one would end the choice twice.
  if (!IsFilled(member) || choice.finished) return editor->ReplaceValue(member, "null", true);
  std::string_view upstream;
  if (!json::PlainString(member.value, &upstream)) upstream = "stop";
  std::string_view reason = NormalFinishReason(upstream);
  if (reason == "stop" && choice.has_tool_calls) reason = "tool_calls";
  if (reason == "content_filter") content_filtered_ = true;
  choice.finished = true;
  const std::string_view quoted = QuotedFinishReason(reason);
  if (has_payload) {
    late_.push_back({choice.index, quoted});
    editor->ReplaceValue(member, "null", true);
  } else if (member.value == quoted) {
    editor->Keep(member);
  } else {
    editor->ReplaceValue(member, quoted, true);
  }
}

// The upstream's usage chunk goes out last, whatever else is still missing when it comes.
void OpenAiStream::KeepUsageChunk(std::string_view json) {
  FillReasoning();
  const std::string usage = WithDetails(usage_text_, usage_);
  edits_.Reset(json);
  ObjectEditor editor(json, &edits_);
  bool has_choices = false;
  for (const KeyedMember& m : top_members_) {
    if (m.key == Key::kModel && !quoted_model_.empty()) {
      editor.ReplaceValue(m.member, quoted_model_);
    } else if (m.key == Key::kUsage) {
      editor.ReplaceValue(m.member, usage);
    } else if (m.key == Key::kChoices) {
      has_choices = true;
      editor.ReplaceValue(m.member, "[]", true);
    } else {
      editor.Keep(m.member);
    }
  }
  editor.Finish(has_choices ? "" : R"("choices":[])", &finish_scratch_);
  usage_chunk_.clear();
  edits_.AppendTo(usage_chunk_);
}

void OpenAiStream::AppendEnvelope(std::string& out) const {
  out += R"({"id":)";
  if (id_.empty()) {
    json::AppendQuoted(out, target_.answer_id);
  } else {
    out += id_;
  }
  out += R"(,"created":)";
  if (created_.empty()) {
    fmt::format_to(std::back_inserter(out), "{}", target_.now_unix_s);
  } else {
    out += created_;
  }
  const std::string& model = quoted_model_.empty() ? upstream_model_ : quoted_model_;
  if (!model.empty()) {
    out += R"(,"model":)";
    out += model;
  }
  out += schema_ == Schema::kChat ? R"(,"object":"chat.completion.chunk")"
                                  : R"(,"object":"text_completion")";
}

void OpenAiStream::AppendFinishChunk(int64_t index, std::string_view quoted_reason,
                                     std::string& out) const {
  out += kChunkBegin;
  AppendEnvelope(out);
  fmt::format_to(std::back_inserter(out), R"(,"choices":[{{"index":{},{},"finish_reason":{}}}]}})",
                 index, schema_ == Schema::kChat ? R"("delta":{})" : R"("text":"")", quoted_reason);
  out += kChunkEnd;
}

void OpenAiStream::AppendUsageChunk(std::string& out) {
  FillReasoning();
  out += kChunkBegin;
  if (!usage_chunk_.empty()) {
    out += usage_chunk_;
  } else {
    AppendEnvelope(out);
    out += R"(,"choices":[],"usage":)";
    if (usage_text_.empty()) {
      AppendUsageJson(usage(), true, out);
    } else {
      out += WithDetails(usage_text_, usage_);
    }
    out += '}';
  }
  out += kChunkEnd;
}

Result<void> OpenAiStream::Complete(std::string& out) {
  if (!any_chunk_ && !usage_.reported)
    return MapBadAnswer(*target_.deployment, "The stream ended before its first chunk.");
  for (Choice& choice : choices_) {
    if (choice.finished) continue;
    choice.finished = true;
    AppendFinishChunk(choice.index,
                      QuotedFinishReason(choice.has_tool_calls ? "tool_calls" : "stop"), out);
  }
  if (request_.include_usage) AppendUsageChunk(out);
  out += "data: [DONE]\n\n";
  progress_.done = true;
  return {};
}

const api::Usage& OpenAiStream::usage() {
  if (!usage_.reported) {
    if (!prompt_bytes_) prompt_bytes_ = PromptBytes(request_.body);
    EstimateUsage(*prompt_bytes_, content_bytes_, &usage_);
  }
  FillReasoning();
  return usage_;
}

}  // namespace gw::translate
