// What does an engine's /metrics say about its load? vLLM's names (old and new), SGLang's and llama.cpp's, in
// Prometheus' text format. The text is foreign: whatever it is, the answer is a sample or nothing.
#pragma once

#include <optional>
#include <string_view>

#include "routing/engine_load.h"

namespace gw::routing {

// Samples labelled with `model` count; when there are none (a LoRA adapter is not labelled), those of every
// model do. Several engines behind one address (data parallel ranks) are added up. nullopt: no engine's text.
[[nodiscard]] std::optional<EngineSample> ParseEngineText(std::string_view text, std::string_view model);

}  // namespace gw::routing
