// Public list prices of well-known models, in USD per token, for operators without a price map.
// A file given by LITELLM_MODEL_COST_MAP_URL replaces rows of the same name.
#include "config/price_map.h"

namespace gw::config {
namespace {

struct Row {
  std::string_view name;
  std::string_view provider;
  std::string_view mode;
  int64_t input_tokens_max;
  int64_t output_tokens_max;  // 0: none, as of embeddings
  double input;
  double output;
  double cache_read = 0;  // 0: no price of its own
  double cache_creation = 0;
  // t tools, v vision, j JSON schema answers, c prompt caching, r reasoning, p PDF input.
  std::string_view abilities = "";
};

constexpr std::string_view kOpenAi = "openai";
constexpr std::string_view kAnthropic = "anthropic";
constexpr std::string_view kChat = "chat";
constexpr std::string_view kEmbedding = "embedding";

// One row per line, whatever its length.
// clang-format off
constexpr Row kRows[] = {
    {"gpt-4o", kOpenAi, kChat, 128000, 16384, 2.5e-06, 1e-05, 1.25e-06, 0, "tvjcp"},
    {"gpt-4o-2024-05-13", kOpenAi, kChat, 128000, 4096, 5e-06, 1.5e-05, 0, 0, "tvp"},
    {"gpt-4o-2024-08-06", kOpenAi, kChat, 128000, 16384, 2.5e-06, 1e-05, 1.25e-06, 0, "tvjcp"},
    {"gpt-4o-2024-11-20", kOpenAi, kChat, 128000, 16384, 2.5e-06, 1e-05, 1.25e-06, 0, "tvjcp"},
    {"gpt-4o-mini", kOpenAi, kChat, 128000, 16384, 1.5e-07, 6e-07, 7.5e-08, 0, "tvjcp"},
    {"gpt-4o-mini-2024-07-18", kOpenAi, kChat, 128000, 16384, 1.5e-07, 6e-07, 7.5e-08, 0, "tvjcp"},
    {"gpt-4.1", kOpenAi, kChat, 1047576, 32768, 2e-06, 8e-06, 5e-07, 0, "tvjcp"},
    {"gpt-4.1-2025-04-14", kOpenAi, kChat, 1047576, 32768, 2e-06, 8e-06, 5e-07, 0, "tvjcp"},
    {"gpt-4.1-mini", kOpenAi, kChat, 1047576, 32768, 4e-07, 1.6e-06, 1e-07, 0, "tvjcp"},
    {"gpt-4.1-mini-2025-04-14", kOpenAi, kChat, 1047576, 32768, 4e-07, 1.6e-06, 1e-07, 0, "tvjcp"},
    {"gpt-4.1-nano", kOpenAi, kChat, 1047576, 32768, 1e-07, 4e-07, 2.5e-08, 0, "tvjcp"},
    {"gpt-4.1-nano-2025-04-14", kOpenAi, kChat, 1047576, 32768, 1e-07, 4e-07, 2.5e-08, 0, "tvjcp"},
    {"gpt-5", kOpenAi, kChat, 272000, 128000, 1.25e-06, 1e-05, 1.25e-07, 0, "tvjcrp"},
    {"gpt-5-mini", kOpenAi, kChat, 272000, 128000, 2.5e-07, 2e-06, 2.5e-08, 0, "tvjcrp"},
    {"gpt-5-nano", kOpenAi, kChat, 272000, 128000, 5e-08, 4e-07, 5e-09, 0, "tvjcrp"},
    {"gpt-5.1", kOpenAi, kChat, 272000, 128000, 1.25e-06, 1e-05, 1.25e-07, 0, "tvjcrp"},
    {"gpt-4-turbo", kOpenAi, kChat, 128000, 4096, 1e-05, 3e-05, 0, 0, "tv"},
    {"gpt-4-turbo-2024-04-09", kOpenAi, kChat, 128000, 4096, 1e-05, 3e-05, 0, 0, "tv"},
    {"gpt-4", kOpenAi, kChat, 8192, 4096, 3e-05, 6e-05, 0, 0, "t"},
    {"gpt-4-0613", kOpenAi, kChat, 8192, 4096, 3e-05, 6e-05, 0, 0, "t"},
    {"gpt-3.5-turbo", kOpenAi, kChat, 16385, 4096, 5e-07, 1.5e-06, 0, 0, "t"},
    {"gpt-3.5-turbo-0125", kOpenAi, kChat, 16385, 4096, 5e-07, 1.5e-06, 0, 0, "t"},
    {"gpt-3.5-turbo-instruct", "text-completion-openai", "completion", 8192, 4096, 1.5e-06, 2e-06},
    {"davinci-002", "text-completion-openai", "completion", 16384, 4096, 2e-06, 2e-06},
    {"babbage-002", "text-completion-openai", "completion", 16384, 4096, 4e-07, 4e-07},
    {"o1", kOpenAi, kChat, 200000, 100000, 1.5e-05, 6e-05, 7.5e-06, 0, "tvjcrp"},
    {"o1-2024-12-17", kOpenAi, kChat, 200000, 100000, 1.5e-05, 6e-05, 7.5e-06, 0, "tvjcrp"},
    {"o1-mini", kOpenAi, kChat, 128000, 65536, 1.1e-06, 4.4e-06, 5.5e-07, 0, "cr"},
    {"o3", kOpenAi, kChat, 200000, 100000, 2e-06, 8e-06, 5e-07, 0, "tvjcrp"},
    {"o3-2025-04-16", kOpenAi, kChat, 200000, 100000, 2e-06, 8e-06, 5e-07, 0, "tvjcrp"},
    {"o3-mini", kOpenAi, kChat, 200000, 100000, 1.1e-06, 4.4e-06, 5.5e-07, 0, "tjcr"},
    {"o3-mini-2025-01-31", kOpenAi, kChat, 200000, 100000, 1.1e-06, 4.4e-06, 5.5e-07, 0, "tjcr"},
    {"o4-mini", kOpenAi, kChat, 200000, 100000, 1.1e-06, 4.4e-06, 2.75e-07, 0, "tvjcrp"},
    {"o4-mini-2025-04-16", kOpenAi, kChat, 200000, 100000, 1.1e-06, 4.4e-06, 2.75e-07, 0, "tvjcrp"},
    {"text-embedding-3-small", kOpenAi, kEmbedding, 8191, 0, 2e-08, 0},
    {"text-embedding-3-large", kOpenAi, kEmbedding, 8191, 0, 1.3e-07, 0},
    {"text-embedding-ada-002", kOpenAi, kEmbedding, 8191, 0, 1e-07, 0},

    {"claude-3-haiku-20240307", kAnthropic, kChat, 200000, 4096, 2.5e-07, 1.25e-06, 3e-08, 3e-07, "tvjc"},
    {"claude-3-sonnet-20240229", kAnthropic, kChat, 200000, 4096, 3e-06, 1.5e-05, 0, 0, "tvj"},
    {"claude-3-opus-20240229", kAnthropic, kChat, 200000, 4096, 1.5e-05, 7.5e-05, 1.5e-06, 1.875e-05, "tvjc"},
    {"claude-3-5-haiku-20241022", kAnthropic, kChat, 200000, 8192, 8e-07, 4e-06, 8e-08, 1e-06, "tvjcp"},
    {"claude-3-5-haiku-latest", kAnthropic, kChat, 200000, 8192, 8e-07, 4e-06, 8e-08, 1e-06, "tvjcp"},
    {"claude-3-5-sonnet-20240620", kAnthropic, kChat, 200000, 8192, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcp"},
    {"claude-3-5-sonnet-20241022", kAnthropic, kChat, 200000, 8192, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcp"},
    {"claude-3-5-sonnet-latest", kAnthropic, kChat, 200000, 8192, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcp"},
    {"claude-3-7-sonnet-20250219", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-3-7-sonnet-latest", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-sonnet-4-20250514", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-sonnet-4-0", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-sonnet-4-5-20250929", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-sonnet-4-5", kAnthropic, kChat, 200000, 64000, 3e-06, 1.5e-05, 3e-07, 3.75e-06, "tvjcrp"},
    {"claude-haiku-4-5-20251001", kAnthropic, kChat, 200000, 64000, 1e-06, 5e-06, 1e-07, 1.25e-06, "tvjcrp"},
    {"claude-haiku-4-5", kAnthropic, kChat, 200000, 64000, 1e-06, 5e-06, 1e-07, 1.25e-06, "tvjcrp"},
    {"claude-opus-4-20250514", kAnthropic, kChat, 200000, 32000, 1.5e-05, 7.5e-05, 1.5e-06, 1.875e-05, "tvjcrp"},
    {"claude-opus-4-0", kAnthropic, kChat, 200000, 32000, 1.5e-05, 7.5e-05, 1.5e-06, 1.875e-05, "tvjcrp"},
    {"claude-opus-4-1-20250805", kAnthropic, kChat, 200000, 32000, 1.5e-05, 7.5e-05, 1.5e-06, 1.875e-05, "tvjcrp"},
    {"claude-opus-4-1", kAnthropic, kChat, 200000, 32000, 1.5e-05, 7.5e-05, 1.5e-06, 1.875e-05, "tvjcrp"},
    {"claude-opus-4-5-20251101", kAnthropic, kChat, 200000, 64000, 5e-06, 2.5e-05, 5e-07, 6.25e-06, "tvjcrp"},
    {"claude-opus-4-5", kAnthropic, kChat, 200000, 64000, 5e-06, 2.5e-05, 5e-07, 6.25e-06, "tvjcrp"},

    {"gemini/gemini-2.0-flash", "gemini", kChat, 1048576, 8192, 1e-07, 4e-07, 2.5e-08, 0, "tvjcp"},
    {"gemini/gemini-2.5-flash", "gemini", kChat, 1048576, 65535, 3e-07, 2.5e-06, 0, 0, "tvjcrp"},
    {"gemini/gemini-2.5-flash-lite", "gemini", kChat, 1048576, 65535, 1e-07, 4e-07, 0, 0, "tvjcrp"},
    {"gemini/gemini-2.5-pro", "gemini", kChat, 1048576, 65535, 1.25e-06, 1e-05, 0, 0, "tvjcrp"},
    {"mistral/mistral-small-latest", "mistral", kChat, 131072, 131072, 1e-07, 3e-07, 0, 0, "t"},
    {"mistral/mistral-large-2411", "mistral", kChat, 128000, 128000, 2e-06, 6e-06, 0, 0, "t"},
    {"mistral/mistral-medium-2505", "mistral", kChat, 131072, 131072, 4e-07, 2e-06, 0, 0, "t"},
    {"mistral/codestral-2501", "mistral", kChat, 256000, 256000, 3e-07, 9e-07},
    {"mistral/mistral-embed", "mistral", kEmbedding, 8192, 0, 1e-07, 0},
    {"groq/llama-3.3-70b-versatile", "groq", kChat, 128000, 32768, 5.9e-07, 7.9e-07, 0, 0, "t"},
    {"groq/llama-3.1-8b-instant", "groq", kChat, 128000, 8192, 5e-08, 8e-08, 0, 0, "t"},
    {"groq/llama3-70b-8192", "groq", kChat, 8192, 8192, 5.9e-07, 7.9e-07, 0, 0, "t"},
    {"groq/llama3-8b-8192", "groq", kChat, 8192, 8192, 5e-08, 8e-08, 0, 0, "t"},
    {"deepseek/deepseek-chat", "deepseek", kChat, 128000, 8192, 2.8e-07, 4.2e-07, 2.8e-08, 0, "tc"},
    {"deepseek/deepseek-reasoner", "deepseek", kChat, 128000, 64000, 2.8e-07, 4.2e-07, 2.8e-08, 0, "cr"},
    {"xai/grok-3", "xai", kChat, 131072, 131072, 3e-06, 1.5e-05, 0, 0, "t"},
    {"xai/grok-3-mini", "xai", kChat, 131072, 131072, 3e-07, 5e-07, 0, 0, "tr"},
    {"xai/grok-4", "xai", kChat, 256000, 256000, 3e-06, 1.5e-05, 0, 0, "tr"},
};
// clang-format on

struct Ability {
  char letter;
  std::string_view field;
};

constexpr Ability kAbilities[] = {
    {'t', "supports_function_calling"}, {'t', "supports_tool_choice"},
    {'v', "supports_vision"},           {'j', "supports_response_schema"},
    {'c', "supports_prompt_caching"},   {'r', "supports_reasoning"},
    {'p', "supports_pdf_input"},
};

struct Extra {
  std::string_view model;
  std::string_view field;
  double value;
};

constexpr Extra kExtras[] = {
    {"gpt-4o", "input_cost_per_token_batches", 1.25e-06},
    {"gpt-4o", "output_cost_per_token_batches", 5e-06},
    {"gpt-4o", "input_cost_per_token_priority", 4.25e-06},
    {"gpt-4o", "output_cost_per_token_priority", 1.7e-05},
    {"gpt-4o", "cache_read_input_token_cost_priority", 2.125e-06},
};

json::Object RawOf(const Row& row) {
  json::Object raw;
  const auto text = [](std::string_view s) { return boost::json::string(s.data(), s.size()); };
  raw["litellm_provider"] = text(row.provider);
  raw["mode"] = text(row.mode);
  raw["max_input_tokens"] = row.input_tokens_max;
  raw["max_tokens"] = row.output_tokens_max > 0 ? row.output_tokens_max : row.input_tokens_max;
  if (row.output_tokens_max > 0) raw["max_output_tokens"] = row.output_tokens_max;
  raw["input_cost_per_token"] = row.input;
  raw["output_cost_per_token"] = row.output;
  if (row.cache_read > 0) raw["cache_read_input_token_cost"] = row.cache_read;
  if (row.cache_creation > 0) raw["cache_creation_input_token_cost"] = row.cache_creation;
  for (const Extra& extra : kExtras) {
    if (extra.model == row.name) {
      raw[boost::json::string_view(extra.field.data(), extra.field.size())] = extra.value;
    }
  }
  for (const Ability& ability : kAbilities) {
    if (row.abilities.find(ability.letter) == std::string_view::npos) continue;
    raw[boost::json::string_view(ability.field.data(), ability.field.size())] = true;
  }
  if (row.mode == kChat && row.name != "o1-mini") raw["supports_system_messages"] = true;
  if (row.provider == kOpenAi && row.abilities.starts_with("tv")) {
    raw["supports_parallel_function_calling"] = true;
  }
  return raw;
}

}  // namespace

void AddBuiltinFacts(ModelFactsMap& map) {
  for (const Row& row : kRows) {
    auto facts = std::make_unique<ModelFacts>();
    facts->name = row.name;
    facts->litellm_provider = row.provider;
    facts->mode = row.mode;
    facts->raw = RawOf(row);
    facts->max_input_tokens = row.input_tokens_max;
    if (row.output_tokens_max > 0) facts->max_output_tokens = row.output_tokens_max;
    facts->max_tokens = row.output_tokens_max > 0 ? row.output_tokens_max : row.input_tokens_max;
    facts->price = ReadPrice(facts->raw);
    map[facts->name] = std::move(facts);
  }
}

}  // namespace gw::config
