#include "translate/ollama_chat.h"

#include <utility>

#include "base/json.h"
#include "base/strings.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/finish_reason.h"
#include "translate/message_parts.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

void ReadMessageMembers(std::string_view message, OllamaLine* out) {
  if (json::KindOf(message) != json::Kind::kObject) return;
  for (json::MemberCursor c(message); c.Next();) {
    const json::Member& m = c.member();
    if (m.kind == json::Kind::kString) {
      if (m.KeyIs("content")) out->content = m.value;
      else if (m.KeyIs("thinking")) out->thinking = m.value;
    } else if (m.kind == json::Kind::kArray && m.KeyIs("tool_calls")) {
      out->tool_calls = m.value;
    }
  }
}

// One element of Ollama's tool_calls, with the arguments as escaped text.
ToolCall ReadOllamaToolCall(std::string_view call) {
  const ToolCallParts parts = ReadToolCall(call);
  ToolCall out;
  out.id = EscapedContent(parts.id);
  // compat: older Ollama gives no id; OpenAI clients need one to send the result back.
  if (out.id.empty()) out.id = "call_" + MakeUuid();
  out.name = EscapedContent(parts.name);
  if (json::KindOf(parts.arguments) == json::Kind::kString) {
    out.arguments = EscapedContent(parts.arguments);
  } else {
    AppendEscaped(out.arguments, parts.arguments.empty() ? "{}" : parts.arguments);
  }
  return out;
}

std::string ShownModel(const AttemptTarget& target) {
  if (!target.shown_model.empty()) return std::string(target.shown_model);
  // compat: where the upstream's own name shows (after a fallback), Ollama's carries its prefix.
  return target.deployment->provider + "/" + std::string(target.upstream_model);
}

}  // namespace

OllamaLine ReadOllamaLine(std::string_view line) {
  OllamaLine out;
  if (json::KindOf(line) != json::Kind::kObject) return out;
  for (json::MemberCursor c(line); c.Next();) {
    const json::Member& m = c.member();
    if (m.KeyIs("message")) {
      ReadMessageMembers(m.value, &out);
      out.is_answer = true;
    } else if (m.KeyIs("response")) {
      if (m.kind == json::Kind::kString) out.content = m.value;
      out.is_answer = true;
    } else if (m.KeyIs("thinking")) {
      if (m.kind == json::Kind::kString) out.thinking = m.value;
    } else if (m.KeyIs("done")) {
      out.done = m.kind == json::Kind::kTrue;
      out.is_answer = true;
    } else if (m.KeyIs("done_reason")) {
      out.done_reason = m.value;
    } else if (m.KeyIs("prompt_eval_count")) {
      out.prompt_tokens = json::ToInt(m.value);
    } else if (m.KeyIs("eval_count")) {
      out.completion_tokens = json::ToInt(m.value);
    } else if (m.KeyIs("error") && m.kind != json::Kind::kNull) {
      out.error = m.value;
    }
  }
  return out;
}

OllamaChat::OllamaChat(const ClientRequest& request, const AttemptTarget& target)
    : request_(request), target_(target), model_(ShownModel(target)) {}

Result<UpstreamRequest> OllamaChat::BuildRequest() {
  return BuildOllamaRequest(request_, target_, &route_);
}

std::string_view OllamaChat::FinishReason(std::string_view done_reason) const {
  if (tool_count_ > 0) return "tool_calls";
  return NormalFinishReason(EscapedContent(done_reason));
}

Error OllamaChat::LineError(std::string_view error_value) const {
  const std::string text = json::Unquote(error_value);
  if (target_.deployment->row->dialect == config::Dialect::kOllamaGenerate) {
    // compat: here it is a broken connection, wherever in the stream it comes.
    const ErrorClass cls = encoder_.has_content() ? ErrorClass::kApiConnection : ErrorClass::kInternalServer;
    Error error = MakeUpstreamError(*target_.deployment, cls, 500, text, "APIConnectionError");
    error.logged_class = "Exception";
    return error;
  }
  // compat: LiteLLM reports an error line behind content as a bad request. Before any content the
  // failure is the upstream's own (a runner that died while loading) and worth a retry.
  if (encoder_.has_content()) {
    Error error = MakeUpstreamError(*target_.deployment, ErrorClass::kBadRequest, 400, text);
    error.logged_class = "OllamaError";
    error.logged_status = "400";
    return error;
  }
  return MakeUpstreamError(*target_.deployment, ErrorClass::kInternalServer, 500, text, "APIConnectionError");
}

Result<std::string> OllamaChat::TranslateBody(std::string& body) {
  const std::string_view text = json::TrimSpace(body);
  if (text.empty()) return MapBadAnswer(*target_.deployment, "empty answer");
  if (json::Validate(body) != nullptr) {
    return MapBadAnswer(*target_.deployment, "the answer is not JSON");
  }
  const OllamaLine line = ReadOllamaLine(text);
  if (!line.error.empty()) return LineError(line.error);
  if (!line.is_answer) return MapBadAnswer(*target_.deployment, "the answer holds no message");
  ChatAnswer answer;
  if (!SplitLeadingThink(line.content, &answer.reasoning, &answer.content)) {
    answer.content = EscapedContent(line.content);
  }
  if (line.thinking.size() > 2) answer.reasoning = EscapedContent(line.thinking);
  if (!line.tool_calls.empty()) {
    for (json::ElementCursor c(line.tool_calls); c.Next(); ++tool_count_) {
      answer.tool_calls.push_back(ReadOllamaToolCall(c.value()));
      answer_bytes_ += answer.tool_calls.back().arguments.size();
    }
  }
  // compat: /api/generate without a stream always reads "stop", whatever done_reason says.
  answer.finish = route_ == OllamaRoute::kGenerate ? "stop" : FinishReason(line.done_reason);
  answer_bytes_ += answer.content.size() + answer.reasoning.size();
  Count(line);
  answer.usage = usage();
  return EncodeChatAnswer(answer, {target_.answer_id, target_.now_unix_s, model_},
                          UsageStyle::kPlain);
}

Result<StreamProgress> OllamaChat::Feed(std::string_view bytes, std::string& out) {
  if (done_) return Progress();
  lines_.Append(bytes);
  std::string_view line;
  while (!done_) {
    switch (lines_.Next(&line)) {
      case NdjsonSplitter::Step::kNeedMore: return Progress();
      case NdjsonSplitter::Step::kTooLong:
        return MapBadAnswer(*target_.deployment, "a line of the stream is too long");
      case NdjsonSplitter::Step::kLine: break;
    }
    if (auto read = OnLine(line, out); !read) return read.error();
  }
  return Progress();
}

Result<StreamProgress> OllamaChat::Finish(std::string& out) {
  if (done_) return Progress();
  std::string_view line;
  if (lines_.TakeRest(&line) == NdjsonSplitter::Step::kLine) {
    if (auto read = OnLine(line, out); !read) return read.error();
  }
  if (!done_ && !encoder_.has_content()) {
    return MapBadAnswer(*target_.deployment, "the stream ended before it said anything");
  }
  if (!done_) End("\"stop\"", out);
  return Progress();
}

Result<void> OllamaChat::OnLine(std::string_view line, std::string& out) {
  if (json::Validate(line) != nullptr) {
    if (encoder_.has_content()) return {};
    return MapBadAnswer(*target_.deployment, "a line of the stream is not JSON");
  }
  const OllamaLine read = ReadOllamaLine(line);
  if (!read.error.empty()) return LineError(read.error);
  if (read.thinking.size() > 2) {
    Emit({.kind = ChatEvent::Kind::kReasoning, .text = EscapedContent(read.thinking)}, out);
  }
  think_.Feed(read.content, [this, &out](bool is_reasoning, std::string_view text) {
    Emit({.kind = is_reasoning ? ChatEvent::Kind::kReasoning : ChatEvent::Kind::kText,
          .text = text}, out);
  });
  if (!read.tool_calls.empty()) OnToolCalls(read.tool_calls, out);
  if (!read.done) return {};
  Count(read);
  End(read.done_reason, out);
  return {};
}

void OllamaChat::OnToolCalls(std::string_view tool_calls, std::string& out) {
  for (json::ElementCursor c(tool_calls); c.Next();) {
    const ToolCall call = ReadOllamaToolCall(c.value());
    Emit({.kind = ChatEvent::Kind::kToolCall,
          .text = call.arguments,
          .tool_index = tool_count_++,
          .tool_id = call.id,
          .tool_name = call.name}, out);
  }
}

void OllamaChat::Emit(const ChatEvent& event, std::string& out) {
  if (!encoder_.begun()) encoder_.Begin({target_.answer_id, target_.now_unix_s, model_});
  answer_bytes_ += event.text.size();
  encoder_.Append(event, out);
}

void OllamaChat::End(std::string_view done_reason, std::string& out) {
  think_.Finish([this, &out](bool is_reasoning, std::string_view text) {
    Emit({.kind = is_reasoning ? ChatEvent::Kind::kReasoning : ChatEvent::Kind::kText,
          .text = text}, out);
  });
  if (!encoder_.begun()) encoder_.Begin({target_.answer_id, target_.now_unix_s, model_});
  encoder_.AppendEnd(FinishReason(done_reason), request_.include_usage ? &usage() : nullptr,
                     UsageStyle::kPlain, out);
  done_ = true;
}

void OllamaChat::AppendStreamError(const Error& error, std::string& out) const {
  AppendOpenAiStreamError(error, out);
}

void OllamaChat::Count(const OllamaLine& line) {
  prompt_tokens_ = line.prompt_tokens;
  completion_tokens_ = line.completion_tokens;
  FillUsage();
  usage_known_ = true;
}

// A prompt that Ollama had cached carries no prompt_eval_count: that half is estimated.
void OllamaChat::FillUsage() {
  size_t prompt_bytes = 0;
  if (!prompt_tokens_) {
    for (const std::string_view key : {"messages", "prompt"}) {
      if (const auto prompt = json::Find(request_.body, key)) prompt_bytes += TextBytes(*prompt);
    }
  }
  EstimateUsage(prompt_bytes, answer_bytes_, &usage_);
  if (prompt_tokens_) usage_.prompt_tokens = *prompt_tokens_;
  if (completion_tokens_) usage_.completion_tokens = *completion_tokens_;
  usage_.total_tokens = usage_.prompt_tokens + usage_.completion_tokens;
  usage_.reported = prompt_tokens_ || completion_tokens_;
  usage_.estimated = !prompt_tokens_ || !completion_tokens_;
}

const api::Usage& OllamaChat::usage() {
  if (!usage_known_) FillUsage();
  return usage_;
}

std::unique_ptr<Translator> MakeOllamaChat(const ClientRequest& request,
                                           const AttemptTarget& target) {
  return std::make_unique<OllamaChat>(request, target);
}

}  // namespace gw::translate
