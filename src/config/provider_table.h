// Which providers exist, how they are reached and which wire dialect they speak.
// One row per provider: a new OpenAI-compatible provider is one row here and nothing else.
// Source of the rows: compat facts, "Upstream providers" sections 2, 3, 4 and 8.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gw::config {

enum class Dialect : uint8_t {
  kOpenAi,          // POST /chat/completions, /completions, /embeddings
  kOpenAiText,      // text-completion-*: always POST /completions
  kOllamaChat,      // POST /api/chat
  kOllamaGenerate,  // POST /api/generate
  kAnthropic,       // POST /v1/messages
};

struct ProviderRow {
  std::string_view name;            // prefix in litellm_params.model
  Dialect dialect;
  std::string_view default_base;    // empty: api_base is required
  std::string_view base_env;        // comma list, first set wins; empty = none
  std::string_view key_env;         // comma list
  std::string_view dummy_key;       // sent when no key is configured; empty = no Authorization
  std::string_view exception_name;  // "OpenAIException": the word in error messages
};

// nullptr when `name` is not a provider.
[[nodiscard]] const ProviderRow* FindProvider(std::string_view name);
// The provider of a model written without a prefix ("gpt-4o" -> openai); nullptr when unknown.
[[nodiscard]] const ProviderRow* InferProvider(std::string_view model);

// For the reference page.
[[nodiscard]] std::span<const ProviderRow> AllProviders();
// The provider whose public address `api_base` is; nullptr when it is none of ours.
[[nodiscard]] const ProviderRow* FindProviderByBase(std::string_view api_base);

}  // namespace gw::config
