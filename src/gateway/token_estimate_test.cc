#include "gateway/token_estimate.h"

#include <gtest/gtest.h>

#include <string>

namespace gw::gateway {
namespace {

int64_t Estimate(std::string body) {
  body.append(json::kPadding, ' ');
  const std::string_view text = json::TrimSpace(body);
  EXPECT_EQ(json::ValidateUnpadded(text), nullptr) << text;
  std::vector<json::Member> members;
  json::CollectMembers(text, members);
  return EstimateInputTokens(members);
}

TEST(TokenEstimate, CountsTextNotJson) {
  const std::string text(4000, 'a');
  EXPECT_EQ(Estimate(R"({"messages":[{"role":"user","content":")" + text + R"("}]})"), 1006);
  EXPECT_EQ(Estimate(R"({"messages":[{"role":"user","content":[{"type":"text","text":")" + text + R"("}]}]})"),
            1006);
  EXPECT_EQ(Estimate(R"({"prompt":")" + text + R"("})"), 1000);
  EXPECT_EQ(Estimate(R"({"input":[")" + text + R"(",")" + text + R"("]})"), 2000);
  EXPECT_EQ(Estimate(R"({"model":")" + text + R"("})"), 0);
}

TEST(TokenEstimate, ImagesCountAsImagesWhateverTheirSize) {
  const std::string image(100'000, 'A');
  const std::string body = R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:)" +
                           image + R"("}}]}]})";
  EXPECT_EQ(Estimate(body), 256);
}

TEST(TokenEstimate, TokensThatAreGivenAreCounted) {
  EXPECT_EQ(Estimate(R"({"prompt":[1,2,3]})"), 3);
  EXPECT_EQ(Estimate(R"({"input":[[1,2,3],[4]]})"), 4);
}

TEST(TokenEstimate, OtherScriptsWeighMore) {
  EXPECT_EQ(Estimate("{\"prompt\":\"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\"}"), 3);
  EXPECT_EQ(Estimate(R"({"prompt":"\u65e5\u672c\u8a9e\u65e5"})"), 3);
  EXPECT_EQ(Estimate(R"({"prompt":"\"\\\n\\"})"), 1);
}

TEST(TokenEstimate, DeepNestingEnds) {
  std::string deep = "1";
  for (int i = 0; i < 100; ++i) deep = "[" + deep + "]";
  EXPECT_EQ(Estimate(R"({"prompt":)" + deep + "}"), 0);
}

}  // namespace
}  // namespace gw::gateway
