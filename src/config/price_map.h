// What is known about models: prices, context sizes, abilities.
//
// A built-in table, and over it the operator's file in LiteLLM's model_prices format. Lookup:
// provider facts, section 9.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json_tree.h"
#include "config/snapshot.h"

namespace gw::config {

using ModelFactsMap = std::unordered_map<std::string, std::unique_ptr<ModelFacts>>;

void AddBuiltinFacts(ModelFactsMap& map);
// `text`: JSON object name -> fields; its entries replace those already there. What is wrong, or
// nullopt.
[[nodiscard]] std::optional<std::string> AddFactsFromJson(ModelFactsMap& map,
                                                          std::string_view text);

// P/M, P/ + M without date or tag, M, M without date or tag, then the same in lower case; only rows
// of a fitting provider.
// nullptr: unknown, costs nothing.
[[nodiscard]] const ModelFacts* FindModelFacts(const ModelFactsMap& map, std::string_view provider,
                                               std::string_view model);
// A base_model: the operator named it, so any provider fits.
[[nodiscard]] const ModelFacts* FindBaseModelFacts(const ModelFactsMap& map,
                                                   std::string_view provider,
                                                   std::string_view base_model);

// The price fields of an object; absent ones stay unset.
[[nodiscard]] Price ReadPrice(const json::Object& fields);

// Names of the price fields that a Price holds.
struct PriceField {
  std::string_view name;
  std::optional<double> Price::*member;
};
inline constexpr PriceField kPriceFields[] = {
    {"input_cost_per_token", &Price::input_cost_per_token},
    {"output_cost_per_token", &Price::output_cost_per_token},
    {"input_cost_per_second", &Price::input_cost_per_second},
    {"output_cost_per_second", &Price::output_cost_per_second},
    {"cache_read_input_token_cost", &Price::cache_read_input_token_cost},
    {"cache_creation_input_token_cost", &Price::cache_creation_input_token_cost},
    {"output_cost_per_reasoning_token", &Price::output_cost_per_reasoning_token},
    {"input_cost_per_audio_token", &Price::input_cost_per_audio_token},
    {"output_cost_per_audio_token", &Price::output_cost_per_audio_token},
};

}  // namespace gw::config
