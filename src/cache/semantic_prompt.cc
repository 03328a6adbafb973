#include "cache/semantic_prompt.h"

#include <algorithm>

#include "base/strings.h"

namespace gw::cache {

namespace {

// With all its pictures: what must be equal is copied to be hashed.
constexpr size_t kPromptBytesMax = size_t{8} << 20;

std::string_view PromptName(api::Endpoint endpoint) {
  return endpoint == api::Endpoint::kCompletions ? "prompt" : "messages";
}

bool IsText(std::string_view value) { return json::KindOf(value) == json::Kind::kString; }

void AppendMember(std::string& shape, std::string_view name) {
  if (shape.back() != '{') shape += ',';
  json::AppendQuoted(shape, name);
  shape += ':';
}

// Writes `object` into the shape without the strings called `text_name`, which are texts.
void ReadObject(std::string_view object, std::string_view text_name, SemanticPrompt& out,
                void (*read_list)(std::string_view, SemanticPrompt&)) {
  std::string decoded;
  out.shape += '{';
  for (json::MemberCursor c(object); c.Next();) {
    const json::Member& member = c.member();
    const std::string_view name = member.PlainKey(decoded);
    if (name == text_name && IsText(member.value)) {
      out.text += json::Unquote(member.value);
      continue;
    }
    AppendMember(out.shape, name);
    if (name == text_name && read_list != nullptr && json::KindOf(member.value) == json::Kind::kArray) {
      read_list(member.value, out);
    } else {
      AppendCanonical(out.shape, member.value);
    }
  }
  out.shape += '}';
}

// Parts of one message: their texts are embedded, pictures and the like must be the same.
void ReadParts(std::string_view parts, SemanticPrompt& out) {
  out.shape += '[';
  for (json::ElementCursor c(parts); c.Next();) {
    if (out.shape.back() != '[') out.shape += ',';
    if (json::KindOf(c.value()) == json::Kind::kObject) ReadObject(c.value(), "text", out, nullptr);
    else AppendCanonical(out.shape, c.value());
  }
  out.shape += ']';
}

void ReadMessages(std::string_view messages, SemanticPrompt& out) {
  out.shape += '[';
  for (json::ElementCursor c(messages); c.Next();) {
    if (out.shape.back() != '[') out.shape += ',';
    if (json::KindOf(c.value()) == json::Kind::kObject) ReadObject(c.value(), "content", out, &ReadParts);
    else AppendCanonical(out.shape, c.value());
  }
  out.shape += ']';
}

// With its length in front, so that two lines never read like one.
void AppendLine(std::string& text, std::string_view name, std::string_view value) {
  text += name;
  text += ' ';
  text += std::to_string(value.size());
  text += ": ";
  text += value;
  text += '\n';
}

}  // namespace

std::optional<SemanticPrompt> ReadSemanticPrompt(api::Endpoint endpoint, const Question& question) {
  const auto named = [name = PromptName(endpoint)](const Question::Param& p) { return p.name() == name; };
  const auto found = std::find_if(question.params.begin(), question.params.end(), named);
  if (found == question.params.end() || found->value.size() > kPromptBytesMax) return std::nullopt;
  SemanticPrompt prompt;
  if (endpoint == api::Endpoint::kCompletions) {
    if (!IsText(found->value)) return std::nullopt;  // several prompts, or tokens
    prompt.text = json::Unquote(found->value);
  } else {
    if (json::KindOf(found->value) != json::Kind::kArray) return std::nullopt;
    ReadMessages(found->value, prompt);
  }
  if (Trim(prompt.text).empty() || prompt.text.size() > kEmbeddedTextBytesMax) return std::nullopt;
  return prompt;
}

Question WithoutPrompt(api::Endpoint endpoint, const Question& question) {
  Question rest = question;
  std::erase_if(rest.params, [name = PromptName(endpoint)](const Question::Param& p) { return p.name() == name; });
  return rest;
}

std::string SemanticTag(std::string_view name_space, std::string_view canonical, std::string_view shape,
                        std::span<const std::string_view> caller) {
  std::string text;
  text.reserve(canonical.size() + shape.size() + 256);
  AppendLine(text, "namespace", name_space);
  for (const std::string_view part : caller) AppendLine(text, "caller", part);
  AppendLine(text, "shape", shape);
  AppendLine(text, "question", canonical);
  return "k" + Sha256Hex(text);  // a letter first: digits alone would be read as a number
}

}  // namespace gw::cache
