// Which parameters shall the request carry, once overrides, client and defaults are laid over each
// other?
//
//   fallback target's overrides  >  client's body  >  deployment's default_params
//
// For dialects that write a new body (Ollama, Anthropic). Orders to the gateway, nulls and what
// additional_drop_params names are already gone. Values are raw JSON text: views into the client's
// body or into strings that live here. Not copyable: the views would dangle.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "translate/translator.h"

namespace gw::translate {

struct RequestParam {
  std::string key;
  std::string_view value;
};

class RequestParams {
 public:
  RequestParams(const ClientRequest& request, const AttemptTarget& target);
  RequestParams(const RequestParams&) = delete;
  RequestParams& operator=(const RequestParams&) = delete;

  [[nodiscard]] const std::vector<RequestParam>& all() const { return params_; }
  // Empty view when absent.
  [[nodiscard]] std::string_view Find(std::string_view key) const;
  void Remove(std::string_view key);

  // OpenAI parameters that are not in `supported`: removed with drop_params, else an Error (400).
  // Those that mean nothing (n=1, user, stream_options) are removed silently; those named by
  // allowed_openai_params stay.
  [[nodiscard]] Result<void> KeepSupported(std::span<const std::string_view> supported,
                                           const AttemptTarget& target);

 private:
  void SetIfAbsent(std::string_view key, std::string_view value);
  void AddTree(const json::Object& members);
  void ReadLists(std::string_view body, const config::Deployment& deployment);
  [[nodiscard]] bool IsDropped(std::string_view key) const;

  std::vector<RequestParam> params_;
  std::deque<std::string> owned_;  // a deque never moves its strings
  std::vector<std::string> dropped_;
  std::vector<std::string> allowed_;
};

// JSON strings of an array value, decoded; a lone string counts as a list of one.
[[nodiscard]] std::vector<std::string> StringList(std::string_view value);

}  // namespace gw::translate
