// What an upstream is pretended to answer: "500", "429-after-2", "timeout", "reset", "ctx", "policy",
// "permission". For explanations, the simulator and tests.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"

namespace gw::routing {

// False: no answer that ScriptedError knows.
[[nodiscard]] bool IsScriptedAnswer(std::string_view answer);

// nullopt: "ok" or "200", the row answers.
[[nodiscard]] std::optional<Error> ScriptedError(std::string_view answer, std::string_view provider);

}  // namespace gw::routing
