#include "translate/usage.h"

#include <fmt/format.h>

#include <iterator>

#include "base/json.h"

namespace gw::translate {

namespace {

constexpr size_t kBytesPerToken = 4;
constexpr size_t kModelNameBytesMax = 256;  // a longer one stands in no price map

void SetCount(const json::Member& member, int64_t* field) {
  if (member.kind != json::Kind::kNumber) return;
  const auto count = json::ToInt(member.value);
  if (count && *count >= 0) *field = *count;
}

void ReadPromptDetails(std::string_view details, api::Usage* usage) {
  bool has_write = false;
  for (json::MemberCursor c(details); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("cached_tokens")) {
      SetCount(member, &usage->cached_tokens);
    } else if (member.KeyIs("cache_write_tokens")) {
      has_write = member.kind == json::Kind::kNumber;
      SetCount(member, &usage->cache_creation_tokens);
    } else if (member.KeyIs("cache_creation_tokens")) {
      if (!has_write) SetCount(member, &usage->cache_creation_tokens);
    } else if (member.KeyIs("audio_tokens")) {
      SetCount(member, &usage->prompt_audio_tokens);
    }
  }
}

void ReadCompletionDetails(std::string_view details, api::Usage* usage) {
  for (json::MemberCursor c(details); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("reasoning_tokens")) {
      SetCount(member, &usage->reasoning_tokens);
    } else if (member.KeyIs("audio_tokens")) {
      SetCount(member, &usage->completion_audio_tokens);
    }
  }
}

}  // namespace

void ReadOpenAiUsage(std::string_view usage_object, api::Usage* usage) {
  if (json::KindOf(usage_object) != json::Kind::kObject) return;
  bool has_total = false;
  int64_t read = 0, created = 0;
  for (json::MemberCursor c(usage_object); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("prompt_tokens")) {
      SetCount(member, &usage->prompt_tokens);
    } else if (member.KeyIs("completion_tokens")) {
      SetCount(member, &usage->completion_tokens);
    } else if (member.KeyIs("total_tokens")) {
      has_total = member.kind == json::Kind::kNumber;
      SetCount(member, &usage->total_tokens);
    } else if (member.KeyIs("prompt_cache_hit_tokens")) {  // DeepSeek
      SetCount(member, &usage->cached_tokens);
    } else if (member.KeyIs("cache_read_input_tokens")) {  // Anthropic's names, beside OpenAI's
      SetCount(member, &read);
    } else if (member.KeyIs("cache_creation_input_tokens")) {
      SetCount(member, &created);
    } else if (member.KeyIs("prompt_tokens_details")) {
      ReadPromptDetails(member.value, usage);
    } else if (member.KeyIs("completion_tokens_details")) {
      ReadCompletionDetails(member.value, usage);
    }
  }
  if (usage->cached_tokens == 0) usage->cached_tokens = read;
  if (usage->cache_creation_tokens == 0) usage->cache_creation_tokens = created;
  if (!has_total) usage->total_tokens = usage->prompt_tokens + usage->completion_tokens;
  usage->reported = true;
  usage->estimated = false;
}

int64_t EstimateTokens(size_t text_bytes) {
  return static_cast<int64_t>((text_bytes + kBytesPerToken - 1) / kBytesPerToken);
}

size_t TextBytes(std::string_view json_value) {
  size_t bytes = 0;
  switch (json::KindOf(json_value)) {
    case json::Kind::kString:
      if (json_value.size() < 2 || json_value.starts_with("\"data:")) return 0;
      return json_value.size() - 2;
    case json::Kind::kNumber: return kBytesPerToken;
    case json::Kind::kArray:
      for (json::ElementCursor c(json_value); c.Next();) bytes += TextBytes(c.value());
      return bytes;
    case json::Kind::kObject:
      for (json::MemberCursor c(json_value); c.Next();) {
        if (c.member().kind != json::Kind::kNumber) bytes += TextBytes(c.member().value);
      }
      return bytes;
    default: return 0;
  }
}

size_t PromptBytes(std::string_view body) {
  for (const std::string_view key : {"messages", "prompt", "input"}) {
    if (const auto value = json::Find(body, key)) return TextBytes(*value);
  }
  return 0;
}

void NoteAnswerModel(const config::Deployment& deployment, bool chat_stream, std::string_view model,
                     api::Usage* usage) {
  if (deployment.has_custom_price || deployment.facts_of_base_model) return;
  // compat: under a base_model that nobody knows a stream costs what the row's own model does.
  if (chat_stream && !deployment.base_model.empty()) return;
  if (json::KindOf(model) != json::Kind::kString || model.size() > kModelNameBytesMax) return;
  if (model.substr(1, model.size() - 2) == deployment.upstream_model) return;  // says nothing new
  usage->answer_model = json::Unquote(model);
}

void EstimateUsage(size_t prompt_bytes, size_t completion_bytes, api::Usage* usage) {
  usage->prompt_tokens = EstimateTokens(prompt_bytes);
  usage->completion_tokens = EstimateTokens(completion_bytes);
  usage->total_tokens = usage->prompt_tokens + usage->completion_tokens;
  usage->reported = false;
  usage->estimated = true;
}

void AppendUsageJson(const api::Usage& usage, bool text_details, std::string& out) {
  auto sink = std::back_inserter(out);
  fmt::format_to(sink, R"({{"completion_tokens":{},"prompt_tokens":{},"total_tokens":{})",
                 usage.completion_tokens, usage.prompt_tokens, usage.total_tokens);
  if (text_details || usage.reasoning_tokens > 0 || usage.completion_audio_tokens > 0) {
    const int64_t text = usage.completion_tokens - usage.reasoning_tokens -
                         usage.completion_audio_tokens;
    fmt::format_to(sink, R"(,"completion_tokens_details":{{"reasoning_tokens":{},"text_tokens":{})",
                   usage.reasoning_tokens, text > 0 ? text : 0);
    if (usage.completion_audio_tokens > 0)
      fmt::format_to(sink, R"(,"audio_tokens":{})", usage.completion_audio_tokens);
    out += '}';
  }
  if (usage.cached_tokens > 0 || usage.cache_creation_tokens > 0 || usage.prompt_audio_tokens > 0) {
    fmt::format_to(sink, R"(,"prompt_tokens_details":{{"cached_tokens":{})", usage.cached_tokens);
    if (usage.cache_creation_tokens > 0)
      fmt::format_to(sink, R"(,"cache_creation_tokens":{})", usage.cache_creation_tokens);
    if (usage.prompt_audio_tokens > 0)
      fmt::format_to(sink, R"(,"audio_tokens":{})", usage.prompt_audio_tokens);
    out += '}';
  }
  out += '}';
}

}  // namespace gw::translate
