// Which pairs of client endpoint and upstream dialect are served, and by which upstream route.
#include "translate/translator.h"

#include <gtest/gtest.h>

#include <string>

#include "translate/openai_test_support.h"

namespace gw::translate {
namespace {

struct PairCase {
  api::Endpoint endpoint;
  const char* provider;
  const char* path;  // of the upstream, or "400"
};

const char* BodyFor(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kCompletions: return R"({"model":"g","prompt":"p"})";
    case api::Endpoint::kEmbeddings: return R"({"model":"g","input":"i"})";
    default: return R"({"model":"g","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
  }
}

TEST(MakeTranslator, EveryPairHasItsRoute) {
  using api::Endpoint;
  const PairCase cases[] = {
      {Endpoint::kChat, "openai", "/chat/completions"},
      {Endpoint::kChat, "hosted_vllm", "/chat/completions"},
      {Endpoint::kChat, "ollama_chat", "/api/chat"},
      {Endpoint::kChat, "ollama", "/api/generate"},
      {Endpoint::kChat, "anthropic", "/v1/messages"},
      {Endpoint::kChat, "text-completion-openai", "400"},
      {Endpoint::kCompletions, "openai", "/completions"},
      {Endpoint::kCompletions, "text-completion-openai", "/completions"},
      {Endpoint::kCompletions, "anthropic", "/v1/messages"},
      {Endpoint::kEmbeddings, "openai", "/embeddings"},
      {Endpoint::kEmbeddings, "ollama", "/api/embed"},
      {Endpoint::kEmbeddings, "anthropic", "400"},
      {Endpoint::kMessages, "openai", "/chat/completions"},
      {Endpoint::kMessages, "anthropic", "/v1/messages"},
      {Endpoint::kMessages, "text-completion-openai", "400"},
  };
  for (const PairCase& c : cases) {
    const Attempt attempt(c.provider, "m", BodyFor(c.endpoint), c.endpoint);
    auto built = MakeTranslator(attempt.request, attempt.target)->BuildRequest();
    const std::string path = built ? built->path : std::to_string(built.error().status);
    EXPECT_EQ(path, c.path) << c.provider << " " << static_cast<int>(c.endpoint);
  }
}

TEST(MakeTranslator, ImpossiblePairIsTheClientsFault) {
  const Attempt attempt("anthropic", "m", R"({"model":"g","input":"i"})", api::Endpoint::kEmbeddings);
  const auto translator = MakeTranslator(attempt.request, attempt.target);
  auto built = translator->BuildRequest();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().cls, ErrorClass::kBadRequest);
  EXPECT_EQ(built.error().type, "invalid_request_error");
  std::string out;
  EXPECT_FALSE(translator->Feed("data", out));
  EXPECT_FALSE(translator->Finish(out));
  EXPECT_EQ(translator->usage().total_tokens, 0);
}

}  // namespace
}  // namespace gw::translate
