#include "cache/key.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace gw::cache {

namespace {

// Orders to the gateway that change nothing in what an upstream is asked. `model` and `stream` are
// written apart. Sorted; checked below.
constexpr auto kNoQuestion = std::to_array<std::string_view>({
    "api_key", "cache", "cache_creation_input_token_cost", "cache_read_input_token_cost", "caching",
    "content_policy_fallbacks", "context_window_fallbacks", "cooldown_time", "default_fallbacks",
    "disable_fallbacks", "drop_params", "fallbacks", "litellm_call_id", "litellm_metadata",
    "litellm_session_id", "litellm_trace_id", "max_fallbacks", "max_retries", "metadata", "model",
    "model_info", "no-log", "num_retries", "request_timeout", "retry_after", "rpm", "stream",
    "stream_timeout", "tags", "timeout", "tpm", "ttl",
});
static_assert(std::is_sorted(kNoQuestion.begin(), kNoQuestion.end()));

bool IsPartOfQuestion(std::string_view name) {
  if (std::binary_search(kNoQuestion.begin(), kNoQuestion.end(), name)) return false;
  return !name.starts_with("input_cost_per_") && !name.starts_with("output_cost_per_") &&
         !name.starts_with("mock_testing_");
}

std::string_view CallName(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kChat: return "chat";
    case api::Endpoint::kCompletions: return "text";
    case api::Endpoint::kEmbeddings: return "embedding";
    case api::Endpoint::kMessages: return "messages";
    case api::Endpoint::kTranscriptions: return "transcription";
    case api::Endpoint::kSpeech: return "speech";
  }
  return "";
}

// A string token: as it stands when it has no escapes; with surrogates as well, because a lone one
// has no text of its own.
void AppendString(std::string& out, std::string_view token) {
  const bool plain = token.find('\\') == std::string_view::npos;
  if (plain || token.find("\\ud") != std::string_view::npos || token.find("\\uD") != std::string_view::npos) {
    out += token;
    return;
  }
  json::AppendQuoted(out, json::Unquote(token));
}

// No line of the canonical text can end before its value does: JSON strings hold no raw newline.
void AppendName(std::string& out, std::string_view name) {
  if (json::IsSimpleStringContent(name)) out += name;
  else json::AppendQuoted(out, name);
}

size_t CountElements(std::string_view array) {
  size_t count = 0;
  if (json::KindOf(array) != json::Kind::kArray) return 0;
  for (json::ElementCursor c(array); c.Next();) ++count;
  return count;
}

void ReadOther(Question& question, std::string_view name, const json::Member& member) {
  if (name == "cache") ReadCacheObject(member.value, question.controls);
  if (name == "caching") question.controls.off = member.kind == json::Kind::kFalse;
  if (name == "ttl" && member.kind == json::Kind::kNumber && !question.controls.ttl_s)
    question.controls.ttl_s = json::ToDouble(member.value);
}

}  // namespace

void AppendCanonical(std::string& out, std::string_view value) {
  size_t at = 0;
  while (at < value.size()) {
    const char c = value[at];
    if (c == '"') {
      const size_t end = json::SkipValueAt(value, at);
      AppendString(out, value.substr(at, end - at));
      at = end;
      continue;
    }
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
    ++at;
  }
}

Question ReadQuestion(api::Endpoint endpoint, std::string_view body) {
  Question question;
  question.params.reserve(16);
  const bool embeddings = endpoint == api::Endpoint::kEmbeddings;
  std::string decoded;
  for (json::MemberCursor c(body); c.Next();) {
    const json::Member& member = c.member();
    const std::string_view name = member.PlainKey(decoded);
    if (name == "messages") question.messages = CountElements(member.value);
    if (embeddings && name == "input") {
      question.input = member.value;
    } else if (IsPartOfQuestion(name)) {
      Question::Param param{member.key, member.key_escaped ? decoded : std::string(), member.value};
      question.params.push_back(std::move(param));
    } else {
      ReadOther(question, name, member);
    }
  }
  const auto by_name = [](const Question::Param& a, const Question::Param& b) { return a.name() < b.name(); };
  std::stable_sort(question.params.begin(), question.params.end(), by_name);
  // Of equal names the last one counts: it stands last.
  std::vector<Question::Param> unique;
  unique.reserve(question.params.size());
  for (Question::Param& param : question.params) {
    if (!unique.empty() && unique.back().name() == param.name()) unique.pop_back();
    unique.push_back(std::move(param));
  }
  question.params = std::move(unique);
  return question;
}

std::string KeyModel(const config::CacheSettings& settings, std::string_view model) {
  for (const std::vector<std::string>& group : settings.groups) {
    if (std::find(group.begin(), group.end(), model) == group.end()) continue;
    std::string joined;
    for (const std::string& name : group) joined += (joined.empty() ? "" : ",") + name;
    return joined;
  }
  return std::string(model);
}

std::string CanonicalText(const Question& question, const KeyContext& context) {
  std::string text;
  size_t bytes = 64 + context.model.size();
  for (const Question::Param& param : question.params) bytes += param.name().size() + param.value.size() + 3;
  text.reserve(bytes);
  text += "call: ";
  text += CallName(context.endpoint);
  text += "\nmodel: ";
  json::AppendQuoted(text, context.model);
  if (!context.model_in_body) text += " by path";
  text += '\n';
  if (context.stream) text += "stream: true\n";
  for (const std::string& tag : context.tags) {
    text += "tag: ";
    json::AppendQuoted(text, tag);
    text += '\n';
  }
  for (const Question::Param& param : question.params) {
    AppendName(text, param.name());
    text += ": ";
    AppendCanonical(text, param.value);
    text += '\n';
  }
  return text;
}

std::string MakeKey(std::string_view name_space, std::string_view canonical, std::string_view item) {
  std::string key;
  if (!name_space.empty()) {
    key += name_space;
    key += ':';
  }
  if (item.empty()) return key + Sha256Hex(canonical);
  std::string text(canonical);
  text += "input: ";
  AppendCanonical(text, item);
  text += '\n';
  return key + Sha256Hex(text);
}

}  // namespace gw::cache
