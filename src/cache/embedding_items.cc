#include "cache/embedding_items.h"

#include "base/json.h"

namespace gw::cache {

std::vector<std::string_view> SplitInput(std::string_view input) {
  std::vector<std::string_view> items;
  if (json::KindOf(input) == json::Kind::kString) return {input};
  if (json::KindOf(input) != json::Kind::kArray) return items;
  for (json::ElementCursor c(input); c.Next();) {
    if (json::KindOf(c.value()) == json::Kind::kNumber) return {input};  // one text, as tokens
    if (items.size() == kEmbeddingItemsMax) return {};
    items.push_back(c.value());
  }
  return items;
}

std::string BodyWithItems(std::string_view body, const std::vector<std::string_view>& items) {
  std::string list = "[";
  for (const std::string_view item : items) {
    if (list.size() > 1) list += ',';
    list += item;
  }
  list += ']';
  std::string out;
  out.reserve(body.size() + list.size() + json::kPadding);
  size_t copied = 0;
  for (json::MemberCursor c(body); c.Next();) {
    if (!c.member().KeyIs("input")) continue;
    // Also when it stands there twice: nobody reads the first one.
    const auto begin = static_cast<size_t>(c.member().value.data() - body.data());
    out.append(body, copied, begin - copied);
    out += list;
    copied = begin + c.member().value.size();
  }
  out.append(body, copied);
  out.reserve(out.size() + json::kPadding);
  return out;
}

std::optional<EmbeddingAnswer> ReadEmbeddingAnswer(std::string_view body, size_t items) {
  EmbeddingAnswer answer;
  answer.vectors.resize(items);
  std::string_view data, usage;
  for (json::MemberCursor c(body); c.Next();) {
    if (c.member().KeyIs("data")) data = c.member().value;
    if (c.member().KeyIs("usage")) usage = c.member().value;
    if (c.member().KeyIs("model")) answer.model = c.member().value;
  }
  if (json::KindOf(data) != json::Kind::kArray) return std::nullopt;
  size_t seen = 0;
  for (json::ElementCursor c(data); c.Next(); ++seen) {
    if (json::KindOf(c.value()) != json::Kind::kObject) return std::nullopt;
    const auto vector = json::Find(c.value(), "embedding");
    const auto index = json::Find(c.value(), "index");
    const auto at = index ? json::ToInt(*index) : std::optional<int64_t>(static_cast<int64_t>(seen));
    if (!vector || !at || *at < 0 || static_cast<size_t>(*at) >= items) return std::nullopt;
    std::string_view& place = answer.vectors[static_cast<size_t>(*at)];
    if (!place.empty()) return std::nullopt;
    place = *vector;
  }
  if (seen != items) return std::nullopt;
  if (json::KindOf(usage) == json::Kind::kObject) {
    const auto tokens = json::Find(usage, "prompt_tokens");
    answer.prompt_tokens = tokens ? json::ToInt(*tokens).value_or(0) : 0;
  }
  return answer;
}

std::vector<int64_t> ShareTokens(int64_t tokens, const std::vector<std::string_view>& items) {
  double total = 0;
  for (const std::string_view item : items) total += static_cast<double>(item.size());
  std::vector<int64_t> shares;
  shares.reserve(items.size());
  double upto = 0;
  int64_t given = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    upto += static_cast<double>(items[i].size());
    const bool last = i + 1 == items.size();
    const int64_t next = last ? tokens : static_cast<int64_t>(static_cast<double>(tokens) * upto / total);
    shares.push_back(next - given);
    given = next;
  }
  return shares;
}

std::string RenderEmbeddings(const std::vector<std::string_view>& vectors, std::string_view model,
                             int64_t prompt_tokens) {
  std::string out;
  size_t bytes = 160 + model.size();
  for (const std::string_view vector : vectors) bytes += vector.size() + 64;
  out.reserve(bytes);
  out += "{\"model\":";
  out += model.empty() ? std::string_view("null") : model;
  out += ",\"data\":[";
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) out += ',';
    out += "{\"embedding\":";
    out += vectors[i];
    out += ",\"index\":" + std::to_string(i) + ",\"object\":\"embedding\"}";
  }
  const std::string tokens = std::to_string(prompt_tokens);
  out += "],\"object\":\"list\",\"usage\":{\"completion_tokens\":0,\"prompt_tokens\":" + tokens +
         ",\"total_tokens\":" + tokens + "}}";
  return out;
}

}  // namespace gw::cache
