#include "admin/model_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/test_snapshot.h"

namespace gw::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The operator's four rows of the conformance kit, as the loader leaves them.
TestSnapshot Story() {
  TestSnapshot snapshot;
  config::ModelFacts& gpt = snapshot.AddFacts("gpt-4o", "openai", "chat");
  gpt.max_tokens = 16384;
  gpt.max_input_tokens = 128000;
  gpt.max_output_tokens = 16384;
  gpt.price.input_cost_per_token = 2.5e-06;
  gpt.raw["supports_vision"] = true;
  config::Deployment& vllm = snapshot.Add("vllm-qwen", "openai/ok.qwen", "tier1-vllm");
  vllm.mode = "chat";
  vllm.model_info["mode"] = "chat";
  vllm.model_info["max_input_tokens"] = 32768;
  vllm.price.input_cost_per_token = 1e-06;
  vllm.price.output_cost_per_token = 2e-06;
  vllm.has_custom_price = true;
  vllm.api_key = "sk-vllm-secret";
  snapshot.Add("ollama-qwen", "ollama_chat/ok:8b", "tier2-ollama");
  config::Deployment& openai = snapshot.Add("openai-gpt-4o", "openai/gpt-4o", "tier3-openai");
  openai.facts = &gpt;
  openai.mode = "chat";
  config::Deployment& embed = snapshot.Add("embedder", "openai/ok-embed", "tier1-embed");
  embed.mode = "embedding";
  embed.model_info["mode"] = "embedding";
  return snapshot;
}

std::vector<std::string> Ids(const Answer& answer) {
  std::vector<std::string> ids;
  const auto tree = json::ParseTree(answer.body);
  if (!tree) return ids;
  for (const json::Value& entry : tree->at("data").as_array())
    ids.emplace_back(json::GetString(entry.as_object(), "id"));
  return ids;
}

json::Object InfoOf(const Answer& answer, size_t row) {
  return json::ParseTree(answer.body)->at("data").as_array().at(row).at("model_info").as_object();
}

TEST(Models, ListIsTheGoldenOne) {
  TestSnapshot snapshot = Story();
  EXPECT_EQ(
      ListModelsAnswer(*snapshot, "").body,
      R"({"data":[{"id":"vllm-qwen","object":"model","created":1677610602,"owned_by":"openai",)"
      R"("mode":"chat","max_input_tokens":32768},)"
      R"({"id":"ollama-qwen","object":"model","created":1677610602,"owned_by":"openai"},)"
      R"({"id":"openai-gpt-4o","object":"model","created":1677610602,"owned_by":"openai",)"
      R"("mode":"chat","max_input_tokens":128000,"max_output_tokens":16384},)"
      R"({"id":"embedder","object":"model","created":1677610602,"owned_by":"openai",)"
      R"("mode":"embedding"}],"object":"list"})");
}

TEST(Models, EmptyConfigurationGivesAnEmptyList) {
  EXPECT_EQ(ListModelsAnswer(config::Snapshot(), "").body, R"({"data":[],"object":"list"})");
}

TEST(Models, RowsOfOneNameAreListedOnceWithTheLargestLimits) {
  TestSnapshot snapshot;
  snapshot.Add("a", "openai/x", "1").model_info["max_input_tokens"] = 1000;
  snapshot.Add("b", "openai/y", "2");
  snapshot.Add("a", "openai/z", "3").model_info["max_input_tokens"] = 4000;
  const Answer answer = ListModelsAnswer(*snapshot, "");
  EXPECT_THAT(Ids(answer), ElementsAre("a", "b"));
  EXPECT_THAT(answer.body, HasSubstr(R"("max_input_tokens":4000)"));
}

TestSnapshot Wildcards() {
  TestSnapshot snapshot;
  snapshot.AddFacts("gpt-4o", "openai", "chat");
  snapshot.AddFacts("gpt-4o-mini", "openai", "chat");
  snapshot.AddFacts("ollama/llama2", "ollama", "chat");
  snapshot.AddFacts("claude-x", "anthropic", "chat");
  snapshot.Add("wild/*", "openai/*", "id-wild");
  snapshot.Add("mini/*-x", "openai/gpt-4o-*", "id-mini");
  snapshot.Add("oll/*", "ollama_chat/*", "id-oll");
  snapshot.Add("wild/exact", "openai/ok.exact", "id-exact");
  snapshot.Add("real", "openai/ok.real", "id-real");
  snapshot->router.aliases = {{"alias-real", "real", false}, {"alias-hidden", "real", true}};
  return snapshot;
}

TEST(Models, AliasesComeFirstThenNamesThenWhatPatternsReach) {
  TestSnapshot snapshot = Wildcards();
  EXPECT_THAT(Ids(ListModelsAnswer(*snapshot, "")),
              ElementsAre("alias-real", "wild/exact", "real", "wild/gpt-4o", "wild/gpt-4o-mini",
                          "mini/mini-x", "oll/llama2"));
}

TEST(Models, PatternsAreListedOnlyOnRequest) {
  TestSnapshot snapshot = Wildcards();
  EXPECT_THAT(Ids(ListModelsAnswer(*snapshot, "")), Not(testing::Contains("wild/*")));
  EXPECT_THAT(Ids(ListModelsAnswer(*snapshot, "return_wildcard_routes=true")),
              testing::IsSupersetOf({"wild/*", "oll/*", "wild/gpt-4o"}));
}

TEST(Models, RetrieveNamesTheProvider) {
  TestSnapshot snapshot = Story();
  const Answer answer = GetModelAnswer(*snapshot, "ollama-qwen");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"id":"ollama-qwen","object":"model","created":1677610602,"owned_by":"ollama_chat"})");
  EXPECT_THAT(GetModelAnswer(*snapshot, "vllm-qwen").body,
              HasSubstr(R"("owned_by":"openai","mode":"chat","max_input_tokens":32768)"));
}

TEST(Models, RetrieveFindsAliasesPatternsAndWhatTheyReach) {
  TestSnapshot snapshot = Wildcards();
  for (const char* name :
       {"alias-real", "wild/gpt-4o", "wild/anything/else", "wild/*", "wild/exact"})
    EXPECT_EQ(GetModelAnswer(*snapshot, name).status, 200) << name;
}

TEST(Models, RetrieveOfAnUnknownOrHiddenNameIs404) {
  TestSnapshot snapshot = Wildcards();
  EXPECT_EQ(GetModelAnswer(*snapshot, "nope").body,
            R"({"detail":"The model `nope` does not exist or is not accessible"})");
  for (const char* name : {"nope", "alias-hidden", "", "id-real"})
    EXPECT_EQ(GetModelAnswer(*snapshot, name).status, 404) << name;
}

TEST(ModelInfo, DescribesEveryDeploymentWithoutItsKey) {
  TestSnapshot snapshot = Story();
  const Answer answer = ModelInfoAnswer(*snapshot, "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
  const json::Object info = InfoOf(answer, 0);
  EXPECT_EQ(json::GetString(info, "id"), "tier1-vllm");
  EXPECT_EQ(json::GetString(info, "key"), "openai/ok.qwen");
  EXPECT_EQ(json::GetString(info, "litellm_provider"), "openai");
  EXPECT_EQ(json::GetString(info, "mode"), "chat");
  EXPECT_EQ(json::GetInt(info, "max_tokens", 0), 32768);
  EXPECT_EQ(json::GetInt(info, "max_input_tokens", 0), 32768);
  EXPECT_TRUE(info.at("max_output_tokens").is_null());
  EXPECT_EQ(json::AsNumber(info.at("input_cost_per_token")), 1e-06);
  EXPECT_EQ(json::Serialize(info.at("pricing_overrides")),
            R"(["input_cost_per_token","output_cost_per_token"])");
  EXPECT_FALSE(info.at("db_model").as_bool());
  EXPECT_GE(info.at("supported_openai_params").as_array().size(), 30U);
}

TEST(ModelInfo, UnknownModelTellsItsIdOnly) {
  TestSnapshot snapshot = Story();
  const json::Object info = InfoOf(ModelInfoAnswer(*snapshot, ""), 1);
  EXPECT_EQ(json::Serialize(json::Value(info)),
            R"({"id":"tier2-ollama","db_model":false,"pricing_overrides":[],)"
            R"("member_auto_router":false})");
}

TEST(ModelInfo, PriceMapFactsAreShownUnderTheirKey) {
  TestSnapshot snapshot = Story();
  const json::Object info = InfoOf(ModelInfoAnswer(*snapshot, ""), 2);
  EXPECT_EQ(json::GetString(info, "key"), "gpt-4o");
  EXPECT_EQ(json::GetInt(info, "max_tokens", 0), 16384);
  EXPECT_EQ(json::AsNumber(info.at("input_cost_per_token")), 2.5e-06);
  EXPECT_TRUE(info.at("output_cost_per_token").is_null());
  EXPECT_TRUE(info.at("supports_vision").as_bool());
  EXPECT_TRUE(info.at("pricing_overrides").as_array().empty());
}

TEST(ModelInfo, OneDeploymentById) {
  TestSnapshot snapshot = Story();
  const Answer answer = ModelInfoAnswer(*snapshot, "litellm_model_id=tier2-ollama");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::ParseTree(answer.body)->at("data").as_array().size(), 1U);
  const Answer unknown = ModelInfoAnswer(*snapshot, "litellm_model_id=nope");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.body, R"({"detail":{"error":"Model id = nope not found on litellm proxy"}})");
}

TEST(ModelGroupInfo, AddsUpTheRowsOfAGroup) {
  TestSnapshot snapshot;
  config::Deployment& first = snapshot.Add("g", "openai/x", "1");
  first.rpm = 10;
  first.price.input_cost_per_token = 1e-06;
  first.model_info["max_input_tokens"] = 1000;
  config::Deployment& second = snapshot.Add("g", "ollama_chat/y", "2");
  second.rpm = 5;
  second.price.input_cost_per_token = 3e-06;
  second.model_info["supports_vision"] = true;
  snapshot.Add("other", "openai/z", "3");
  const Answer answer = ModelGroupInfoAnswer(*snapshot, "model_group=g");
  const auto tree = json::ParseTree(answer.body);
  const json::Array& data = tree->at("data").as_array();
  ASSERT_EQ(data.size(), 1U);
  const json::Object& group = data.at(0).as_object();
  EXPECT_EQ(json::GetString(group, "model_group"), "g");
  EXPECT_EQ(json::Serialize(group.at("providers")), R"(["openai","ollama_chat"])");
  EXPECT_EQ(json::GetInt(group, "rpm", 0), 15);
  EXPECT_TRUE(group.at("tpm").is_null());
  EXPECT_EQ(json::AsNumber(group.at("input_cost_per_token")), 3e-06);
  EXPECT_TRUE(group.at("supports_vision").as_bool());
  EXPECT_FALSE(group.at("supports_reasoning").as_bool());
}

TEST(ModelGroupInfo, ListsEachGroupOnce) {
  TestSnapshot snapshot = Story();
  const auto tree = json::ParseTree(ModelGroupInfoAnswer(*snapshot, "").body);
  EXPECT_EQ(tree->at("data").as_array().size(), 4U);
  EXPECT_EQ(ModelGroupInfoAnswer(*snapshot, "model_group=nope").body, R"({"data":[]})");
}

}  // namespace
}  // namespace gw::admin
