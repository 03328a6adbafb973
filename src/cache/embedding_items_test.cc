#include "cache/embedding_items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/json.h"

namespace gw::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EmbeddingItems, SplitsTextsAndTokenLists) {
  EXPECT_THAT(SplitInput(R"("a")"), ElementsAre(R"("a")"));
  EXPECT_THAT(SplitInput(R"(["a", "b"])"), ElementsAre(R"("a")", R"("b")"));
  EXPECT_THAT(SplitInput("[1, 2]"), ElementsAre("[1, 2]")) << "the tokens of one text";
  EXPECT_THAT(SplitInput("[[1,2],[3]]"), ElementsAre("[1,2]", "[3]"));
  EXPECT_THAT(SplitInput("[]"), IsEmpty());
  EXPECT_THAT(SplitInput("7"), IsEmpty());
  EXPECT_THAT(SplitInput(""), IsEmpty());
}

TEST(EmbeddingItems, MoreItemsThanAnyoneTakesAreNotSplit) {
  std::string list = "[\"a\"";
  for (size_t i = 1; i < kEmbeddingItemsMax; ++i) list += ",\"a\"";
  EXPECT_EQ(SplitInput(list + "]").size(), kEmbeddingItemsMax);
  EXPECT_THAT(SplitInput(list + ",\"a\"]"), IsEmpty());
}

TEST(EmbeddingItems, OnlyTheMissingGoUpstream) {
  const std::string body = R"({"model":"m","input":["a","b","c"],"n\u0070ut":1,"in\u0070ut":["a","b","c"],"x":1})";
  EXPECT_EQ(BodyWithItems(body, {R"("a")", R"("c")"}),
            R"({"model":"m","input":["a","c"],"n\u0070ut":1,"in\u0070ut":["a","c"],"x":1})");
}

TEST(EmbeddingItems, ReadsVectorsByTheirIndex) {
  const auto answer = ReadEmbeddingAnswer(
      R"({"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":"AAA="}],"model":"m","usage":{"prompt_tokens":9}})",
      2);
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->vectors, ElementsAre(R"("AAA=")", "[2]"));
  EXPECT_EQ(answer->model, R"("m")");
  EXPECT_EQ(answer->prompt_tokens, 9);
}

TEST(EmbeddingItems, AnAnswerThatDoesNotFitIsRefused) {
  for (const char* body : {R"({"data":[{"index":0,"embedding":[1]}]})",                             // too few
                           R"({"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]})",   // too many
                           R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})", // twice
                           R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]})",
                           R"({"data":[{"index":-1,"embedding":[1]},{"index":1,"embedding":[1]}]})",
                           R"({"data":[{"index":0},{"index":1}]})", R"({"data":{}})", R"({"data":[1,2]})", "{}"}) {
    EXPECT_FALSE(ReadEmbeddingAnswer(body, 2)) << body;
  }
}

TEST(EmbeddingItems, SharesOfTokensSumUp) {
  const std::vector<std::string_view> items = {R"("a")", R"("a much longer text")", R"("bb")", R"("c")"};
  for (const int64_t tokens : {0, 1, 3, 9, 1000}) {
    const std::vector<int64_t> shares = ShareTokens(tokens, items);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), int64_t{0}), tokens);
    for (const int64_t share : shares) EXPECT_GE(share, 0);
    EXPECT_GE(shares[1], shares[0]);
  }
  EXPECT_THAT(ShareTokens(9, {R"("only")"}), ElementsAre(9));
}

TEST(EmbeddingItems, OneAnswerFromOldAndNewVectors) {
  const std::string body = RenderEmbeddings({"[1]", R"("AA")"}, R"("m")", 7);
  EXPECT_EQ(json::ValidateUnpadded(body), nullptr) << body;
  const auto answer = ReadEmbeddingAnswer(body, 2);
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->vectors, ElementsAre("[1]", R"("AA")"));
  EXPECT_EQ(answer->prompt_tokens, 7);
}

}  // namespace
}  // namespace gw::cache
