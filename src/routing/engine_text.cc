#include "routing/engine_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.h"

namespace gw::routing {
namespace {

enum class Meaning { kWaiting, kRunning, kUsage, kCapacity, kCacheConfig };

struct Name {
  std::string_view text;
  Meaning meaning;
};

constexpr std::array<Name, 13> kNames = {{
    {"vllm:num_requests_waiting", Meaning::kWaiting},
    {"vllm:num_requests_running", Meaning::kRunning},
    {"vllm:kv_cache_usage_perc", Meaning::kUsage},   // [0, 1], whatever its name says
    {"vllm:gpu_cache_usage_perc", Meaning::kUsage},  // the same before vLLM 0.9
    {"vllm:cache_config_info", Meaning::kCacheConfig},
    {"sglang:num_queue_reqs", Meaning::kWaiting},
    {"sglang:num_running_reqs", Meaning::kRunning},
    {"sglang:token_usage", Meaning::kUsage},
    {"sglang:max_total_num_tokens", Meaning::kCapacity},
    {"llamacpp:requests_deferred", Meaning::kWaiting},
    {"llamacpp:requests_processing", Meaning::kRunning},
    {"llamacpp:kv_cache_usage_ratio", Meaning::kUsage},
    {"llamacpp:kv_cache_max_tokens", Meaning::kCapacity},
}};

const Name* FindName(std::string_view name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [name](const Name& n) { return n.text == name; });
  return found == kNames.end() ? nullptr : found;
}

// name{labels} value [timestamp]
struct Line {
  std::string_view name, labels;
  double value = 0;
};

// Behind the closing brace; a brace inside a quoted value does not close. npos: none.
size_t EndOfLabels(std::string_view text) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') ++i;
    else if (text[i] == '"') quoted = !quoted;
    else if (!quoted && text[i] == '}') return i + 1;
  }
  return std::string_view::npos;
}

std::optional<Line> ReadLine(std::string_view text) {
  if (text.empty() || text.front() == '#') return std::nullopt;
  const size_t end = text.find_first_of("{ \t");
  if (end == std::string_view::npos) return std::nullopt;
  Line line;
  line.name = text.substr(0, end);
  text.remove_prefix(end);
  if (text.front() == '{') {
    const size_t behind = EndOfLabels(text);
    if (behind == std::string_view::npos) return std::nullopt;
    line.labels = text.substr(1, behind - 2);
    text.remove_prefix(behind);
  }
  text = Trim(text);
  const auto value = ParseDouble(text.substr(0, text.find_first_of(" \t")));
  if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
  line.value = *value;
  return line;
}

// The label's value as it is written (escapes stay); empty: there is none.
std::string_view LabelOf(std::string_view labels, std::string_view name) {
  while (!labels.empty()) {
    const size_t equals = labels.find("=\"");
    if (equals == std::string_view::npos) return {};
    const std::string_view key = Trim(labels.substr(0, equals));
    size_t end = equals + 2;
    while (end < labels.size() && labels[end] != '"') end += labels[end] == '\\' ? 2 : 1;
    if (end >= labels.size()) return {};
    if (key == name) return labels.substr(equals + 2, end - equals - 2);
    labels.remove_prefix(end + 1);
    labels.remove_prefix(std::min(labels.find_first_not_of(", "), labels.size()));
  }
  return {};
}

struct Sum {
  EngineSample sample;
  bool has_load = false;

  void Add(Meaning meaning, double value) {
    has_load = has_load || meaning == Meaning::kWaiting || meaning == Meaning::kRunning;
    if (meaning == Meaning::kWaiting) sample.waiting += value;
    else if (meaning == Meaning::kRunning) sample.running += value;
    else if (meaning == Meaning::kUsage) sample.kv_usage = std::max(sample.kv_usage, std::min(value, 1.0));
    else AddCapacity(value);
  }
  void AddCapacity(double tokens) {
    constexpr double kTokensMax = 1e12;
    sample.kv_tokens = static_cast<int64_t>(std::min(static_cast<double>(sample.kv_tokens) + tokens, kTokensMax));
  }
};

double NumberIn(std::string_view labels, std::string_view name) {
  const double value = ParseDouble(LabelOf(labels, name)).value_or(0);
  return std::isfinite(value) && value > 0 ? value : 0;
}

}  // namespace

std::optional<EngineSample> ParseEngineText(std::string_view text, std::string_view model) {
  Sum of_model;
  Sum of_all;
  double cache_tokens = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    const auto line = ReadLine(row);
    const Name* name = line ? FindName(line->name) : nullptr;
    if (name == nullptr) continue;
    if (name->meaning == Meaning::kCacheConfig) {
      cache_tokens += NumberIn(line->labels, "block_size") * NumberIn(line->labels, "num_gpu_blocks");
      continue;
    }
    of_all.Add(name->meaning, line->value);
    if (LabelOf(line->labels, "model_name") == model) of_model.Add(name->meaning, line->value);
  }
  Sum& chosen = of_model.has_load ? of_model : of_all;
  if (!chosen.has_load) return std::nullopt;
  chosen.AddCapacity(cache_tokens);
  return chosen.sample;
}

}  // namespace gw::routing
