// What does cache_params say about the semantic cache (type: redis-semantic)?
#pragma once

#include <cstdint>
#include <string>

namespace gw::config::yaml {
struct Node;
}

namespace gw::config {

class LoadContext;

struct SemanticSettings {
  double similarity_threshold = 1;  // a hit is at least that similar: 1 - cosine distance
  std::string embedding_model = "text-embedding-ada-002";
  std::string index_name = "litellm_semantic_cache_index";
  double embedding_timeout_s = 5;
  int64_t embedding_tokens_max = 8191;  // of a prompt; longer ones are not cached
  bool by_end_user = false;  // semantic_cache_scope: answers are shared by one end user's requests only

  bool operator==(const SemanticSettings&) const = default;
};

// Fatal findings for what is missing or out of range.
[[nodiscard]] SemanticSettings ReadSemanticSettings(LoadContext& context, const yaml::Node& params);

}  // namespace gw::config
