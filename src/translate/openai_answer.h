// What does the client see of a complete OpenAI answer?
//
// The bytes of the upstream with spans exchanged: model, reasons to stop, the name of the reasoning
// member; what a client's library relies on and the upstream left out is added (id, object,
// created, usage). Everything else, known or not, stays where it is.
#pragma once

#include <string>
#include <string_view>

#include "api/usage.h"
#include "base/result.h"
#include "translate/translator.h"

namespace gw::translate {

struct AnswerFacts {
  api::Usage usage;               // reported or estimated
  bool content_filtered = false;
};

// `body` has json::kPadding readable bytes behind it. For chat, text completions and embeddings.
[[nodiscard]] Result<std::string> SpliceOpenAiAnswer(std::string_view body,
                                                     const ClientRequest& request,
                                                     const AttemptTarget& target,
                                                     AnswerFacts* facts);

}  // namespace gw::translate
