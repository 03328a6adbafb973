// Which providers are there?
#include "config/provider_table.h"

#include <array>

#include "base/strings.h"

namespace gw::config {
namespace {

constexpr std::string_view kFakeKey = "fake-api-key";
using enum Dialect;

// name, dialect, default base, base variables, key variables, dummy key, word in error messages.
// One row per line, whatever its length.
// clang-format off
constexpr ProviderRow kRows[] = {
    {"openai", kOpenAi, "https://api.openai.com/v1", "OPENAI_BASE_URL,OPENAI_API_BASE", "OPENAI_API_KEY", "", "OpenAIException"},
    {"custom_openai", kOpenAi, "", "OPENAI_LIKE_API_BASE", "OPENAI_LIKE_API_KEY", "", "Custom_openaiException"},
    {"openai_like", kOpenAi, "", "OPENAI_LIKE_API_BASE", "OPENAI_LIKE_API_KEY", "", "Openai_likeException"},
    {"text-completion-openai", kOpenAiText, "https://api.openai.com/v1", "OPENAI_BASE_URL,OPENAI_API_BASE", "OPENAI_API_KEY", "", "Text-completion-openaiException"},
    {"hosted_vllm", kOpenAi, "", "HOSTED_VLLM_API_BASE", "HOSTED_VLLM_API_KEY", kFakeKey, "Hosted_vllmException"},
    {"vllm", kOpenAi, "", "HOSTED_VLLM_API_BASE", "HOSTED_VLLM_API_KEY", kFakeKey, "VllmException"},
    {"lm_studio", kOpenAi, "", "LM_STUDIO_API_BASE", "LM_STUDIO_API_KEY", kFakeKey, "Lm_studioException"},
    {"llamafile", kOpenAi, "http://127.0.0.1:8080/v1", "LLAMAFILE_API_BASE", "LLAMAFILE_API_KEY", kFakeKey, "LlamafileException"},
    {"xinference", kOpenAi, "", "XINFERENCE_API_BASE", "XINFERENCE_API_KEY", "", "XinferenceException"},
    {"litellm_proxy", kOpenAi, "", "LITELLM_PROXY_API_BASE", "LITELLM_PROXY_API_KEY", "", "Litellm_proxyException"},
    {"docker_model_runner", kOpenAi, "http://localhost:22088/engines/llama.cpp", "DOCKER_MODEL_RUNNER_API_BASE", "DOCKER_MODEL_RUNNER_API_KEY", "dummy-key", "Docker_model_runnerException"},
    {"lemonade", kOpenAi, "http://localhost:8000/api/v1", "LEMONADE_API_BASE", "LEMONADE_API_KEY", "lemonade", "LemonadeException"},
    {"ollama", kOllamaGenerate, "http://localhost:11434", "OLLAMA_API_BASE", "OLLAMA_API_KEY", "", "OllamaException"},
    {"ollama_chat", kOllamaChat, "http://localhost:11434", "OLLAMA_API_BASE", "OLLAMA_API_KEY", "", "Ollama_chatException"},
    {"anthropic", kAnthropic, "https://api.anthropic.com", "ANTHROPIC_API_BASE,ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "", "AnthropicException"},
#include "config/provider_rows.inc"
};
// clang-format on

struct Inference {
  std::string_view pattern;
  std::string_view provider;
};

// A model without prefix; the first pattern that fits decides.
constexpr Inference kInferences[] = {
    {"gpt-3.5-turbo-instruct*", "text-completion-openai"},
    {"davinci-002", "text-completion-openai"},
    {"babbage-002", "text-completion-openai"},
    {"gpt-*", "openai"},
    {"chatgpt-*", "openai"},
    {"ft:gpt*", "openai"},
    {"o1*", "openai"},
    {"o3*", "openai"},
    {"o4*", "openai"},
    {"text-embedding-3-*", "openai"},
    {"text-embedding-ada-002*", "openai"},
    {"text-embedding-*", "openai"},
    {"computer-use-preview*", "openai"},
    {"codex-mini-*", "openai"},
    {"claude-*", "anthropic"},
    {"codestral-*", "mistral"},
    {"mistral-*", "mistral"},
    {"ministral-*", "mistral"},
    {"magistral-*", "mistral"},
    {"devstral-*", "mistral"},
    {"open-mistral-*", "mistral"},
    {"open-mixtral-*", "mistral"},
    {"pixtral-*", "mistral"},
    {"deepseek-chat", "deepseek"},
    {"deepseek-reasoner", "deepseek"},
    {"grok-*", "xai"},
};

}  // namespace

const ProviderRow* FindProvider(std::string_view name) {
  for (const ProviderRow& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const ProviderRow* InferProvider(std::string_view model) {
  for (const Inference& inference : kInferences) {
    // On the path of a request: reject by the pattern's literal start before matching.
    const std::string_view start = inference.pattern.substr(0, inference.pattern.find('*'));
    if (!model.starts_with(start)) continue;
    if (GlobMatch(inference.pattern, model, nullptr)) return FindProvider(inference.provider);
  }
  return nullptr;
}

std::span<const ProviderRow> AllProviders() { return kRows; }

const ProviderRow* FindProviderByBase(std::string_view api_base) {
  for (const ProviderRow& row : kRows) {
    if (row.default_base.starts_with("https://") && api_base.starts_with(row.default_base))
      return &row;
  }
  return nullptr;
}

}  // namespace gw::config
