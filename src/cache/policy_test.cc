#include "cache/policy.h"

#include <gtest/gtest.h>

namespace gw::cache {
namespace {

using api::Endpoint;

config::CacheSettings Local() {
  config::CacheSettings settings;
  settings.type = config::CacheType::kLocal;
  return settings;
}

Controls FromBody(std::string_view object) {
  Controls controls;
  ReadCacheObject(object, controls);
  return controls;
}

Controls FromHeader(std::string_view header) {
  Controls controls;
  ReadCacheControl(header, controls);
  return controls;
}

TEST(CachePolicy, ASimilarTextHasAnotherVectorAndAnotherTranscript) {
  config::CacheSettings settings = Local();
  settings.type = config::CacheType::kRedisSemantic;
  EXPECT_TRUE(Decide(settings, Endpoint::kChat, 1, {}).any());
  EXPECT_TRUE(Decide(settings, Endpoint::kCompletions, 1, {}).any());
  EXPECT_FALSE(Decide(settings, Endpoint::kEmbeddings, 1, {}).any());
  EXPECT_FALSE(Decide(settings, Endpoint::kTranscriptions, 1, {}).any());
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, {}).ttl, FromSeconds(86'400));
}

TEST(CachePolicy, OffMeansNeitherLookUpNorKeep) {
  EXPECT_FALSE(Decide(config::CacheSettings(), Endpoint::kChat, 1, {}).any());
}

TEST(CachePolicy, OnMeansBothUnlessTheRequestSaysOtherwise) {
  struct Row {
    const char* object;
    bool lookup, store;
  };
  const Row rows[] = {{"{}", true, true},
                      {R"({"no-cache":true})", false, true},
                      {R"({"no-store":true})", true, false},
                      {R"({"no-cache":true,"no-store":true})", false, false},
                      {R"({"no-cache":false,"no-store":"true"})", true, false},
                      {R"({"ttl":0})", true, false},
                      {R"("no-cache")", true, true},
                      {R"({"no\u002dcache":true})", false, true}};
  for (const Row& row : rows) {
    const Decision decision = Decide(Local(), Endpoint::kChat, 1, FromBody(row.object));
    EXPECT_EQ(decision.lookup, row.lookup) << row.object;
    EXPECT_EQ(decision.store, row.store) << row.object;
  }
}

TEST(CachePolicy, LongConversationsAreNeverCached) {
  EXPECT_TRUE(Decide(Local(), Endpoint::kChat, 4, {}).any());
  EXPECT_FALSE(Decide(Local(), Endpoint::kChat, 5, {}).any());
  EXPECT_TRUE(Decide(Local(), Endpoint::kCompletions, 5, {}).any()) << "only chats have messages";
}

TEST(CachePolicy, DefaultOffAsksForUseCache) {
  config::CacheSettings settings = Local();
  settings.default_on = false;
  EXPECT_FALSE(Decide(settings, Endpoint::kChat, 1, {}).any());
  EXPECT_TRUE(Decide(settings, Endpoint::kChat, 1, FromBody(R"({"use-cache":true})")).any());
}

TEST(CachePolicy, OnlySupportedCallTypes) {
  config::CacheSettings settings = Local();
  settings.embeddings = false;
  EXPECT_FALSE(Decide(settings, Endpoint::kEmbeddings, 0, {}).any());
  EXPECT_FALSE(Decide(settings, Endpoint::kMessages, 1, {}).any());
  EXPECT_TRUE(Decide(settings, Endpoint::kCompletions, 0, {}).any());
}

TEST(CachePolicy, TtlComesFromTheRequestThenTheSettingThenTheTier) {
  config::CacheSettings settings = Local();
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, {}).ttl, std::chrono::seconds(600));
  settings.ttl_s = 7;
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, {}).ttl, std::chrono::seconds(7));
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, FromBody(R"({"ttl":1.5})")).ttl, std::chrono::milliseconds(1500));
  settings.ttl_s.reset();
  settings.type = config::CacheType::kRedis;
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, {}).ttl, std::chrono::seconds(60));
}

TEST(CachePolicy, NamespaceOfTheRequestReplacesTheConfigured) {
  config::CacheSettings settings = Local();
  settings.name_space = "all";
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, {}).name_space, "all");
  EXPECT_EQ(Decide(settings, Endpoint::kChat, 1, FromBody(R"({"namespace":"mine"})")).name_space, "mine");
}

TEST(CachePolicy, CacheControlOfTheHeaderIsHonoured) {
  EXPECT_TRUE(FromHeader("no-cache").no_cache);
  EXPECT_TRUE(FromHeader("max-age=0, No-Store").no_store);
  EXPECT_EQ(FromHeader("max-age=30").max_age_s, 30);
  EXPECT_EQ(FromHeader("s-maxage=9").ttl_s, 9);  // compat: the ttl of this answer
  EXPECT_FALSE(FromHeader("max-age=-1, s-maxage=x, ,=").max_age_s);
}

TEST(CachePolicy, AnAnswerMayBeTooOldForARequest) {
  const Decision decision = Decide(Local(), Endpoint::kChat, 1, FromBody(R"({"s-maxage":2})"));
  EXPECT_TRUE(IsFresh(decision, 1000, 3000));
  EXPECT_FALSE(IsFresh(decision, 1000, 3001));
  EXPECT_TRUE(IsFresh(decision, 5000, 3000)) << "another replica's clock may be ahead";
  EXPECT_TRUE(IsFresh(Decision(), 0, 1LL << 40));
}

}  // namespace
}  // namespace gw::cache
