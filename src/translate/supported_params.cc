#include "translate/supported_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "translate/control_members.h"

namespace gw::translate {

namespace {

struct KeyRow {
  std::string_view key;
  BodyKey id;
};

// All of OpenAI's parameters.
constexpr auto kKeys = std::to_array<KeyRow>({
    {"audio", BodyKey::kPlain},
    {"best_of", BodyKey::kPlain},
    {"dimensions", BodyKey::kDimensions},
    {"echo", BodyKey::kPlain},
    {"encoding_format", BodyKey::kPlain},
    {"frequency_penalty", BodyKey::kSampling},
    {"function_call", BodyKey::kPlain},
    {"functions", BodyKey::kPlain},
    {"input", BodyKey::kPlain},
    {"logit_bias", BodyKey::kSampling},
    {"logprobs", BodyKey::kSampling},
    {"max_completion_tokens", BodyKey::kMaxCompletionTokens},
    {"max_tokens", BodyKey::kMaxTokens},
    {"messages", BodyKey::kMessages},
    {"modalities", BodyKey::kPlain},
    {"model", BodyKey::kModel},
    {"n", BodyKey::kPlain},
    {"parallel_tool_calls", BodyKey::kPlain},
    {"prediction", BodyKey::kPlain},
    {"presence_penalty", BodyKey::kSampling},
    {"prompt", BodyKey::kPlain},
    {"prompt_cache_key", BodyKey::kPlain},
    {"prompt_cache_retention", BodyKey::kPlain},
    {"reasoning_effort", BodyKey::kReasoningEffort},
    {"response_format", BodyKey::kPlain},
    {"safety_identifier", BodyKey::kPlain},
    {"seed", BodyKey::kSeed},
    {"service_tier", BodyKey::kPlain},
    {"stop", BodyKey::kSampling},
    {"store", BodyKey::kPlain},
    {"stream", BodyKey::kStream},
    {"stream_options", BodyKey::kStreamOptions},
    {"suffix", BodyKey::kPlain},
    {"temperature", BodyKey::kTemperature},
    {"thinking", BodyKey::kThinking},
    {"tool_choice", BodyKey::kToolChoice},
    {"tools", BodyKey::kTools},
    {"top_logprobs", BodyKey::kSampling},
    {"top_p", BodyKey::kSampling},
    {"user", BodyKey::kUser},
    {"verbosity", BodyKey::kPlain},
    {"web_search_options", BodyKey::kPlain},
});

// Every member of every body is looked up, so the rows stand in buckets of equal length: a handful
// of candidates, most of them ruled out by their first byte.
constexpr size_t kKeyBytesMax = 24;
struct KeyBuckets {
  std::array<KeyRow, kKeys.size()> rows{};
  std::array<uint8_t, kKeyBytesMax + 2> begin{};
};
constexpr KeyBuckets MakeBuckets() {
  KeyBuckets out;
  size_t at = 0;
  for (size_t length = 0; length <= kKeyBytesMax; ++length) {
    out.begin[length] = static_cast<uint8_t>(at);
    for (const KeyRow& row : kKeys) {
      if (row.key.size() == length) out.rows[at++] = row;
    }
  }
  out.begin[kKeyBytesMax + 1] = static_cast<uint8_t>(at);
  return out;
}
constexpr KeyBuckets kBuckets = MakeBuckets();
static_assert(kBuckets.begin[kKeyBytesMax + 1] == kKeys.size(), "a key is longer than kKeyBytesMax");

const KeyRow* FindKey(std::string_view key) {
  if (key.size() > kKeyBytesMax || key.empty()) return nullptr;
  for (size_t i = kBuckets.begin[key.size()]; i < kBuckets.begin[key.size() + 1]; ++i) {
    const KeyRow& row = kBuckets.rows[i];
    if (row.key[0] == key[0] && row.key == key) return &row;
  }
  return nullptr;
}

// What single providers want otherwise; everybody else takes OpenAI's names.
struct ProviderQuirks {
  std::string_view provider;
  bool max_tokens = false;       // max_completion_tokens is called max_tokens
  bool random_seed = false;      // seed is called random_seed
  bool tool_choice_any = false;  // tool_choice "required" is called "any"
};
constexpr auto kQuirks = std::to_array<ProviderQuirks>({
    {"mistral", true, true, true},
    {"codestral", true, true, true},
    {"fireworks_ai", false, false, true},
    {"nvidia_nim", true},
    {"publicai", true},
    {"xiaomi_mimo", true},
    {"synthetic", true},
    {"apertis", true},
    {"nano-gpt", true},
    {"poe", true},
    {"chutes", true},
    {"llamagate", true},
    {"sarvam", true},
    {"crusoe", true},
    {"libertai", true},
    {"scx-ai", true},
});

// "o1", "o3-mini", "o4-mini-2025-04-16".
bool IsOSeries(std::string_view model) {
  if (model.size() < 2 || model[0] != 'o') return false;
  if (model[1] != '1' && model[1] != '3' && model[1] != '4') return false;
  return model.size() == 2 || model[2] == '-';
}

bool FactIsTrue(const config::ModelFacts* facts, std::string_view name) {
  const json::Value* value = facts == nullptr ? nullptr : json::Get(facts->raw, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

bool IsKnownOpenAiModel(const config::ModelFacts* facts, std::string_view model) {
  if (facts != nullptr) {
    const std::string_view owner = facts->litellm_provider;
    if (owner == "openai" || owner == "text-completion-openai") return true;
  }
  const config::ProviderRow* row = config::InferProvider(model);
  return row != nullptr && (row->name == "openai" || row->name == "text-completion-openai");
}

// {"type":"enabled","budget_tokens":2048} as a reasoning effort; empty: none is wanted.
std::string_view EffortOfThinking(std::string_view thinking) {
  if (json::KindOf(thinking) != json::Kind::kObject) return {};
  if (json::Find(thinking, "type").value_or("") != "\"enabled\"") return {};
  const auto budget = json::ToInt(json::Find(thinking, "budget_tokens").value_or("0")).value_or(0);
  if (budget >= 4096) return "\"high\"";
  if (budget >= 2048) return "\"medium\"";
  return budget >= 1024 ? "\"low\"" : "\"minimal\"";
}

void AppendStrings(std::string_view array, std::vector<std::string>* out) {
  if (json::KindOf(array) != json::Kind::kArray) return;
  for (json::ElementCursor c(array); c.Next();) {
    if (json::KindOf(c.value()) == json::Kind::kString) out->push_back(json::Unquote(c.value()));
  }
}

bool Contains(const std::vector<std::string>& list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

}  // namespace

BodyKey LookupBodyKey(std::string_view key) {
  if (const KeyRow* row = FindKey(key)) return row->id;
  return IsControlMember(key) ? BodyKey::kControl : BodyKey::kPlain;
}

bool IsOpenAiParam(std::string_view key) { return FindKey(key) != nullptr; }

ParamPolicy::ParamPolicy(const std::vector<json::Member>& members, api::Endpoint endpoint,
                         const AttemptTarget& target)
    : target_(&target), endpoint_(endpoint) {
  const std::string_view provider = target.deployment->provider;
  is_vllm_ = provider == "hosted_vllm" || provider == "vllm";
  is_openai_ = provider == "openai";
  for (const ProviderQuirks& row : kQuirks) {
    if (row.provider != provider) continue;
    wants_max_tokens_ = row.max_tokens;
    wants_random_seed_ = row.random_seed;
    wants_tool_choice_any_ = row.tool_choice_any;
  }
  ReadModel();
  ReadLists(members);
}

void ParamPolicy::ReadModel() {
  const std::string_view model = target_->upstream_model;
  if (!is_openai_ || endpoint_ != api::Endpoint::kChat) return;
  is_o_series_ = IsOSeries(model);
  is_gpt5_ = model.starts_with("gpt-5") && !model.starts_with("gpt-5-chat") &&
             !model.starts_with("gpt-5.");
  renames_max_tokens_ = is_o_series_ || model.starts_with("gpt-5");
  system_is_user_ =
      is_o_series_ && !FactIsTrue(target_->deployment->facts, "supports_system_messages");
}

// compat: `user` reaches the upstream only for models that OpenAI itself serves.
bool ParamPolicy::TakesUser() const {
  if (is_vllm_) return false;
  return endpoint_ != api::Endpoint::kChat ||
         IsKnownOpenAiModel(target_->deployment->facts, target_->upstream_model);
}

bool ParamPolicy::TakesReasoningEffort() const {
  const std::string_view model = target_->upstream_model;
  if (!is_openai_) return true;
  if (model.starts_with("o1-mini") || model.starts_with("o1-preview")) return false;
  return is_o_series_ || is_gpt5_ || model.starts_with("gpt-5.") ||
         FactIsTrue(target_->deployment->facts, "supports_reasoning");
}

void ParamPolicy::AddDropped(std::string path) {
  const bool is_nested = path.find_first_of(".[") != std::string::npos;
  (is_nested ? drop_paths_ : dropped_).push_back(std::move(path));
}

void ParamPolicy::ReadLists(const std::vector<json::Member>& members) {
  allowed_ = target_->deployment->allowed_openai_params;
  std::vector<std::string> dropped = target_->deployment->additional_drop_params;
  for (const json::Member& member : members) {
    if (member.kind == json::Kind::kNull) continue;
    if (member.KeyIs("allowed_openai_params")) AppendStrings(member.value, &allowed_);
    else if (member.KeyIs("additional_drop_params")) AppendStrings(member.value, &dropped);
    else if (member.KeyIs("max_tokens")) has_max_tokens_ = true;
    else if (member.KeyIs("max_completion_tokens")) has_max_completion_tokens_ = true;
    else if (member.KeyIs("reasoning_effort")) has_reasoning_effort_ = true;
  }
  for (std::string& path : dropped) AddDropped(std::move(path));
}

bool ParamPolicy::IsAllowed(std::string_view key) const { return Contains(allowed_, key); }

bool ParamPolicy::IsDropped(std::string_view key) const { return Contains(dropped_, key); }

ParamVerdict ParamPolicy::Unsupported(std::string_view key) const {
  using Action = ParamVerdict::Action;
  if (IsAllowed(key)) return {};
  return {target_->drop_params ? Action::kDrop : Action::kRefuse, {}, {}};
}

ParamVerdict ParamPolicy::Judge(BodyKey id, std::string_view key, std::string_view value) const {
  using Action = ParamVerdict::Action;
  if (id == BodyKey::kControl || IsDropped(key)) return {Action::kDrop, {}, {}};
  // compat: a null parameter counts as not sent.
  if (json::KindOf(value) == json::Kind::kNull && !value.empty()) return {Action::kDrop, {}, {}};
  if (id == BodyKey::kUser && !TakesUser() && !IsAllowed(key)) return {Action::kDrop, {}, {}};
  if (endpoint_ == api::Endpoint::kEmbeddings && id == BodyKey::kDimensions && is_openai_ &&
      target_->upstream_model.find("text-embedding-3") == std::string_view::npos) {
    return Unsupported(key);
  }
  return endpoint_ == api::Endpoint::kChat ? JudgeChat(id, key, value) : ParamVerdict{};
}

ParamVerdict ParamPolicy::JudgeChat(BodyKey id, std::string_view key,
                                    std::string_view value) const {
  using Action = ParamVerdict::Action;
  switch (id) {
    case BodyKey::kMaxTokens:
      if (!renames_max_tokens_) break;
      if (has_max_completion_tokens_) return {Action::kDrop, {}, {}};
      return {Action::kKeep, "\"max_completion_tokens\"", {}};
    case BodyKey::kMaxCompletionTokens:
      if (!wants_max_tokens_) break;
      if (has_max_tokens_) return {Action::kDrop, {}, {}};
      return {Action::kKeep, "\"max_tokens\"", {}};
    case BodyKey::kTemperature:
      if ((is_o_series_ || is_gpt5_) && json::ToDouble(value) != 1.0) return Unsupported(key);
      break;
    case BodyKey::kSampling:
      // compat: reasoning models have fixed sampling; only the o-series still takes stop words.
      if (is_gpt5_ || (is_o_series_ && key != "stop")) return Unsupported(key);
      break;
    case BodyKey::kSeed:
      if (wants_random_seed_) return {Action::kKeep, "\"random_seed\"", {}};
      break;
    case BodyKey::kToolChoice:
      if (wants_tool_choice_any_ && value == "\"required\"") return {Action::kKeep, {}, "\"any\""};
      break;
    case BodyKey::kReasoningEffort:
      if (!TakesReasoningEffort()) return Unsupported(key);
      break;
    case BodyKey::kThinking:
      if (!is_vllm_) break;
      if (has_reasoning_effort_ || EffortOfThinking(value).empty())
        return {Action::kDrop, {}, {}};
      return {Action::kKeep, "\"reasoning_effort\"", EffortOfThinking(value)};
    default: break;
  }
  return {};
}

Error MakeUnsupportedParamsError(const config::Deployment& deployment, std::string_view model,
                                 const std::vector<std::string>& params) {
  std::string list;
  for (const std::string& param : params) {
    if (!list.empty()) list += ", ";
    fmt::format_to(std::back_inserter(list), "'{}'", param);
  }
  Error error;
  error.cls = ErrorClass::kUnsupportedParams;
  error.source = ErrorSource::kDownstream;
  error.status = 400;
  error.type = "invalid_request_error";
  error.provider = deployment.provider;
  error.message = fmt::format(
      "litellm.UnsupportedParamsError: {} does not support parameters: [{}], for model={}. To drop "
      "such parameters set `drop_params: true` (litellm_settings, deployment or request); to send "
      "them anyway name them in `allowed_openai_params`.",
      deployment.provider, list, model);
  return error;
}

}  // namespace gw::translate
