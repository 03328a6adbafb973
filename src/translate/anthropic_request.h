// What does Anthropic get asked (POST /v1/messages) when an OpenAI chat client asks?
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "translate/translator.h"

namespace gw::translate {

// The tool that stands in for response_format on models without structured output.
inline constexpr std::string_view kJsonToolName = "json_tool_call";

struct AnthropicRequest {
  UpstreamRequest upstream;
  bool json_by_tool = false;  // the input of kJsonToolName is the answer's content
  // Tool names that had to be cleaned: (sent, the client's), both as escaped contents.
  std::vector<std::pair<std::string, std::string>> renamed_tools;
};

[[nodiscard]] Result<AnthropicRequest> BuildAnthropicRequest(const ClientRequest& request,
                                                             const AttemptTarget& target);

// Path and headers: key, version, the betas (comma list, may be empty), extra headers.
[[nodiscard]] UpstreamRequest StartAnthropicRequest(const AttemptTarget& target, std::string betas);

}  // namespace gw::translate
