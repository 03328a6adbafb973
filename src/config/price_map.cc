// What is known about a model, and under which name?
#include "config/price_map.h"

#include "base/strings.h"

namespace gw::config {
namespace {

std::optional<double> NumberOf(const json::Object& fields, std::string_view key) {
  const json::Value* value = json::Get(fields, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return ParseDouble(json::GetString(fields, key));
  return json::AsNumber(*value);
}

std::optional<int64_t> CountOf(const json::Object& fields, std::string_view key) {
  const auto number = NumberOf(fields, key);
  if (!number || *number < 0 || *number > 9e15) return std::nullopt;
  return static_cast<int64_t>(*number);
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// gpt-4o-2024-08-06 -> gpt-4o, ft:gpt-4o-mini:org::id -> ft:gpt-4o-mini; of Ollama also
// llama3:8b -> llama3. The same text when there is nothing to remove.
// compat: a date without dashes (-20240307) is part of the name, and so is any other tag.
std::string_view WithoutSuffix(std::string_view provider, std::string_view model) {
  const bool is_tuned = model.starts_with("ft:");
  const size_t from = is_tuned ? 3 : 0;
  const size_t colon = model.find(':', from);
  if (colon != std::string_view::npos && colon > from && (is_tuned || provider.starts_with("ollama"))) {
    return model.substr(0, colon);
  }
  if (model.size() > 11) {
    const std::string_view tail = model.substr(model.size() - 11);
    if (tail[0] == '-' && AllDigits(tail.substr(1, 4)) && tail[5] == '-' &&
        AllDigits(tail.substr(6, 2)) && tail[8] == '-' && AllDigits(tail.substr(9))) {
      return model.substr(0, model.size() - 11);
    }
  }
  return model;
}

bool FitsProvider(const ModelFacts& facts, std::string_view provider) {
  if (facts.litellm_provider.empty() || provider.empty()) return true;
  if (facts.litellm_provider == provider || provider == "litellm_proxy") return true;
  return provider == "fireworks_ai" && facts.litellm_provider.starts_with("fireworks_ai");
}

const ModelFacts* Lookup(const ModelFactsMap& map, std::string_view provider,
                         const std::string& name) {
  const auto found = map.find(name);
  if (found == map.end() || !FitsProvider(*found->second, provider)) return nullptr;
  return found->second.get();
}

}  // namespace

Price ReadPrice(const json::Object& fields) {
  Price price;
  for (const PriceField& field : kPriceFields) price.*field.member = NumberOf(fields, field.name);
  return price;
}

std::optional<std::string> AddFactsFromJson(ModelFactsMap& map, std::string_view text) {
  auto tree = json::ParseTree(text);
  if (!tree || !tree->is_object()) return "not a JSON object of models";
  for (auto& member : tree->get_object()) {
    const std::string name(member.key());
    if (name == "sample_spec" || !member.value().is_object()) continue;
    auto facts = std::make_unique<ModelFacts>();
    facts->name = name;
    facts->raw = std::move(member.value().get_object());
    facts->litellm_provider = json::GetString(facts->raw, "litellm_provider");
    facts->mode = json::GetString(facts->raw, "mode");
    facts->max_tokens = CountOf(facts->raw, "max_tokens");
    facts->max_input_tokens = CountOf(facts->raw, "max_input_tokens");
    facts->max_output_tokens = CountOf(facts->raw, "max_output_tokens");
    facts->price = ReadPrice(facts->raw);
    map[name] = std::move(facts);
  }
  return std::nullopt;
}

const ModelFacts* FindModelFacts(const ModelFactsMap& map, std::string_view provider,
                                 std::string_view model) {
  const std::string prefix = std::string(provider) + "/";
  const std::string_view bare = WithoutSuffix(provider, model);
  for (const std::string& name : {prefix + std::string(model), prefix + std::string(bare),
                                  std::string(model), std::string(bare)}) {
    if (const ModelFacts* facts = Lookup(map, provider, name)) return facts;
  }
  // compat: names are also found in another case; most of the map's are lower.
  const std::string lower = ToLower(model);
  return lower == model ? nullptr : FindModelFacts(map, provider, lower);
}

const ModelFacts* FindBaseModelFacts(const ModelFactsMap& map, std::string_view provider,
                                     std::string_view base_model) {
  if (const ModelFacts* facts = FindModelFacts(map, provider, base_model)) return facts;
  if (const ModelFacts* facts = FindModelFacts(map, "", base_model)) return facts;
  const size_t slash = base_model.find('/');
  if (slash == std::string_view::npos) return nullptr;
  return FindModelFacts(map, base_model.substr(0, slash), base_model.substr(slash + 1));
}

}  // namespace gw::config
