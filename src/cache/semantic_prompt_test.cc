// What is embedded of a prompt, and what must be equal?
#include "cache/semantic_prompt.h"

#include <gtest/gtest.h>

#include <array>

namespace gw::cache {
namespace {

using api::Endpoint;

class SemanticPromptTest : public testing::Test {
 protected:
  std::optional<SemanticPrompt> Read(std::string body, Endpoint endpoint = Endpoint::kChat) {
    body_ = std::move(body);
    body_.reserve(body_.size() + json::kPadding);
    EXPECT_EQ(json::Validate(body_), nullptr);
    question_ = ReadQuestion(endpoint, body_);
    return ReadSemanticPrompt(endpoint, question_);
  }
  std::string Tag(std::string body, std::string_view name_space = "", std::string_view caller = "") {
    const auto prompt = Read(std::move(body));
    KeyContext key;
    key.model = "m";
    const std::array<std::string_view, 1> callers = {caller};
    const Question rest = WithoutPrompt(Endpoint::kChat, question_);
    return SemanticTag(name_space, CanonicalText(rest, key), prompt ? prompt->shape : "", callers);
  }

  std::string body_;
  Question question_;
};

TEST_F(SemanticPromptTest, TextsOfAllMessagesAreJoinedAsTheyStand) {
  const auto prompt = Read(R"({"messages":[{"role":"system","content":"Be "},{"role":"user","content":"kurz \u00e4\n"}]})");
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->text, "Be kurz ä\n");
  EXPECT_EQ(prompt->shape, R"([{"role":"system"},{"role":"user"}])");
}

TEST_F(SemanticPromptTest, PicturesAndToolCallsBelongToTheShape) {
  const auto prompt = Read(R"({"messages":[{"role":"user","content":[{"type":"text","text":"what?"},)"
                           R"({"type":"image_url","image_url":{"url":"data:x"}}]},)"
                           R"({"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}]})");
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->text, "what?");
  EXPECT_EQ(prompt->shape,
            R"([{"role":"user","content":[{"type":"text"},{"type":"image_url","image_url":{"url":"data:x"}}]},)"
            R"({"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}])");
}

TEST_F(SemanticPromptTest, WithoutTextThereIsNothingToEmbed) {
  for (const char* body : {R"({})", R"({"messages":[]})", R"({"messages":"hi"})", R"({"messages":[{"role":"user"}]})",
                           R"({"messages":[{"role":"user","content":" \n"}]})", R"({"messages":[1,"x"]})",
                           R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":"u"}]}]})"}) {
    EXPECT_FALSE(Read(body)) << body;
  }
  EXPECT_FALSE(Read("{\"messages\":[{\"content\":\"" + std::string(kEmbeddedTextBytesMax + 1, 'a') + "\"}]}"));
  EXPECT_TRUE(Read("{\"messages\":[{\"content\":\"" + std::string(kEmbeddedTextBytesMax, 'a') + "\"}]}"));
}

TEST_F(SemanticPromptTest, CompletionsHaveOnePrompt) {
  const auto prompt = Read(R"({"prompt":"say","messages":[{"content":"x"}]})", Endpoint::kCompletions);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->text, "say");
  EXPECT_FALSE(Read(R"({"prompt":["a","b"]})", Endpoint::kCompletions));
  EXPECT_FALSE(Read(R"({"prompt":[1,2]})", Endpoint::kCompletions));
}

TEST_F(SemanticPromptTest, TheTagIgnoresTheTextAndNothingElse) {
  const std::string tag = Tag(R"({"messages":[{"role":"user","content":"a"}],"temperature":0})");
  EXPECT_EQ(tag.size(), 65U);
  EXPECT_EQ(tag.find_first_not_of("k0123456789abcdef"), std::string::npos) << "no escapes are needed in a query";
  EXPECT_EQ(Tag(R"({"temperature":0, "messages":[ {"role":"user","content":"other"}]})"), tag);
  for (const char* other : {R"({"messages":[{"role":"user","content":"a"}],"temperature":1})",
                            R"({"messages":[{"role":"user","content":"a"}]})",
                            R"({"messages":[{"role":"system","content":"a"}],"temperature":0})",
                            R"({"messages":[{"role":"user","content":"a","name":"n"}],"temperature":0})",
                            R"({"messages":[{"role":"user","content":"a"}],"temperature":0,"tools":[]})"}) {
    EXPECT_NE(Tag(other), tag) << other;
  }
  EXPECT_NE(Tag(R"({"messages":[{"role":"user","content":"a"}],"temperature":0})", "ns"), tag);
  EXPECT_NE(Tag(R"({"messages":[{"role":"user","content":"a"}],"temperature":0})", "", "key"), tag);
}

TEST_F(SemanticPromptTest, NamespaceAndCallerDoNotRunTogether) {
  const std::array<std::string_view, 2> one = {"ab", "c"}, two = {"a", "bc"};
  EXPECT_NE(SemanticTag("n", "q", "s", one), SemanticTag("n", "q", "s", two));
  EXPECT_NE(SemanticTag("n", "q", "s", one), SemanticTag("n\ncaller 2: ab", "q", "s", one));
}

}  // namespace
}  // namespace gw::cache
