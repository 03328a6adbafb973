// About how many tokens does this request hold? For limits and context windows before the upstream
// has counted; no tokenizer, one pass over the spans of the body.
//
// Four bytes of ASCII make a token, other characters three quarters of one each, an image 250, a
// message three more, an element of a token list one. English and code are met within about a fifth;
// docs/compat.md says what that means for max_input_tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "base/json.h"

namespace gw::gateway {

[[nodiscard]] int64_t EstimateInputTokens(const std::vector<json::Member>& body_members);

}  // namespace gw::gateway
