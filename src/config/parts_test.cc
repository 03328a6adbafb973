// Environment, addresses, providers and prices, each by itself.
#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/origin.h"
#include "config/price_map.h"
#include "config/provider_table.h"

namespace gw::config {
namespace {

Environment ProcessWith(std::string name, std::string value) {
  return Environment([name, value](std::string_view wanted) -> std::optional<std::string> {
    if (wanted == name) return value;
    return std::nullopt;
  });
}

TEST(Environment, FileWinsOverProcessAndProcessOverDotenv) {
  Environment env = ProcessWith("A", "process");
  env.AddDotenv("A=dotenv\nB=dotenv\n");
  EXPECT_EQ(env.Get("A"), "process");
  EXPECT_EQ(env.Get("B"), "dotenv");
  env.SetFromFile("A", "file");
  EXPECT_EQ(env.Get("A"), "file");
  EXPECT_FALSE(env.Get("C"));
}

TEST(Environment, DotenvHasQuotesCommentsAndExpansion) {
  Environment env = ProcessWith("HOST", "h");
  env.AddDotenv(
      "# comment\n export X = plain value # not this\nEMPTY=\nD=\"a\\n\\\"b\\\" ${HOST}\"\n"
      "S='raw ${HOST} \\n'\nU=http://${HOST}:${PORT:-80}/#x\nno equals sign\r\nCR=v\r\n");
  EXPECT_EQ(env.Get("X"), "plain value");
  EXPECT_EQ(env.Get("EMPTY"), "");
  EXPECT_EQ(env.Get("D"), "a\n\"b\" h");
  EXPECT_EQ(env.Get("S"), "raw ${HOST} \\n");
  EXPECT_EQ(env.Get("U"), "http://h:80/#x");
  EXPECT_EQ(env.Get("CR"), "v");
}

TEST(Environment, EmptyVariablesAreNoKeys) {
  EXPECT_FALSE(ProcessWith("A", "").FirstOf("A"));
  EXPECT_EQ(ProcessWith("B", "x").FirstOf("A,B"), "x");
}

TEST(Origin, TakesAddressesApart) {
  std::string why;
  const auto origin = ParseOrigin("https://Api.Example:8443/v1//", why);
  ASSERT_TRUE(origin) << why;
  EXPECT_TRUE(origin->tls);
  EXPECT_EQ(origin->host, "Api.Example");
  EXPECT_EQ(origin->port, 8443);
  EXPECT_EQ(origin->host_header, "Api.Example:8443");
  EXPECT_EQ(origin->base_path, "/v1");
}

TEST(Origin, DefaultPortsStayOutOfTheHostHeader) {
  std::string why;
  EXPECT_EQ(ParseOrigin("http://a:80", why)->host_header, "a");
  EXPECT_EQ(ParseOrigin("https://a", why)->port, 443);
  EXPECT_EQ(ParseOrigin("http://[::1]:8000/v1", why)->host, "::1");
  EXPECT_EQ(ParseOrigin("http://[::1]:8000/v1", why)->host_header, "[::1]:8000");
}

TEST(Origin, RefusesWhatCannotBeCalled) {
  std::string why;
  for (const char* url : {"", "a:80", "ftp://a", "http://", "http://a:0", "http://a:65536",
                          "http://a:x", "http://::1", "http://u:p@a", "http://a b", "http://[::1",
                          "http://[::1]x", "http://a\r\nHost: b"}) {
    EXPECT_FALSE(ParseOrigin(url, why)) << url;
    EXPECT_FALSE(why.empty());
  }
}

TEST(Providers, RowsAreCompleteAndUnique) {
  for (const ProviderRow& row : AllProviders()) {
    EXPECT_EQ(FindProvider(row.name), &row) << row.name;
    EXPECT_TRUE(row.exception_name.ends_with("Exception")) << row.name;
    std::string why;
    if (!row.default_base.empty()) {
      EXPECT_TRUE(ParseOrigin(row.default_base, why)) << row.name;
    }
  }
  EXPECT_EQ(FindProvider("nobody"), nullptr);
}

TEST(Providers, ExceptionNamesAreThoseOfLiteLlm) {
  EXPECT_EQ(FindProvider("openai")->exception_name, "OpenAIException");
  EXPECT_EQ(FindProvider("hosted_vllm")->exception_name, "Hosted_vllmException");
  EXPECT_EQ(FindProvider("ollama")->exception_name, "OllamaException");
  EXPECT_EQ(FindProvider("ollama_chat")->exception_name, "Ollama_chatException");
  EXPECT_EQ(FindProvider("anthropic")->exception_name, "AnthropicException");
  EXPECT_EQ(FindProvider("groq")->exception_name, "GroqException");
}

TEST(Providers, AreInferredFromWellKnownModels) {
  const auto name_of = [](std::string_view model) {
    const ProviderRow* row = InferProvider(model);
    return row == nullptr ? std::string_view() : row->name;
  };
  EXPECT_EQ(name_of("gpt-4o-mini"), "openai");
  EXPECT_EQ(name_of("o3-mini"), "openai");
  EXPECT_EQ(name_of("text-embedding-3-small"), "openai");
  EXPECT_EQ(name_of("chatgpt-4o-latest"), "openai");
  EXPECT_EQ(name_of("ft:gpt-4o:org::id"), "openai");
  EXPECT_EQ(name_of("gpt-3.5-turbo-instruct"), "text-completion-openai");
  EXPECT_EQ(name_of("claude-sonnet-4-5"), "anthropic");
  EXPECT_EQ(name_of("my-model"), "");
}

TEST(PriceMap, LooksUpWithProviderWithoutDateAndWithoutPrefix) {
  ModelFactsMap map;
  AddBuiltinFacts(map);
  ASSERT_FALSE(
      AddFactsFromJson(map, R"({"groq/only": {"litellm_provider": "groq"}, "plain": {}})"));
  EXPECT_EQ(FindModelFacts(map, "openai", "gpt-4o")->name, "gpt-4o");
  EXPECT_EQ(FindModelFacts(map, "openai", "gpt-4o-2030-01-02")->name, "gpt-4o");
  EXPECT_EQ(FindModelFacts(map, "openai", "gpt-4o-20300102"), nullptr);
  EXPECT_EQ(FindModelFacts(map, "openai", "gpt-4o:free"), nullptr);
  EXPECT_EQ(FindModelFacts(map, "openai", "GPT-4o")->name, "gpt-4o");
  EXPECT_EQ(FindModelFacts(map, "openai", "ft:gpt-4o:org::id"), nullptr);
  EXPECT_EQ(FindModelFacts(map, "groq", "only")->name, "groq/only");
  EXPECT_EQ(FindModelFacts(map, "hosted_vllm", "plain")->name, "plain");
}

// A self-hosted model that is called like a public one costs nothing.
TEST(PriceMap, OtherProvidersRowsDoNotFit) {
  ModelFactsMap map;
  AddBuiltinFacts(map);
  EXPECT_EQ(FindModelFacts(map, "hosted_vllm", "gpt-4o"), nullptr);
  EXPECT_EQ(FindModelFacts(map, "litellm_proxy", "gpt-4o")->name, "gpt-4o");
  EXPECT_EQ(FindBaseModelFacts(map, "hosted_vllm", "gpt-4o")->name, "gpt-4o");
  EXPECT_EQ(FindBaseModelFacts(map, "openai", "groq/llama-3.1-8b-instant")->name,
            "groq/llama-3.1-8b-instant");
}

TEST(PriceMap, BuiltInPricesAreThePublicOnes) {
  ModelFactsMap map;
  AddBuiltinFacts(map);
  const ModelFacts& mini = *FindModelFacts(map, "openai", "gpt-4o-mini");
  EXPECT_EQ(mini.price.input_cost_per_token, 1.5e-07);
  EXPECT_EQ(mini.price.output_cost_per_token, 6e-07);
  EXPECT_EQ(mini.price.cache_read_input_token_cost, 7.5e-08);
  EXPECT_EQ(mini.max_input_tokens, 128000);
  EXPECT_EQ(mini.max_tokens, 16384);
  EXPECT_EQ(mini.mode, "chat");
  const ModelFacts& haiku = *FindModelFacts(map, "anthropic", "claude-3-haiku-20240307");
  EXPECT_EQ(haiku.price.cache_creation_input_token_cost, 3e-07);
  EXPECT_EQ(haiku.max_output_tokens, 4096);
  EXPECT_EQ(FindModelFacts(map, "openai", "text-embedding-3-small")->mode, "embedding");
}

}  // namespace
}  // namespace gw::config
