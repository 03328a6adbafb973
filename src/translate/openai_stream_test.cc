#include "translate/openai_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/openai_test_support.h"

namespace gw::translate {
namespace {

// A chunk of the upstream ("up") or as the client sees it ("shown").
std::string Chunk(std::string_view choices, std::string_view model = "up") {
  std::string chunk = R"(data: {"id":"i","created":5,"model":")";
  chunk += model;
  chunk += R"(","object":"chat.completion.chunk","choices":[)";
  chunk += choices;
  chunk += "]}\n\n";
  return chunk;
}
std::string Shown(std::string_view choices) { return Chunk(choices, "shown"); }

constexpr std::string_view kDone = "data: [DONE]\n\n";

std::string ClientSees(const std::string& upstream, bool include_usage = false) {
  Attempt attempt("openai", "up", R"({"model":"g","messages":[{"role":"user","content":"12345678"}]})");
  attempt.request.stream = true;
  attempt.request.include_usage = include_usage;
  return RunStream(*attempt.Make(), {upstream});
}

std::string Join(std::initializer_list<std::string> parts) {
  std::string joined;
  for (const std::string& part : parts) joined += part;
  return joined + std::string(kDone);
}

TEST(OpenAiStream, RoleComesFirstAndOncePerChoice) {
  EXPECT_EQ(ClientSees(Join({Chunk(R"({"index":0,"delta":{"role":"assistant","content":"a"}})"),
                      Chunk(R"({"index":0,"delta":{"role":"assistant","content":"b"}})"),
                      Chunk(R"({"index":1,"delta":{"content":"c"}})"),
                      Chunk(R"({"index":1,"delta":{"content":"d","role":"assistant"}})"),
                      Chunk(R"({"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"})")})),
            Join({Shown(R"({"index":0,"delta":{"role":"assistant","content":"a"}})"),
                  Shown(R"({"index":0,"delta":{"content":"b"}})"),
                  Shown(R"({"index":1,"delta":{"role":"assistant","content":"c"}})"),
                  Shown(R"({"index":1,"delta":{"content":"d"}})"),
                  Shown(R"({"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"})")}));
}

TEST(OpenAiStream, ContentAndFinishBecomeTwoChunks) {
  const std::string finish =
      R"(data: {"id":"i","created":5,"model":"shown","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"length"}]})"
      "\n\n";
  EXPECT_EQ(ClientSees(Join({Chunk(R"({"index":0,"finish_reason":"max_tokens","delta":{"role":"assistant","content":"a"}})")})),
            Join({Shown(R"({"index":0,"finish_reason":null,"delta":{"role":"assistant","content":"a"}})"), finish}));
}

TEST(OpenAiStream, FinishIsNormalisedAndToolCallsWin) {
  EXPECT_EQ(ClientSees(Join({Chunk(R"({"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c"}]},"finish_reason":null})"),
                      Chunk(R"({"index":0,"delta":{},"finish_reason":""})"),
                      Chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})"),
                      Chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})")})),
            Join({Shown(R"({"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c"}]},"finish_reason":null})"),
                  Shown(R"({"index":0,"delta":{},"finish_reason":null})"),
                  Shown(R"({"index":0,"delta":{},"finish_reason":"tool_calls"})"),
                  Shown(R"({"index":0,"delta":{},"finish_reason":null})")}));
}

TEST(OpenAiStream, EmptyToolCallsAreNone) {
  const std::string out = ClientSees(Join({Chunk(R"({"index":0,"delta":{"role":"assistant","content":"a","tool_calls":[ ]}})"),
                                    Chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})")}));
  EXPECT_NE(out.find(R"("finish_reason":"stop")"), std::string::npos);
}

TEST(OpenAiStream, ReasoningIsRenamedUnlessBothCome) {
  EXPECT_EQ(ClientSees(Join({Chunk(R"({"index":0,"delta":{"role":"assistant","reasoning":"r"}})"),
                      Chunk(R"({"index":0,"delta":{"reasoning":"r","reasoning_content":"r"}})"),
                      Chunk(R"({"index":0,"delta":{"reasoning":"r","reasoning_content":null}})"),
                      Chunk(R"({"index":0,"delta":{"reasoning":null},"finish_reason":"stop"})")})),
            Join({Shown(R"({"index":0,"delta":{"role":"assistant","reasoning_content":"r"}})"),
                  Shown(R"({"index":0,"delta":{"reasoning":"r","reasoning_content":"r"}})"),
                  Shown(R"({"index":0,"delta":{"reasoning_content":"r","reasoning_content":null}})"),
                  Shown(R"({"index":0,"delta":{"reasoning":null},"finish_reason":"stop"})")}));
}

TEST(OpenAiStream, MissingPartsAreFilledIn) {
  EXPECT_EQ(ClientSees("data: {\"id\":null,\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"),
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"id\":\"chatcmpl-made\","
            "\"object\":\"chat.completion.chunk\",\"created\":1700000001,\"model\":\"shown\"}\n\n"
            "data: [DONE]\n\n");
}

TEST(OpenAiStream, EscapedAndDoubleKeys) {
  EXPECT_EQ(ClientSees("data: {\"id\":\"i\",\"object\":\"o\",\"created\":1,\"mod\\u0065l\":\"a\",\"model\":\"b\","
                "\"us\\u0061ge\":{\"prompt_tokens\":1},\"usage\":null,"
                "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]}\n\n"),
            "data: {\"id\":\"i\",\"object\":\"o\",\"created\":1,\"mod\\u0065l\":\"shown\",\"model\":\"shown\","
            "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n");
}

TEST(OpenAiStream, JsonOverSeveralDataLinesIsOneLine) {
  EXPECT_EQ(ClientSees("data: {\"id\":\"i\",\"object\":\"o\",\"created\":1,\"model\":\"b\",\ndata: \"choices\":\ndata: "
                "[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]}\n\n"),
            "data: {\"id\":\"i\",\"object\":\"o\",\"created\":1,\"model\":\"shown\", \"choices\": "
            "[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n");
}

constexpr std::string_view kText = R"({"index":0,"delta":{"role":"assistant","content":"abcdefgh"}})";
constexpr std::string_view kStop = R"({"index":0,"delta":{},"finish_reason":"stop"})";
constexpr const char* kUsageOnly =
    "data: {\"id\":\"i\",\"model\":\"up\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,"
    "\"total_tokens\":5,\"completion_tokens_details\":null}}\n\n";

TEST(OpenAiStream, UsageIsSwallowedUnlessAskedFor) {
  const std::string upstream = Join({Chunk(kText), Chunk(kStop), kUsageOnly});
  EXPECT_EQ(ClientSees(upstream), Join({Shown(kText), Shown(kStop)}));
  EXPECT_EQ(ClientSees(upstream, true),
            Join({Shown(kText), Shown(kStop),
                  "data: {\"id\":\"i\",\"model\":\"shown\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,"
                  "\"completion_tokens\":2,\"total_tokens\":5,\"completion_tokens_details\":"
                  "{\"reasoning_tokens\":0,\"text_tokens\":2}}}\n\n"}));
}

TEST(OpenAiStream, UsageInContentChunksIsMovedToTheEnd) {
  const std::string with_usage = R"(data: {"id":"i","created":5,"usage":{"prompt_tokens":3,"completion_tokens":1},"choices":[)" +
                                 std::string(kText) + "],\"model\":\"up\",\"object\":\"chat.completion.chunk\"}\n\n";
  const std::string out = ClientSees(Join({with_usage, Chunk(kStop)}), true);
  EXPECT_EQ(out, Join({R"(data: {"id":"i","created":5,"choices":[)" + std::string(kText) +
                           "],\"model\":\"shown\",\"object\":\"chat.completion.chunk\"}\n\n",
                       Shown(kStop),
                       "data: {\"id\":\"i\",\"created\":5,\"model\":\"shown\",\"object\":\"chat.completion.chunk\","
                       "\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,"
                       "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"text_tokens\":1}}}\n\n"}));
}

TEST(OpenAiStream, UsageThatIsNoObjectIsNone) {
  const std::string out = ClientSees(
      Join({Chunk(kText), "data: {\"choices\":[],\"usage\":\"much\"}\n\n", Chunk(kStop)}), true);
  EXPECT_EQ(out.find("much"), std::string::npos);
  EXPECT_NE(out.find(R"("usage":{"completion_tokens":2,)"), std::string::npos);
}

TEST(OpenAiStream, MissingUsageIsEstimated) {
  const std::string out = ClientSees(Join({Chunk(kText), Chunk(kStop)}), true);
  EXPECT_NE(out.find(R"("usage":{"completion_tokens":2,"prompt_tokens":3,"total_tokens":5,)"
                     R"("completion_tokens_details":{"reasoning_tokens":0,"text_tokens":2}})"),
            std::string::npos)
      << out;
}

TEST(OpenAiStream, ModelThatMaySetThePriceIsKept) {
  Attempt attempt("openai", "up", R"({"model":"g","messages":[]})");
  const auto model = [&attempt] {
    const auto translator = attempt.Make();
    std::string out;
    EXPECT_TRUE(translator->Feed(
        "data: {\"model\":\"other\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n", out));
    return translator->usage().answer_model;
  };
  EXPECT_EQ(model(), "other");
  attempt.deployment.base_model = "unknown";
  EXPECT_EQ(model(), "");
}

// compat: of whole answers LiteLLM counts nothing by itself, of streams it does.
TEST(OpenAiStream, ReasoningIsCountedWhereTheUpstreamDoesNot) {
  constexpr const char* kThought =
      R"({"index":0,"delta":{"reasoning":"Let me think about it.","reasoning_content":"Let me think about it."}})";
  const auto reasoning = [](std::string_view usage) {
    const Attempt attempt("openai", "up", R"({"model":"g","messages":[]})");
    const auto translator = attempt.Make();
    std::string out;
    EXPECT_TRUE(translator->Feed(Chunk(kThought), out));
    EXPECT_TRUE(translator->Feed(Chunk(R"({"index":0,"delta":{"content":"a"}})"), out));
    const std::string last = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4," + std::string(usage) + "}}\n\n";
    EXPECT_TRUE(translator->Feed(last, out));
    return translator->usage().reasoning_tokens;
  };
  EXPECT_EQ(reasoning(R"("completion_tokens":7)"), 6);
  EXPECT_EQ(reasoning(R"("completion_tokens":3)"), 3);
  EXPECT_EQ(reasoning(R"("completion_tokens":7,"completion_tokens_details":null)"), 6);
  EXPECT_EQ(reasoning(R"("completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":2})"), 2);
}

TEST(OpenAiStream, UsageOfBrokenStreamIsEstimatedFromWhatCame) {
  Attempt attempt("openai", "up", R"({"model":"g","messages":[{"role":"user","content":"12345678"}]})");
  const auto translator = attempt.Make();
  std::string out;
  ASSERT_TRUE(translator->Feed(Chunk(kText), out));
  EXPECT_TRUE(translator->usage().estimated);
  EXPECT_EQ(translator->usage().completion_tokens, 2);
  ASSERT_TRUE(translator->Feed(Chunk(R"({"index":0,"delta":{"content":"ijkl"}})"), out));
  EXPECT_EQ(translator->usage().completion_tokens, 3);
  ASSERT_TRUE(translator->Feed(kUsageOnly, out));
  EXPECT_TRUE(translator->usage().reported);
  EXPECT_EQ(translator->usage().total_tokens, 5);
}

TEST(OpenAiStream, EndWithoutDoneOrFinishIsCompleted) {
  EXPECT_EQ(ClientSees(Chunk(kText)), Join({Shown(kText), Shown(kStop)}));
}

TEST(OpenAiStream, NothingAfterDone) {
  EXPECT_EQ(ClientSees(Join({Chunk(kText), Chunk(kStop)}) + Chunk(kText)), Join({Shown(kText), Shown(kStop)}));
}

TEST(OpenAiStream, ErrorsBeforeContent) {
  EXPECT_TRUE(ClientSees("").starts_with("!litellm.InternalServerError: "));
  EXPECT_TRUE(ClientSees(std::string(kDone)).starts_with("!litellm.InternalServerError: "));
  EXPECT_TRUE(ClientSees(": only comments\n\n").starts_with("!litellm.InternalServerError: "));
  EXPECT_TRUE(ClientSees("data: {not json\n\n").starts_with("!litellm.InternalServerError: "));
  EXPECT_TRUE(ClientSees("data: 7\n\n").starts_with("!litellm.InternalServerError: "));
  EXPECT_EQ(ClientSees("data: {\"error\": {\"message\": \"boom\", \"code\": \"internal_error\"}}\n\n"),
            "!litellm.APIConnectionError: APIConnectionError: OpenAIException - boom");
  EXPECT_EQ(ClientSees("data: {\"object\":\"error\",\"message\":\"boom\",\"code\":400}\n\n"),
            "!litellm.BadRequestError: OpenAIException - boom");
}

TEST(OpenAiStream, MalformedEventAfterContentIsSkippedAnErrorIsNot) {
  EXPECT_EQ(ClientSees(Join({Chunk(kText), "data: {not json\n\n", "data: \"x\"\n\n", Chunk(kStop)})),
            Join({Shown(kText), Shown(kStop)}));
  EXPECT_EQ(ClientSees(Join({Chunk(kText), "data: {\"error\":{\"message\":\"boom\"}}\n\n", Chunk(kStop)})),
            Shown(kText) + "!litellm.APIConnectionError: APIConnectionError: OpenAIException - boom");
}

TEST(OpenAiStream, ContentIsSeenByTheGateway) {
  Attempt attempt("openai", "up", "{}");
  const auto translator = attempt.Make();
  std::string out;
  auto progress = translator->Feed(Chunk(R"({"index":0,"delta":{"role":"assistant","content":""}})"), out);
  ASSERT_TRUE(progress);
  EXPECT_FALSE(progress->has_content);
  progress = translator->Feed(Chunk(kText), out);
  EXPECT_TRUE(progress->has_content);
  progress = translator->Feed(Chunk(R"({"index":0,"delta":{},"finish_reason":"content_filter"})"), out);
  EXPECT_TRUE(progress->has_content);
  EXPECT_FALSE(progress->done);
  EXPECT_TRUE(translator->content_filtered());
  progress = translator->Feed(kDone, out);
  EXPECT_TRUE(progress->done);
}

TEST(OpenAiStream, KeepsTheUpstreamsModelWhenAskedTo) {
  Attempt attempt("openai", "up", "{}");
  attempt.target.shown_model = {};
  const auto translator = attempt.Make();
  std::string out;
  ASSERT_TRUE(translator->Feed(Chunk(kText), out));
  ASSERT_TRUE(translator->Finish(out));
  EXPECT_EQ(out, Join({Chunk(kText), Chunk(kStop)}));
}

TEST(OpenAiStream, TextCompletionSplitsTextAndFinish) {
  Attempt attempt("text-completion-openai", "up", R"({"prompt":"abcd"})", api::Endpoint::kCompletions);
  const std::string begin = R"(data: {"id":"i","object":"text_completion","created":5,"model":)";
  EXPECT_EQ(RunStream(*attempt.Make(), {begin + R"("up","choices":[{"index":0,"text":"ab","finish_reason":"eos"}]})" "\n\n"}),
            begin + R"("shown","choices":[{"index":0,"text":"ab","finish_reason":null}]})" "\n\n"
            R"(data: {"id":"i","created":5,"model":"shown","object":"text_completion","choices":[{"index":0,"text":"","finish_reason":"stop"}]})"
            "\n\ndata: [DONE]\n\n");
}

}  // namespace
}  // namespace gw::translate
