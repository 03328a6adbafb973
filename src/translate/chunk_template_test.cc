#include "translate/chunk_template.h"

#include <gtest/gtest.h>

namespace gw::translate {
namespace {

class ChunkTemplateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string_view content = std::string_view(json_).substr(json_.find("Hello"), 5);
    template_.Learn(json_, content, written_, written_.find("Hello"));
  }
  const std::string json_ = R"({"model":"up","choices":[{"delta":{"content":"Hello"},"finish_reason":null}]})";
  const std::string written_ = "data: {\"model\":\"shown\",\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n";
  ChunkTemplate template_;
  std::string out_;
  std::string_view content_;
};

TEST_F(ChunkTemplateTest, AnotherTextGoesIntoTheSameSurroundings) {
  EXPECT_TRUE(template_.Apply(R"({"model":"up","choices":[{"delta":{"content":" wo\"r\nld"},"finish_reason":null}]})",
                              out_, &content_));
  EXPECT_EQ(content_, R"( wo\"r\nld)");
  EXPECT_EQ(out_, "data: {\"model\":\"shown\",\"choices\":[{\"delta\":{\"content\":\" wo\\\"r\\nld\"}}]}\n\n");
}

TEST_F(ChunkTemplateTest, AnythingElseTakesTheLongWay) {
  for (const char* json : {
           R"({"model":"up","choices":[{"delta":{"content":""},"finish_reason":null}]})",
           R"({"model":"up","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]})",
           R"({"model":"other","choices":[{"delta":{"content":"a"},"finish_reason":null}]})",
           // A quote ends the text early: these would smuggle members past the rewriting.
           R"({"model":"up","choices":[{"delta":{"content":"a","role":"user"},"finish_reason":null}]})",
           R"({"model":"up","choices":[{"delta":{"content":"a\"},"finish_reason":null}]})",
           "{\"model\":\"up\",\"choices\":[{\"delta\":{\"content\":\"\xff\"},\"finish_reason\":null}]}",
           "{\"model\":\"up\",\"choices\":[{\"delta\":{\"content\":\"a\nb\"},\"finish_reason\":null}]}",
           R"({})",
       }) {
    EXPECT_FALSE(template_.Apply(json, out_, &content_)) << json;
    EXPECT_TRUE(out_.empty());
  }
}

TEST(ChunkTemplate, NothingLearntMatchesNothing) {
  std::string out;
  std::string_view content;
  EXPECT_FALSE(ChunkTemplate().Apply(R"({"a":"b"})", out, &content));
}

}  // namespace
}  // namespace gw::translate
