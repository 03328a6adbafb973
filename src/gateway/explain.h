// What would the router do with this request, and why? `intertie explain` and POST /router/explain.
//
// The production router decides; upstreams are pretended (by default all answer), pauses pass at
// once. From the command line on fresh state, from the endpoint on a copy of the live state:
// cooldowns, counters and limits count, and nothing is changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_tree.h"
#include "base/result.h"
#include "routing/explanation.h"
#include "routing/router.h"

namespace gw::gateway {

struct ExplainQuestion {
  routing::RequestControls controls;
  // Deployment id or group -> what its rows answer (routing/scripted_answer.h).
  std::vector<std::pair<std::string, std::string>> answers;
  uint64_t seed = 1;
};

struct ExplainAnswer {
  routing::Explanation explanation;
  std::string model;
  int status = 0;            // what the client gets
  std::string message;       // of the error
  std::string deployment;    // that answered
  std::string upstream_model;
  int attempts = 0;
  double waited_s = 0;
};

// "ROW_OR_GROUP=ANSWER".
[[nodiscard]] Result<std::pair<std::string, std::string>> ParseFailure(std::string_view text);

// {"model": M, "stream", "tags": [], "team", "region", "input_tokens", "priority",
//  "num_retries", "disable_fallbacks", "fail": {"ROW_OR_GROUP": "429"}, "seed"}
[[nodiscard]] Result<ExplainQuestion> ParseExplainBody(std::string_view body);

[[nodiscard]] ExplainAnswer RunExplain(const routing::ModelIndex& index, routing::SharedState& state,
                                       const ExplainQuestion& question, TimePoint now);

[[nodiscard]] std::string RenderExplainText(const ExplainAnswer& answer);
[[nodiscard]] json::Value RenderExplainJson(const ExplainAnswer& answer);

}  // namespace gw::gateway
