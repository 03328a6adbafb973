// Do cache and cache_params become the settings that they mean?
#include "config/cache_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_text_test_kit.h"
#include "config/snapshot.h"

namespace gw::config {
namespace {

class CacheSettingsTest : public testing::Test {
 protected:
  Loaded Read(std::string_view litellm, std::string_view more = "") {
    return LoadText(std::string("litellm_settings: ").append(litellm).append("\n").append(more));
  }
  CacheSettings Settings(std::string_view litellm, std::string_view more = "") {
    const Loaded loaded = Read(litellm, more);
    return loaded.snapshot == nullptr ? CacheSettings() : loaded.snapshot->cache;
  }
  static bool Says(const Loaded& loaded, std::string_view text) {
    for (const Finding& finding : loaded.findings) {
      if (finding.message.find(text) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(CacheSettingsTest, OffUnlessCacheIsTrue) {
  EXPECT_FALSE(Settings("{}").on());
  EXPECT_FALSE(Settings("{cache: false, cache_params: {type: local}}").on());
  EXPECT_TRUE(Settings("{cache: true, cache_params: {type: local}}").on());
}

TEST_F(CacheSettingsTest, ReadsPolicyAndBounds) {
  const CacheSettings s = Settings(
      "{cache: true, cache_params: {type: local, mode: default_off, ttl: 7, namespace: ns, max_messages: 9, "
      "supported_call_types: [acompletion, embedding], memory_max_entries: 5, memory_max_mb: 2, max_entry_kb: 3, "
      "coalesce: true, coalesce_wait: 4}}",
      "router_settings: {caching_groups: [[a, b]]}");
  EXPECT_FALSE(s.default_on);
  EXPECT_EQ(s.ttl_s, 7);
  EXPECT_EQ(s.name_space, "ns");
  EXPECT_EQ(s.max_messages, 9);
  EXPECT_TRUE(s.chat);
  EXPECT_FALSE(s.completions);
  EXPECT_TRUE(s.embeddings);
  EXPECT_EQ(s.entries_max, 5U);
  EXPECT_EQ(s.bytes_max, size_t{2} << 20);
  EXPECT_EQ(s.entry_bytes_max, size_t{3} << 10);
  EXPECT_TRUE(s.coalesce);
  EXPECT_EQ(s.coalesce_wait_s, 4);
  EXPECT_THAT(s.groups, testing::ElementsAre(testing::ElementsAre("a", "b")));
}

TEST_F(CacheSettingsTest, TheTiersOwnTtlYieldsToTtl) {
  EXPECT_EQ(Settings("{cache: true, cache_params: {type: local, default_in_memory_ttl: 5}}").ttl_s, 5);
  EXPECT_EQ(Settings("{cache: true, cache_params: {type: local, default_in_redis_ttl: 5}}").ttl_s, std::nullopt);
  EXPECT_EQ(Settings("{cache: true, cache_params: {type: local, default_in_memory_ttl: 5, ttl: 6}}").ttl_s, 6);
  EXPECT_EQ(Settings("{cache: true, cache_params: {type: local, ttl: -1}}").ttl_s, std::nullopt);
}

TEST_F(CacheSettingsTest, RedisWithoutAServerIsServedFromMemoryWithAWarning) {
  for (const char* settings : {"{cache: true}", "{cache: true, cache_params: {type: redis}}"}) {
    const Loaded loaded = Read(settings);
    ASSERT_NE(loaded.snapshot, nullptr);
    EXPECT_TRUE(loaded.snapshot->cache.on());
    EXPECT_TRUE(Says(loaded, "no Redis is named")) << settings;
  }
}

TEST_F(CacheSettingsTest, OtherTypesStoreNothingAreRefusedOrUnknown) {
  const Loaded s3 = Read("{cache: true, cache_params: {type: s3}}");
  ASSERT_NE(s3.snapshot, nullptr);
  EXPECT_FALSE(s3.snapshot->cache.on());
  EXPECT_TRUE(Says(s3, "stores nothing"));
  for (const char* type : {"qdrant-semantic", "valkey-semantic"}) {
    const Loaded refused = Read("{cache: true, cache_params: {type: " + std::string(type) + ", host: h}}");
    EXPECT_EQ(refused.snapshot, nullptr) << type;
    EXPECT_TRUE(Says(refused, "use redis-semantic"));
  }
  EXPECT_EQ(Read("{cache: true, cache_params: {type: bogus}}").snapshot, nullptr);
}

constexpr std::string_view kEmbedder =
    "model_list: [{model_name: e, litellm_params: {model: openai/x, api_base: 'http://h', api_key: k}}]";

std::string Semantic(std::string_view more) {
  return "{cache: true, cache_params: {type: redis-semantic, host: h, " + std::string(more) + "}}";
}

TEST_F(CacheSettingsTest, SemanticSettingsAreRead) {
  const CacheSettings s = Settings(
      Semantic("similarity_threshold: 0.8, redis_semantic_cache_embedding_model: e, "
               "redis_semantic_cache_index_name: idx, semantic_cache_embedding_timeout: 2, ttl: 7, "
               "semantic_cache_scope: end_user"),
      kEmbedder);
  EXPECT_TRUE(s.is_semantic());
  EXPECT_TRUE(s.redis.on());
  EXPECT_EQ(s.ttl_s, 7);
  EXPECT_EQ(s.semantic, (SemanticSettings{0.8, "e", "idx", 2, 8191, true}));
}

TEST_F(CacheSettingsTest, SemanticDefaultsAreThoseOfLitellm) {
  const CacheSettings s = Settings(
      Semantic("similarity_threshold: 1"),
      "model_list: [{model_name: '*', litellm_params: {model: openai/*, api_base: 'http://h', api_key: k}}]");
  EXPECT_TRUE(s.is_semantic());
  EXPECT_EQ(s.semantic, (SemanticSettings{1, "text-embedding-ada-002", "litellm_semantic_cache_index", 5, 8191, false}));
}

TEST_F(CacheSettingsTest, AnIncompleteSemanticCacheRefusesTheStartByLine) {
  const std::pair<const char*, const char*> wrong[] = {
      {"redis_semantic_cache_embedding_model: e", "similarity_threshold must be provided"},
      {"redis_semantic_cache_embedding_model: e, similarity_threshold: 1.5", "must lie between 0"},
      {"redis_semantic_cache_embedding_model: e, similarity_threshold: -0.1", "must lie between 0"},
      {"similarity_threshold: 0.8", "'text-embedding-ada-002' is not in model_list"},
      {"similarity_threshold: 0.8, redis_semantic_cache_embedding_model: other", "'other' is not in model_list"},
      {"similarity_threshold: 0.8, redis_semantic_cache_embedding_model: e, redis_semantic_cache_index_name: 'a b'",
       "only letters"},
      {"similarity_threshold: 0.8, redis_semantic_cache_embedding_model: e, semantic_cache_scope: team", "neither key"},
      {"similarity_threshold: 0.8, redis_semantic_cache_embedding_model: e, redis_startup_nodes: [{host: h, port: 1}]",
       "one server"},
  };
  for (const auto& [settings, text] : wrong) {
    const Loaded loaded = Read(Semantic(settings), kEmbedder);
    EXPECT_EQ(loaded.snapshot, nullptr) << settings;
    EXPECT_EQ(loaded.exit_code, 3);
    EXPECT_TRUE(Says(loaded, text)) << settings;
    for (const Finding& finding : loaded.findings) {
      const bool is_it = finding.message.find(text) != std::string::npos;
      EXPECT_TRUE(!is_it || finding.line == 1) << text;
    }
  }
  const Loaded nowhere = Read("{cache: true, cache_params: {type: redis-semantic, similarity_threshold: 0.8, "
                              "redis_semantic_cache_embedding_model: e}}", kEmbedder);
  EXPECT_EQ(nowhere.snapshot, nullptr);
  EXPECT_TRUE(Says(nowhere, "needs a Redis with vector search"));
}

}  // namespace
}  // namespace gw::config
