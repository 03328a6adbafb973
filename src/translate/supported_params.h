// Which request parameters does this deployment take, under which name, and what happens to the
// others?
//
// The rules of OpenAI-compatible upstreams; a rule that one provider needs is one row in the .cc
// file. Unknown members are no OpenAI parameters: they always pass (vLLM's guided_json, top_k).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "translate/translator.h"

namespace gw::translate {

[[nodiscard]] bool IsVllm(const config::Deployment& deployment);
// A capability that the price map states; false when it knows nothing of the model.
[[nodiscard]] bool FactIsTrue(const config::ModelFacts* facts, std::string_view name);

// Members that the pass-through treats one by one; everything else is kPlain.
enum class BodyKey : uint8_t {
  kPlain,
  kControl,
  kModel,
  kStream,
  kStreamOptions,
  kMessages,
  kTools,
  kToolChoice,
  kUser,
  kMaxTokens,
  kMaxCompletionTokens,
  kTemperature,
  kSampling,  // top_p, penalties, logprobs, logit_bias, stop
  kSeed,
  kReasoningEffort,
  kThinking,
  kDimensions,
};
// `key` with its escapes decoded.
[[nodiscard]] BodyKey LookupBodyKey(std::string_view key);
// Part of OpenAI's own schema (chat, completions or embeddings).
[[nodiscard]] bool IsOpenAiParam(std::string_view key);

struct ParamVerdict {
  enum class Action : uint8_t { kKeep, kDrop, kRefuse };
  Action action = Action::kKeep;
  // Not empty: the kept member is written so instead. JSON text with quotes; static.
  std::string_view new_key;
  std::string_view new_value;
};

class ParamPolicy {
 public:
  // `members`: the first level of the client's body, in order.
  ParamPolicy(const std::vector<json::Member>& members, api::Endpoint endpoint,
              const AttemptTarget& target);

  // What becomes of one member of the body (or of the deployment's defaults). kRefuse is already
  // turned into kDrop when drop_params is on.
  [[nodiscard]] ParamVerdict Judge(BodyKey id, std::string_view key, std::string_view value) const;

  // additional_drop_params of body and deployment that reach below the first level.
  [[nodiscard]] const std::vector<std::string>& drop_paths() const { return drop_paths_; }
  // Named by additional_drop_params.
  [[nodiscard]] bool IsDropped(std::string_view key) const;

  [[nodiscard]] bool is_vllm() const { return is_vllm_; }
  // compat: o1 and its kin know no system role unless the price map says so.
  [[nodiscard]] bool system_is_user() const { return system_is_user_; }
  // compat: only the o-series is sent the developer role; others get "system".
  [[nodiscard]] bool developer_is_system() const { return !is_o_series_; }

 private:
  [[nodiscard]] bool IsAllowed(std::string_view key) const;
  [[nodiscard]] ParamVerdict Unsupported(std::string_view key) const;
  [[nodiscard]] ParamVerdict JudgeChat(BodyKey id, std::string_view key,
                                       std::string_view value) const;
  [[nodiscard]] bool TakesUser() const;
  [[nodiscard]] bool TakesReasoningEffort() const;
  void ReadModel();
  void ReadLists(const std::vector<json::Member>& members);
  void AddDropped(std::string path);

  const AttemptTarget* target_;
  api::Endpoint endpoint_;
  std::vector<std::string> allowed_, dropped_, drop_paths_;
  bool has_max_tokens_ = false;             // sent by the client, under either name
  bool has_max_completion_tokens_ = false;
  bool has_reasoning_effort_ = false;
  bool is_vllm_ = false;
  bool is_openai_ = false;
  bool is_o_series_ = false;
  bool is_gpt5_ = false;           // gpt-5 proper: temperature and sampling are fixed
  bool renames_max_tokens_ = false;
  bool wants_max_tokens_ = false;
  bool wants_random_seed_ = false;
  bool wants_tool_choice_any_ = false;
  bool system_is_user_ = false;
};

// 400: "openai does not support parameters: ['x'], for model=gpt-4o. ...".
[[nodiscard]] Error MakeUnsupportedParamsError(const config::Deployment& deployment,
                                               std::string_view model,
                                               const std::vector<std::string>& params);

}  // namespace gw::translate
