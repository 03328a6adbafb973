#include "accounting/cost.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/strings.h"

namespace gw::accounting {
namespace {

// A snapshot with two known models and a deployment of the first.
class CostTest : public ::testing::Test {
 protected:
  CostTest() {
    deployment_.provider = "openai";
    deployment_.upstream_model = "gpt-4o-mini";
    deployment_.facts = AddFacts("gpt-4o-mini", "openai", Mini());
  }

  static config::Price One(std::optional<double> config::Price::*field, double price) {
    config::Price prices;
    prices.*field = price;
    return prices;
  }

  static config::Price Mini() {
    config::Price price;
    price.input_cost_per_token = 1.5e-7;
    price.output_cost_per_token = 6e-7;
    price.cache_read_input_token_cost = 7.5e-8;
    return price;
  }

  config::ModelFacts* AddFacts(const std::string& name, const std::string& provider,
                               const config::Price& price) {
    auto facts = std::make_unique<config::ModelFacts>();
    facts->name = name;
    facts->litellm_provider = provider;
    facts->price = price;
    config::ModelFacts* added = facts.get();
    snapshot_.model_facts[name] = std::move(facts);
    return added;
  }

  static api::Usage Tokens(int64_t prompt, int64_t completion, int64_t cached = 0) {
    api::Usage usage;
    usage.prompt_tokens = prompt;
    usage.completion_tokens = completion;
    usage.total_tokens = prompt + completion;
    usage.cached_tokens = cached;
    return usage;
  }

  Cost Compute(const api::Usage& usage, double duration_s = 0) {
    return ComputeCost(snapshot_, deployment_, deployment_.upstream_model, usage, duration_s);
  }

  config::Snapshot snapshot_;
  config::Deployment deployment_;
};

TEST_F(CostTest, CachedTokensAreBilledAtTheCachePrice) {
  const Cost cost = Compute(Tokens(9, 2, 4));
  EXPECT_EQ(PythonFloat(cost.input), "7.5e-07");
  EXPECT_EQ(PythonFloat(cost.cache_read), "3e-07");
  EXPECT_EQ(PythonFloat(cost.output), "1.2e-06");
  EXPECT_EQ(PythonFloat(cost.total), "2.25e-06");
}

TEST_F(CostTest, PlainUsageOfTheCapturedCase) {
  EXPECT_EQ(PythonFloat(Compute(Tokens(11, 7)).total), "5.85e-06");
}

TEST_F(CostTest, UnknownModelCostsNothing) {
  deployment_.facts = nullptr;
  deployment_.upstream_model = "house-model";
  EXPECT_EQ(Compute(Tokens(100, 100)).total, 0);
}

TEST_F(CostTest, RowWithoutPriceCostsWhatTheModelOfItsAnswerCosts) {
  deployment_.facts = nullptr;
  deployment_.upstream_model = "house-model";
  api::Usage usage = Tokens(11, 7);
  for (const char* model : {"gpt-4o-mini", "openai/gpt-4o-mini", "gpt-4o-mini-2099-01-01", "GPT-4o-mini"}) {
    usage.answer_model = model;
    EXPECT_EQ(PythonFloat(Compute(usage).total), "5.85e-06") << model;
  }
  AddFacts("claude", "anthropic", Mini());
  for (const char* model : {"", "other", "azure/gpt-4o-mini", "claude", "openai/"}) {
    usage.answer_model = model;
    EXPECT_EQ(Compute(usage).total, 0) << model;
  }
}

TEST_F(CostTest, AnswersModelComesBeforeTheRowsOwnButBehindTheOperators) {
  AddFacts("dear", "openai", One(&config::Price::input_cost_per_token, 1.0));
  api::Usage usage = Tokens(10, 0);
  usage.answer_model = "dear";
  EXPECT_DOUBLE_EQ(Compute(usage).total, 10);
  usage.answer_model = "unknown";
  EXPECT_DOUBLE_EQ(Compute(usage).total, 1.5e-6);
  usage.answer_model = "dear";
  deployment_.facts_of_base_model = true;
  EXPECT_DOUBLE_EQ(Compute(usage).total, 1.5e-6);
  deployment_.facts_of_base_model = false;
  deployment_.facts = nullptr;
  deployment_.upstream_model = "house-model";
  deployment_.has_custom_price = true;  // a price for cache reads, for example
  EXPECT_EQ(Compute(usage).total, 0);
}

TEST_F(CostTest, TextCompletionsOfOpenAiHavePricesOfTheirOwn) {
  AddFacts("instruct", "text-completion-openai", One(&config::Price::input_cost_per_token, 1.0));
  deployment_.facts = nullptr;
  deployment_.upstream_model = "instruct";
  api::Usage usage = Tokens(3, 0);
  EXPECT_EQ(Compute(usage).total, 0);  // as a chat
  usage.text_completion = true;
  EXPECT_DOUBLE_EQ(Compute(usage).total, 3.0);
  deployment_.upstream_model = "house-model";
  usage.answer_model = "instruct";
  EXPECT_DOUBLE_EQ(Compute(usage).total, 3.0);
  usage.answer_model = "gpt-4o-mini";  // a chat model
  EXPECT_EQ(Compute(usage).total, 0);
}

TEST_F(CostTest, OwnPricesWinButTheMapKnowsTheCache) {
  deployment_.price.input_cost_per_token = 1e-6;
  deployment_.price.output_cost_per_token = 2e-6;
  EXPECT_DOUBLE_EQ(Compute(Tokens(11, 7, 4)).total, 7 * 1e-6 + 4 * 7.5e-8 + 7 * 2e-6);
  deployment_.price.cache_read_input_token_cost = 1e-7;
  EXPECT_DOUBLE_EQ(Compute(Tokens(11, 7, 4)).cache_read, 4e-7);
  deployment_.price.cache_read_input_token_cost.reset();
  deployment_.facts = nullptr;
  EXPECT_DOUBLE_EQ(Compute(Tokens(11, 7, 4)).total, 11 * 1e-6 + 7 * 2e-6);
}

TEST_F(CostTest, OneOwnPriceStandsForAll) {
  deployment_.price.output_cost_per_token = 1e-5;
  EXPECT_DOUBLE_EQ(Compute(Tokens(9, 2, 4)).total, 2e-5);
  deployment_.price = One(&config::Price::input_cost_per_token, 1e-5);
  EXPECT_DOUBLE_EQ(Compute(Tokens(9, 2)).total, 9e-5);
  deployment_.price = One(&config::Price::input_cost_per_second, 0.5);
  EXPECT_DOUBLE_EQ(Compute(Tokens(9, 2), 3).total, 1.5);
}

TEST_F(CostTest, OwnPriceOfAPartCountsOnlyBesideOneOfTheWhole) {
  deployment_.price.cache_read_input_token_cost = 1.0;
  EXPECT_DOUBLE_EQ(Compute(Tokens(9, 2, 4)).cache_read, 3e-7);
}

TEST_F(CostTest, WildcardRowsFindTheModelThatWentUpstream) {
  deployment_.facts = nullptr;
  deployment_.upstream_model = "*";
  const Cost cost = ComputeCost(snapshot_, deployment_, "gpt-4o-mini", Tokens(10, 0), 0);
  EXPECT_DOUBLE_EQ(cost.total, 1.5e-6);
}

TEST_F(CostTest, ProviderQualifiedRowBeatsTheBareName) {
  deployment_.facts = nullptr;
  config::Price dear;
  dear.input_cost_per_token = 1.0;
  AddFacts("openai/gpt-4o-mini", "openai", dear);
  EXPECT_DOUBLE_EQ(Compute(Tokens(3, 0)).total, 3.0);
}

TEST_F(CostTest, RowOfAnotherProviderDoesNotCount) {
  deployment_.facts = nullptr;
  deployment_.provider = "ollama";
  EXPECT_EQ(Compute(Tokens(10, 10)).total, 0);
}

TEST_F(CostTest, BaseModelGivesThePrice) {
  deployment_.facts = nullptr;
  deployment_.upstream_model = "my-alias";
  deployment_.base_model = "gpt-4o-mini";
  EXPECT_DOUBLE_EQ(Compute(Tokens(10, 0)).total, 1.5e-6);
}

TEST_F(CostTest, ReasoningIsPartOfOutput) {
  api::Usage usage = Tokens(0, 10);
  usage.reasoning_tokens = 4;
  EXPECT_DOUBLE_EQ(Compute(usage).output, 10 * 6e-7);
  EXPECT_DOUBLE_EQ(Compute(usage).reasoning, 4 * 6e-7);
  deployment_.price = One(&config::Price::output_cost_per_token, 6e-7);
  deployment_.price.output_cost_per_reasoning_token = 1e-6;
  EXPECT_DOUBLE_EQ(Compute(usage).output, 6 * 6e-7 + 4 * 1e-6);
}

TEST_F(CostTest, CacheCreationAndAudioHaveTheirOwnPrices) {
  config::Price price = Mini();
  price.cache_creation_input_token_cost = 2e-7;
  price.input_cost_per_audio_token = 1e-5;
  price.output_cost_per_audio_token = 2e-5;
  deployment_.facts = AddFacts("audio", "openai", price);
  api::Usage usage = Tokens(20, 10);
  usage.cache_creation_tokens = 5;
  usage.prompt_audio_tokens = 3;
  usage.completion_audio_tokens = 4;
  const Cost cost = Compute(usage);
  EXPECT_DOUBLE_EQ(cost.cache_creation, 1e-6);
  EXPECT_DOUBLE_EQ(cost.input, 12 * 1.5e-7 + 3e-5);
  EXPECT_DOUBLE_EQ(cost.output, 6 * 6e-7 + 8e-5);
}

TEST_F(CostTest, PartsBeyondTheWholeNeverMakeACostNegative) {
  api::Usage usage = Tokens(3, 2, 100);
  usage.reasoning_tokens = 50;
  const Cost cost = Compute(usage);
  EXPECT_EQ(cost.input, 0);
  EXPECT_DOUBLE_EQ(cost.cache_read, 3 * 7.5e-8);
  EXPECT_DOUBLE_EQ(cost.output, 2 * 6e-7);
}

TEST_F(CostTest, WholeRequestTakesTheHighestTierItPasses) {
  config::ModelFacts* facts = AddFacts("long", "openai", Mini());
  facts->raw["input_cost_per_token_above_128k_tokens"] = 3e-7;
  facts->raw["output_cost_per_token_above_128k_tokens"] = 12e-7;
  facts->raw["input_cost_per_token_above_200k_tokens"] = 5e-7;
  facts->raw["cache_read_input_token_cost_above_200k_tokens"] = 1e-8;
  deployment_.facts = facts;
  EXPECT_DOUBLE_EQ(Compute(Tokens(128'000, 1)).total, 128'000 * 1.5e-7 + 6e-7);
  EXPECT_DOUBLE_EQ(Compute(Tokens(128'001, 1)).total, 128'001 * 3e-7 + 12e-7);
  const Cost cost = Compute(Tokens(200'001, 1, 1));
  EXPECT_DOUBLE_EQ(cost.input, 200'000 * 5e-7);
  EXPECT_DOUBLE_EQ(cost.cache_read, 1e-8);
  EXPECT_DOUBLE_EQ(cost.output, 6e-7);  // no output price in that tier
}

TEST_F(CostTest, OwnInputPriceIgnoresTheMapsTiers) {
  config::ModelFacts* facts = AddFacts("long", "openai", Mini());
  facts->raw["input_cost_per_token_above_128k_tokens"] = 3e-7;
  deployment_.facts = facts;
  deployment_.price.input_cost_per_token = 1e-6;
  EXPECT_DOUBLE_EQ(Compute(Tokens(130'000, 0)).input, 0.13);
}

TEST_F(CostTest, ServiceTierPicksItsPriceWhereThereIsOne) {
  config::ModelFacts* facts = AddFacts("tiered", "openai", Mini());
  facts->raw["input_cost_per_token_flex"] = 1e-7;
  deployment_.facts = facts;
  api::Usage usage = Tokens(10, 10);
  usage.service_tier = "flex";
  EXPECT_DOUBLE_EQ(Compute(usage).total, 10 * 1e-7 + 10 * 6e-7);
  usage.service_tier = "default";
  EXPECT_DOUBLE_EQ(Compute(usage).total, 10 * 1.5e-7 + 10 * 6e-7);
}

TEST_F(CostTest, SecondsAreBilledOnlyWithoutTokenPrices) {
  deployment_.facts = nullptr;
  deployment_.upstream_model = "house-model";
  deployment_.price.input_cost_per_second = 0.01;
  EXPECT_DOUBLE_EQ(Compute(Tokens(10, 10), 2.5).total, 0.025);
  deployment_.price.input_cost_per_token = 1e-6;
  EXPECT_DOUBLE_EQ(Compute(Tokens(10, 10), 2.5).total, 1e-5);
}

}  // namespace
}  // namespace gw::accounting
