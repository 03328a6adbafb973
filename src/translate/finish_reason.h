// What is an upstream's reason to stop called in the OpenAI schema?
#pragma once

#include <string_view>

namespace gw::translate {

// One of stop, length, tool_calls, content_filter, function_call (static text). Unknown and empty
// reasons are "stop", as in LiteLLM.
[[nodiscard]] std::string_view NormalFinishReason(std::string_view upstream);

// The same with JSON quotes around it; `normal` is a result of NormalFinishReason. Static text.
[[nodiscard]] std::string_view QuotedFinishReason(std::string_view normal);

}  // namespace gw::translate
