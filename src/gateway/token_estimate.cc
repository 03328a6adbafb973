#include "gateway/token_estimate.h"

#include <string_view>

namespace gw::gateway {

namespace {

constexpr double kTokensPerAsciiByte = 0.25;
constexpr double kTokensPerOtherCharacter = 0.75;
constexpr double kTokensPerImage = 250;
constexpr double kTokensPerMessage = 3;
constexpr int kDepthMax = 6;  // messages -> content -> parts -> nested tool results

double TextTokens(std::string_view quoted) {
  size_t ascii = 0;
  size_t other = 0;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    const auto c = static_cast<unsigned char>(quoted[i]);
    if (c == '\\') {
      const bool is_unicode = quoted[i + 1] == 'u';
      is_unicode ? ++other : ++ascii;
      i += is_unicode ? 5 : 1;
    } else if (c < 0x80) {
      ++ascii;
    } else if ((c & 0xC0U) != 0x80U) {
      ++other;
    }
  }
  return static_cast<double>(ascii) * kTokensPerAsciiByte +
         static_cast<double>(other) * kTokensPerOtherCharacter;
}

double ValueTokens(std::string_view value, int depth);

// A message or a part of one.
double ObjectTokens(std::string_view object, int depth) {
  double tokens = 0;
  for (json::MemberCursor c(object); c.Next();) {
    const json::Member& member = c.member();
    if (member.KeyIs("text") || member.KeyIs("content") || member.KeyIs("name")) {
      tokens += ValueTokens(member.value, depth);
    } else if (member.KeyIs("image_url") || member.KeyIs("source")) {
      tokens += kTokensPerImage;
    } else if (member.KeyIs("tool_calls") || member.KeyIs("function_call") || member.KeyIs("input")) {
      tokens += static_cast<double>(member.value.size()) * kTokensPerAsciiByte;
    }
  }
  return tokens;
}

double ValueTokens(std::string_view value, int depth) {
  switch (json::KindOf(value)) {
    case json::Kind::kString: return TextTokens(value);
    case json::Kind::kNumber: return 1;  // of a list of tokens
    case json::Kind::kObject: return depth > kDepthMax ? 0 : ObjectTokens(value, depth + 1);
    case json::Kind::kArray: {
      double tokens = 0;
      if (depth > kDepthMax) return 0;
      for (json::ElementCursor c(value); c.Next();) tokens += ValueTokens(c.value(), depth + 1);
      return tokens;
    }
    default: return 0;
  }
}

double MessagesTokens(std::string_view messages) {
  double tokens = kTokensPerMessage;  // the answer's beginning
  for (json::ElementCursor c(messages); c.Next();) tokens += kTokensPerMessage + ValueTokens(c.value(), 1);
  return tokens;
}

}  // namespace

int64_t EstimateInputTokens(const std::vector<json::Member>& body_members) {
  double tokens = 0;
  for (const json::Member& member : body_members) {
    if (member.KeyIs("messages") && member.kind == json::Kind::kArray) {
      tokens += MessagesTokens(member.value);
    } else if (member.KeyIs("prompt") || member.KeyIs("input") || member.KeyIs("system")) {
      tokens += ValueTokens(member.value, 0);
    } else if (member.KeyIs("tools") || member.KeyIs("functions")) {
      tokens += static_cast<double>(member.value.size()) * kTokensPerAsciiByte;
    }
  }
  return static_cast<int64_t>(tokens + 0.999);
}

}  // namespace gw::gateway
