#include "translate/openai_request.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/openai_test_support.h"

namespace gw::translate {
namespace {

struct BodyCase {
  const char* name;
  const char* provider;
  const char* model;
  const char* client;
  const char* upstream;  // or the beginning of "error: ..."
};

constexpr const char* kHi = R"("messages":[{"role":"user","content":"hi"}])";

TEST(OpenAiRequest, BodyPerProvider) {
  const BodyCase cases[] = {
      {"Plain", "openai", "up", R"({"model":"g","messages":[]})", R"({"model":"up","messages":[]})"},
      {"SpacesStay", "openai", "up", R"( { "model" : "g" , "n" : 1 } )", R"( { "model" : "up" , "n" : 1 } )"},
      {"ModelTwiceAndEscaped", "openai", "up", R"({"model":"a","mod\u0065l":"b","n":2})",
       R"({"model":"up","mod\u0065l":"up","n":2})"},
      {"ModelMissing", "openai", "up", R"({"n":2})", R"({"n":2,"model":"up"})"},
      {"EmptyBody", "openai", "up", "{}", R"({"model":"up"})"},
      {"ModelIsQuoted", "openai", "a\"b", R"({"model":"g"})", R"({"model":"a\"b"})"},
      {"ControlMembersVanish", "openai", "up",
       R"({"metadata":{"a":1},"model":"g","tags":["x"],"timeout":3,"n":1,"metadat\u0061":2,"mock_testing_fallbacks":true,"input_cost_per_token":0})",
       R"({"model":"up","n":1})"},
      {"UnknownMembersPass", "openai", "up", R"({"model":"g","top_k":5,"guided_json":{"a":[1]}})",
       R"({"model":"up","top_k":5,"guided_json":{"a":[1]}})"},
      {"NullsVanish", "openai", "up", R"({"model":"g","temperature":null,"stop":null,"foo":null,"n":1})",
       R"({"model":"up","n":1})"},
      {"UserForUnknownModel", "openai", "up", R"({"model":"g","user":"u"})", R"({"model":"up"})"},
      {"UserForKnownModel", "openai", "gpt-4o-mini", R"({"model":"g","user":"u"})",
       R"({"model":"gpt-4o-mini","user":"u"})"},
      {"UserAllowed", "openai", "up", R"({"model":"g","user":"u","allowed_openai_params":["user"]})",
       R"({"model":"up","user":"u"})"},
      {"DeveloperBecomesSystem", "openai", "up",
       R"({"model":"g","messages":[{"role":"developer","content":"x"},{"content":"developer","role":"user"}]})",
       R"({"model":"up","messages":[{"role":"system","content":"x"},{"content":"developer","role":"user"}]})"},
      {"NullContentVanishes", "openai", "up",
       R"({"model":"g","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","content":null}]}]})",
       R"({"model":"up","messages":[{"role":"assistant","tool_calls":[{"id":"c","content":null}]}]})"},
      {"OddMessagesPass", "openai", "up", R"({"model":"g","messages":"hi"})",
       R"({"model":"up","messages":"hi"})"},
      {"ReasoningModelRenamesMaxTokens", "openai", "o3-mini", R"({"model":"g","max_tokens":9})",
       R"({"model":"o3-mini","max_completion_tokens":9})"},
      {"ReasoningModelKeepsTheNewName", "openai", "gpt-5", R"({"model":"g","max_tokens":9,"max_completion_tokens":8})",
       R"({"model":"gpt-5","max_completion_tokens":8})"},
      {"OSeriesKeepsDeveloperAndHasNoSystem", "openai", "o1",
       R"({"model":"g","messages":[{"role":"developer"},{"role":"system"}]})",
       R"({"model":"o1","messages":[{"role":"developer"},{"role":"user"}]})"},
      {"OSeriesTemperatureOne", "openai", "o4-mini", R"({"model":"g","temperature":1.0})",
       R"({"model":"o4-mini","temperature":1.0})"},
      {"OSeriesTemperature", "openai", "o4-mini", R"({"model":"g","temperature":0.5})",
       "error: litellm.UnsupportedParamsError: openai does not support parameters: ['temperature'], for model=o4-mini. "},
      {"SeveralRefused", "openai", "o1", R"({"model":"g","top_p":0.5,"logprobs":true,"stop":"x"})",
       "error: litellm.UnsupportedParamsError: openai does not support parameters: ['top_p', 'logprobs'], for model=o1. "},
      {"NotOSeries", "openai", "o1x", R"({"model":"g","top_p":0.5})", R"({"model":"o1x","top_p":0.5})"},
      {"ChatGpt5IsFree", "openai", "gpt-5-chat-latest", R"({"model":"g","temperature":0.5})",
       R"({"model":"gpt-5-chat-latest","temperature":0.5})"},
      {"EffortRefused", "openai", "gpt-4o-mini", R"({"model":"g","reasoning_effort":"low"})",
       "error: litellm.UnsupportedParamsError: openai does not support parameters: ['reasoning_effort'], for model=gpt-4o-mini. "},
      {"EffortTaken", "openai", "o3", R"({"model":"g","reasoning_effort":"low"})",
       R"({"model":"o3","reasoning_effort":"low"})"},
      {"EffortOfOtherProviders", "custom_openai", "up", R"({"model":"g","reasoning_effort":"low"})",
       R"({"model":"up","reasoning_effort":"low"})"},
      {"DroppedByName", "openai", "o1", R"({"model":"g","top_p":0.5,"additional_drop_params":["top_p"]})",
       R"({"model":"o1"})"},
      {"DroppedByPath", "openai", "up",
       R"({"model":"g","tools":[{"function":{"strict":true,"name":"f"}}],"additional_drop_params":["tools[*].function.strict","model"]})",
       R"({"model":"up","tools":[{"function":{"name":"f"}}]})"},
      {"VllmThinking", "hosted_vllm", "up", R"({"model":"g","thinking":{"type":"enabled","budget_tokens":2048}})",
       R"({"model":"up","reasoning_effort":"medium"})"},
      {"VllmThinkingOff", "hosted_vllm", "up", R"({"model":"g","thinking":{"type":"disabled"},"n":1})",
       R"({"model":"up","n":1})"},
      {"VllmUser", "hosted_vllm", "up", R"({"model":"g","user":"u","top_k":1})", R"({"model":"up","top_k":1})"},
      {"VllmToolSchemas", "hosted_vllm", "up",
       R"({"model":"g","tools":[{"type":"function","strict":true,"function":{"strict":true,"parameters":{"properties":{"strict":{"type":"string"}},"additionalProperties":false}}}]})",
       R"({"model":"up","tools":[{"type":"function","function":{"parameters":{"properties":{"strict":{"type":"string"}}}}}]})"},
      {"MistralNames", "mistral", "up", R"({"model":"g","seed":1,"max_completion_tokens":5,"tool_choice":"required"})",
       R"({"model":"up","random_seed":1,"max_tokens":5,"tool_choice":"any"})"},
      {"ExtraBodyIsMerged", "openai", "up",
       R"({"model":"g","temperature":1,"foo":1,"extra_body":{"model":"stolen","stream":true,"temperature":2,"foo":2,"bar":3}})",
       R"({"model":"up","foo":1,"temperature":2,"bar":3})"},
  };
  for (const BodyCase& c : cases) {
    const Attempt attempt(c.provider, c.model, c.client);
    const std::string upstream = attempt.UpstreamBody();
    if (std::string_view(c.upstream).starts_with("error: ")) {
      EXPECT_TRUE(upstream.starts_with(c.upstream)) << c.name << ": " << upstream;
    } else {
      EXPECT_EQ(upstream, c.upstream) << c.name;
      EXPECT_EQ(json::ValidateUnpadded(upstream), nullptr) << c.name;
    }
  }
}

TEST(OpenAiRequest, DropParamsMakesRefusedParametersVanish) {
  Attempt attempt("openai", "o1", R"({"model":"g","top_p":0.5,"temperature":0.1,"seed":1})");
  attempt.target.drop_params = true;
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"o1","seed":1})");
}

TEST(OpenAiRequest, RefusedParameterIsTheClientsFault) {
  const Attempt attempt("openai", "up", R"({"model":"g","input":"a","dimensions":2})",
                        api::Endpoint::kEmbeddings);
  auto built = attempt.Make()->BuildRequest();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().cls, ErrorClass::kUnsupportedParams);
  EXPECT_EQ(built.error().status, 400);
  EXPECT_EQ(built.error().type, "invalid_request_error");
}

TEST(OpenAiRequest, DimensionsPassWhereTheModelKnowsThem) {
  for (const auto& [provider, model] : std::vector<std::pair<const char*, const char*>>{
           {"openai", "text-embedding-3-small"}, {"hosted_vllm", "bge"}}) {
    const Attempt attempt(provider, model, R"({"input":"a","dimensions":2})",
                          api::Endpoint::kEmbeddings);
    EXPECT_NE(attempt.UpstreamBody().find(R"("dimensions":2)"), std::string::npos) << provider;
  }
}

TEST(OpenAiRequest, DefaultsFillWhatTheClientLeftOut) {
  Attempt attempt("openai", "up", R"({"model":"g","temperature":0.9,"max_tokens":5})");
  attempt.deployment.default_params = {{"temperature", 0.25}, {"max_tokens", 50}, {"seed", 1},
                                       {"metadata", "m"}, {"model", "x"}};
  attempt.deployment.extra_body = json::Object{{"guided_choice", json::Array{"a"}}};
  EXPECT_EQ(attempt.UpstreamBody(),
            R"({"model":"up","temperature":0.9,"max_tokens":5,"guided_choice":["a"],"seed":1})");
}

TEST(OpenAiRequest, ANullOfTheClientSwitchesADefaultOff) {
  Attempt attempt("openai", "up", R"({"model":"g","temperature":null})");
  attempt.deployment.default_params = {{"temperature", 0.25}};
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"up"})");
}

TEST(OpenAiRequest, FallbackOverridesReplaceMembers) {
  Attempt attempt("openai", "up", R"({"model":"g","messages":[1],"n":1,"timeout":9})");
  attempt.overrides = {{"model", "t3"}, {"messages", json::Array{}}, {"timeout", 4}, {"n", nullptr}};
  attempt.request.overrides = &attempt.overrides;
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"up","messages":[]})");
}

TEST(OpenAiRequest, StreamsAreAskedForUsage) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"model":"g","stream":true})",
       R"({"model":"up","stream":true,"stream_options":{"include_usage":true}})"},
      {R"({"model":"g","stream":true,"stream_options":{}})",
       R"({"model":"up","stream":true,"stream_options":{"include_usage":true}})"},
      {R"({"model":"g","stream":true,"stream_options":{"a":1,"include_usage":false}})",
       R"({"model":"up","stream":true,"stream_options":{"a":1,"include_usage":true}})"},
      {R"({"model":"g","stream":true,"stream_options":{"a":1}})",
       R"({"model":"up","stream":true,"stream_options":{"a":1,"include_usage":true}})"},
      {R"({"model":"g","stream":true,"stream_options":null})",
       R"({"model":"up","stream":true,"stream_options":{"include_usage":true}})"},
      {R"({"model":"g","stream":true,"stream_options":7})",
       R"({"model":"up","stream":true,"stream_options":{"include_usage":true}})"},
      {R"({"model":"g","stream":true,"additional_drop_params":["stream_options"]})",
       R"({"model":"up","stream":true})"},
  };
  for (const auto& [client, upstream] : cases) {
    for (const auto endpoint : {api::Endpoint::kChat, api::Endpoint::kCompletions}) {
      Attempt attempt("openai", "up", client, endpoint);
      attempt.request.stream = true;
      EXPECT_EQ(attempt.UpstreamBody(), upstream);
    }
  }
}

TEST(OpenAiRequest, UntouchedBytesAreViewsOfTheClientsBody) {
  const std::string client = std::string(R"({"model":"g",)") + kHi + R"(,"temperature":0.5})";
  const Attempt attempt("openai", "up", client);
  auto built = attempt.Make()->BuildRequest();
  ASSERT_TRUE(built);
  ASSERT_EQ(built->body.pieces().size(), 3U);
  const char* begin = attempt.body.data();
  EXPECT_EQ(built->body.pieces().front().data(), begin);
  EXPECT_GT(built->body.pieces().back().data(), begin);
  EXPECT_LT(built->body.pieces().back().data(), begin + attempt.body.size());
}

TEST(OpenAiRequest, DeepJsonIsWalkedNotParsed) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const Attempt attempt("hosted_vllm", "up", R"({"model":"g","tools":)" + deep + "}");
  EXPECT_EQ(attempt.UpstreamBody(), R"({"model":"up","tools":)" + deep + "}");
}

std::string ShowHeaders(const Attempt& attempt) {
  auto built = attempt.Make()->BuildRequest();
  std::string shown;
  for (const auto& [name, value] : built->headers) shown += name + ": " + value + "\n";
  return shown;
}

TEST(OpenAiHeaders, KeyOrganizationAndExtras) {
  Attempt attempt("openai", "up", R"({"extra_headers":{"X-A":"1","x-team":"red"}})");
  attempt.deployment.organization = "org-1";
  attempt.deployment.extra_headers = {{"X-Team", "blue"}};
  EXPECT_EQ(ShowHeaders(attempt),
            "authorization: Bearer sk-upstream\nopenai-organization: org-1\nX-Team: red\nX-A: 1\n");
}

TEST(OpenAiHeaders, DummyKeyOrNone) {
  Attempt vllm("hosted_vllm", "up", "{}");
  vllm.deployment.api_key.clear();
  EXPECT_EQ(ShowHeaders(vllm), "authorization: Bearer fake-api-key\n");
  Attempt openai("openai", "up", "{}");
  openai.deployment.api_key.clear();
  EXPECT_EQ(ShowHeaders(openai), "");
}

TEST(OpenAiHeaders, ClientCannotChangeFramingOrCredentials) {
  const Attempt attempt("openai", "up",
                        R"({"extra_headers":{"Host":"h","content-LENGTH":"0","Transfer-Encoding":"chunked",
                            "Authorization":"Bearer x","api-key":"x","bad name":"1","ok":"a\r\nb: c",
                            "nul":"\u0000","number":5,"fine":"tab\tand \u00e9"}})");
  EXPECT_EQ(ShowHeaders(attempt), "authorization: Bearer sk-upstream\nfine: tab\tand \u00e9\n");
}

}  // namespace
}  // namespace gw::translate
