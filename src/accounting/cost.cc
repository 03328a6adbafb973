#include "accounting/cost.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "config/price_map.h"

namespace gw::accounting {
namespace {

// Prices per token that apply to one request, after overrides, tiers and service tier.
struct Rates {
  double input = 0, output = 0;
  double cache_read = 0, cache_creation = 0, reasoning = 0;
  double input_audio = 0, output_audio = 0;
  double input_per_second = 0, output_per_second = 0;
};

struct Tier {
  int64_t above_tokens;
  std::string_view suffix;
};
// Highest first: the highest threshold that the prompt passes prices the whole request.
constexpr std::array<Tier, 4> kTiers = {{{512'000, "_above_512k_tokens"},
                                         {272'000, "_above_272k_tokens"},
                                         {200'000, "_above_200k_tokens"},
                                         {128'000, "_above_128k_tokens"}}};

// A row of the map serves a provider when it is of that provider or of a branch of it:
// "vertex_ai-language-models" and "bedrock_converse" are branches, "azure_ai" is not one of azure.
[[nodiscard]] bool ServesProvider(const config::ModelFacts& facts, std::string_view provider) {
  const std::string_view of = facts.litellm_provider;
  if (of.empty() || of == provider) return true;
  const std::string name(provider);
  return of.starts_with(name + "-") || of == name + "_converse" ||
         name == "text-completion-" + std::string(of) || name == std::string(of) + "_chat";
}

[[nodiscard]] const config::ModelFacts* Lookup(const config::Snapshot& snapshot,
                                               const std::string& name,
                                               std::string_view provider) {
  const auto found = snapshot.model_facts.find(name);
  if (found == snapshot.model_facts.end() || found->second == nullptr) return nullptr;
  return ServesProvider(*found->second, provider) ? found->second.get() : nullptr;
}

// Does the operator bill this row by a price of his own?
[[nodiscard]] bool HasOwnBase(const config::Price& own) {
  return own.input_cost_per_token || own.output_cost_per_token || own.input_cost_per_second ||
         own.output_cost_per_second;
}

// What the operator named, else "provider/model", else "model" (provider facts 9).
[[nodiscard]] const config::ModelFacts* FindRowFacts(const config::Snapshot& snapshot,
                                                     const config::Deployment& deployment,
                                                     std::string_view upstream_model) {
  if (deployment.facts != nullptr) return deployment.facts;
  if (!deployment.base_model.empty()) {
    if (const auto* facts = Lookup(snapshot, deployment.base_model, deployment.provider)) {
      return facts;
    }
  }
  const std::string model(upstream_model);
  if (const auto* facts =
          Lookup(snapshot, deployment.provider + "/" + model, deployment.provider)) {
    return facts;
  }
  return Lookup(snapshot, model, deployment.provider);
}

// OpenAI's models for /v1/completions stand in the map under a provider of their own.
[[nodiscard]] bool IsTextOfOpenAi(const config::Deployment& deployment, const api::Usage& usage) {
  return usage.text_completion && deployment.provider == "openai" && deployment.facts == nullptr;
}

[[nodiscard]] const config::ModelFacts* FindTextFacts(const config::Snapshot& snapshot,
                                                      const config::Deployment& deployment,
                                                      std::string_view model,
                                                      const api::Usage& usage) {
  if (!IsTextOfOpenAi(deployment, usage)) return nullptr;
  return config::FindModelFacts(snapshot.model_facts, "text-completion-openai", model);
}

// The model that the answer names, if it is one of the row's provider.
[[nodiscard]] const config::ModelFacts* FindAnswerFacts(const config::Snapshot& snapshot,
                                                        const config::Deployment& deployment,
                                                        const api::Usage& usage) {
  std::string_view model = usage.answer_model;
  if (model.empty()) return nullptr;
  const std::string& provider = deployment.provider;
  if (model.starts_with(provider) && model.substr(provider.size()).starts_with('/')) {
    model.remove_prefix(provider.size() + 1);
  }
  if (IsTextOfOpenAi(deployment, usage)) return FindTextFacts(snapshot, deployment, model, usage);
  return config::FindModelFacts(snapshot.model_facts, provider, model);
}

// compat: what the answer names is what was served, and is billed; only a price or base_model of
// the operator's own comes before it.
[[nodiscard]] const config::ModelFacts* FindFacts(const config::Snapshot& snapshot,
                                                  const config::Deployment& deployment,
                                                  std::string_view upstream_model,
                                                  const api::Usage& usage) {
  if (HasOwnBase(deployment.price)) return deployment.facts;
  if (!deployment.has_custom_price && !deployment.facts_of_base_model) {
    if (const auto* facts = FindAnswerFacts(snapshot, deployment, usage)) return facts;
  }
  if (const auto* facts = FindRowFacts(snapshot, deployment, upstream_model)) return facts;
  return FindTextFacts(snapshot, deployment, upstream_model, usage);
}

[[nodiscard]] std::optional<double> RawPrice(const config::ModelFacts* facts,
                                             std::string_view field, std::string_view suffix) {
  if (facts == nullptr) return std::nullopt;
  const json::Value* value = json::Get(facts->raw, std::string(field) + std::string(suffix));
  return value == nullptr ? std::nullopt : json::AsNumber(*value);
}

// Which variant of the map's prices applies: a tier beats a service tier.
[[nodiscard]] std::string Variant(const config::ModelFacts* facts, const api::Usage& usage) {
  for (const Tier& tier : kTiers) {
    if (usage.prompt_tokens > tier.above_tokens &&
        RawPrice(facts, "input_cost_per_token", tier.suffix)) {
      return std::string(tier.suffix);
    }
  }
  if (usage.service_tier == "flex" || usage.service_tier == "priority") {
    return "_" + usage.service_tier;
  }
  return {};
}

// Picks prices field by field: the deployment's own, else the map's variant, else the map's plain.
class PriceSource {
 public:
  PriceSource(const config::Deployment& deployment, const config::ModelFacts* facts,
              const api::Usage& usage)
      : own_(deployment.price), facts_(facts), variant_(Variant(facts, usage)) {}

  using Field = std::optional<double> config::Price::*;

  // compat: one base price of the operator's stands for all of them: the others are 0.
  [[nodiscard]] std::optional<double> Base(Field field, std::string_view name) const {
    return HasOwnBase(own_) ? own_.*field : FromMap(field, name);
  }
  // A price that refines `base`. compat: the operator's own counts only beside a base price of his.
  [[nodiscard]] double Refined(Field field, std::string_view name, Field base,
                               double fallback) const {
    if (!HasOwnBase(own_)) return FromMap(field, name).value_or(fallback);
    if (own_.*field) return *(own_.*field);
    const bool is_of_cache = field == &config::Price::cache_read_input_token_cost ||
                             field == &config::Price::cache_creation_input_token_cost;
    // compat: what the map says of the cache stays true when the base price is replaced.
    const bool has_map_price = is_of_cache && (own_.*base).value_or(0) > 0 && facts_ != nullptr;
    return has_map_price ? (facts_->price.*field).value_or(fallback) : fallback;
  }

 private:
  [[nodiscard]] std::optional<double> FromMap(Field field, std::string_view name) const {
    if (facts_ == nullptr) return std::nullopt;
    if (!variant_.empty()) {
      if (const auto price = RawPrice(facts_, name, variant_)) return price;
    }
    return facts_->price.*field;
  }

  const config::Price& own_;
  const config::ModelFacts* facts_;
  const std::string variant_;
};

[[nodiscard]] Rates ComputeRates(const PriceSource& source) {
  using P = config::Price;
  Rates rates;
  const auto input = source.Base(&P::input_cost_per_token, "input_cost_per_token");
  const auto output = source.Base(&P::output_cost_per_token, "output_cost_per_token");
  rates.input = input.value_or(0);
  rates.output = output.value_or(0);
  // compat: without a cache price cached tokens cost what other input costs.
  rates.cache_read =
      source.Refined(&P::cache_read_input_token_cost, "cache_read_input_token_cost",
                     &P::input_cost_per_token, rates.input);
  rates.cache_creation =
      source.Refined(&P::cache_creation_input_token_cost, "cache_creation_input_token_cost",
                     &P::input_cost_per_token, rates.input);
  rates.input_audio = source.Refined(&P::input_cost_per_audio_token, "input_cost_per_audio_token",
                                     &P::input_cost_per_token, rates.input);
  rates.reasoning =
      source.Refined(&P::output_cost_per_reasoning_token, "output_cost_per_reasoning_token",
                     &P::output_cost_per_token, rates.output);
  rates.output_audio =
      source.Refined(&P::output_cost_per_audio_token, "output_cost_per_audio_token",
                     &P::output_cost_per_token, rates.output);
  // Time is billed only where tokens are not.
  if (!input) {
    rates.input_per_second =
        source.Base(&P::input_cost_per_second, "input_cost_per_second").value_or(0);
  }
  if (!output) {
    rates.output_per_second =
        source.Base(&P::output_cost_per_second, "output_cost_per_second").value_or(0);
  }
  return rates;
}

// Upstreams report parts that exceed their whole; a part never takes more than is left.
[[nodiscard]] double TakePart(int64_t& left, int64_t part) {
  const int64_t taken = std::clamp<int64_t>(part, 0, std::max<int64_t>(left, 0));
  left -= taken;
  return static_cast<double>(taken);
}

}  // namespace

Cost ComputeCost(const config::Snapshot& snapshot, const config::Deployment& deployment,
                 std::string_view upstream_model, const api::Usage& usage, double duration_s) {
  const config::ModelFacts* facts = FindFacts(snapshot, deployment, upstream_model, usage);
  const Rates rates = ComputeRates(PriceSource(deployment, facts, usage));
  // compat: a transcription costs by the length of its file, not by the time it took.
  const double seconds = std::max(0.0, usage.audio_seconds > 0 ? usage.audio_seconds : duration_s);

  int64_t input_left = std::max<int64_t>(usage.prompt_tokens, 0);
  const double cached = TakePart(input_left, usage.cached_tokens);
  const double created = TakePart(input_left, usage.cache_creation_tokens);
  const double input_audio = TakePart(input_left, usage.prompt_audio_tokens);
  int64_t output_left = std::max<int64_t>(usage.completion_tokens, 0);
  const double reasoning = TakePart(output_left, usage.reasoning_tokens);
  const double output_audio = TakePart(output_left, usage.completion_audio_tokens);

  Cost cost;
  cost.input = static_cast<double>(input_left) * rates.input + input_audio * rates.input_audio +
               seconds * rates.input_per_second;
  cost.cache_read = cached * rates.cache_read;
  cost.cache_creation = created * rates.cache_creation;
  cost.reasoning = reasoning * rates.reasoning;
  cost.output = static_cast<double>(output_left) * rates.output + cost.reasoning +
                output_audio * rates.output_audio + seconds * rates.output_per_second;
  // Input side first, then output: the order in which LiteLLM adds, to the last bit.
  cost.total = cost.input + cost.cache_read + cost.cache_creation + cost.output;
  return cost;
}

}  // namespace gw::accounting
