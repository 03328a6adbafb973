// Embeddings are kept item by item: which inputs does a request hold, what is asked upstream when
// only some are known, and how do old and new vectors become one answer?
//
// Pure spans, nothing is parsed into numbers: a vector is copied as the upstream spelled it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"

namespace gw::cache {

// More inputs than a provider takes in one request: not worth a look-up each.
inline constexpr size_t kEmbeddingItemsMax = 2048;

// "text" and [1,2,3] (tokens) are one item, ["a","b"] and [[1],[2]] are several. Empty: not cacheable.
[[nodiscard]] std::vector<std::string_view> SplitInput(std::string_view input);

// The body with `input` replaced by the list of those items; json::kPadding bytes are reserved behind it.
[[nodiscard]] std::string BodyWithItems(std::string_view body, const std::vector<std::string_view>& items);

// An embeddings answer in the client's schema, as views into it.
struct EmbeddingAnswer {
  std::vector<std::string_view> vectors;  // by index
  std::string_view model;                 // JSON text; empty: none
  int64_t prompt_tokens = 0;
};
// nullopt unless there is exactly one vector for each of `items` inputs.
[[nodiscard]] std::optional<EmbeddingAnswer> ReadEmbeddingAnswer(std::string_view body, size_t items);

// `tokens` of a whole answer as shares of its items, by their length: the shares sum up to `tokens`.
[[nodiscard]] std::vector<int64_t> ShareTokens(int64_t tokens, const std::vector<std::string_view>& items);

// The whole answer from one vector per input, in order.
[[nodiscard]] std::string RenderEmbeddings(const std::vector<std::string_view>& vectors, std::string_view model,
                                           int64_t prompt_tokens);

}  // namespace gw::cache
