#include "config/semantic_settings.h"

#include <algorithm>

#include "config/load_context.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kPath = "litellm_settings.cache_params";
constexpr double kEmbeddingSecondsMax = 600;
constexpr size_t kIndexNameBytesMax = 128;

yaml::Place PlaceOf(const yaml::Node& params, std::string_view key) {
  const yaml::Node* node = params.Find(key);
  return node == nullptr ? params.place : node->place;
}

void ReadThreshold(LoadContext& context, const yaml::Node& params, SemanticSettings& out) {
  const auto threshold = ReadNumber(params, "similarity_threshold");
  if (!threshold || *threshold < 0 || *threshold > 1) {
    context.Fatal(kExitRefused, PlaceOf(params, "similarity_threshold"), Join(kPath, "similarity_threshold"),
                  threshold ? "must lie between 0 (anything is similar) and 1 (only the same)"
                            : "similarity_threshold must be provided for 'redis-semantic': between 0 and 1");
    return;
  }
  out.similarity_threshold = *threshold;
}

// It becomes a part of keys, of a query and of a header line.
bool IsIndexName(std::string_view name) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':';
  };
  return !name.empty() && name.size() <= kIndexNameBytesMax && std::all_of(name.begin(), name.end(), is_fine);
}

void ReadTimeout(LoadContext& context, const yaml::Node& params, SemanticSettings& out) {
  constexpr std::string_view kKey = "semantic_cache_embedding_timeout";
  auto seconds = ReadNumber(params, kKey);
  if (!seconds) seconds = EnvNumber(context, "SEMANTIC_CACHE_EMBEDDING_TIMEOUT_SECONDS");
  if (!seconds) return;
  if (*seconds > 0) {
    out.embedding_timeout_s = std::min(*seconds, kEmbeddingSecondsMax);
  } else {
    context.Warn(PlaceOf(params, kKey), Join(kPath, kKey), "not above 0; 5 seconds are used");
  }
}

void ReadTokens(LoadContext& context, const yaml::Node& params, SemanticSettings& out) {
  constexpr std::string_view kKey = "semantic_cache_embedding_max_input_tokens";
  const auto tokens = ReadInt(params, kKey);
  if (!tokens) return;
  if (*tokens > 0) {
    out.embedding_tokens_max = *tokens;
  } else {
    context.Warn(PlaceOf(params, kKey), Join(kPath, kKey), "not above 0; 8191 tokens are used");
  }
}

}  // namespace

SemanticSettings ReadSemanticSettings(LoadContext& context, const yaml::Node& params) {
  SemanticSettings out;
  ReadThreshold(context, params, out);
  out.embedding_model = ReadString(params, "redis_semantic_cache_embedding_model").value_or(out.embedding_model);
  out.index_name = ReadString(params, "redis_semantic_cache_index_name").value_or(out.index_name);
  if (!IsIndexName(out.index_name)) {
    context.Fatal(kExitRefused, PlaceOf(params, "redis_semantic_cache_index_name"),
                  Join(kPath, "redis_semantic_cache_index_name"),
                  "only letters, digits and _ - . : may stand in it, 128 at most");
  }
  ReadTimeout(context, params, out);
  ReadTokens(context, params, out);
  const std::string scope = ReadString(params, "semantic_cache_scope").value_or("key");
  out.by_end_user = scope == "end_user";
  if (scope != "key" && scope != "end_user") {
    context.Fatal(kExitRefused, PlaceOf(params, "semantic_cache_scope"), Join(kPath, "semantic_cache_scope"),
                  "neither key nor end_user");
  }
  return out;
}

}  // namespace gw::config
