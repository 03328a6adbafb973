// When are two requests the same question? Their canonical texts are equal.
//
//   call: chat
//   model: "gpt-4o"                 the group as asked, or its caching group
//   stream: true                    only when it is
//   messages: [{"role":"user","content":"hi"}]
//   temperature: 0                  sorted by name, white space and needless escapes removed
//
// The key is the text's SHA-256 in hexadecimal, behind "namespace:" if there is one. What the
// gateway keeps for itself (metadata, timeouts, retries, ...) is no part of the question; everything
// that reaches an upstream is. compat: LiteLLM leaves out parameters that it does not know, and
// takes the others in the order they arrive, so the two cannot share entries.
// Pure; the body must have been accepted by json::Validate.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "base/json.h"
#include "cache/policy.h"
#include "config/cache_settings.h"

namespace gw::cache {

// What the cache needs of a body, from one pass over its top-level members. Views into the body.
struct Question {
  struct Param {
    std::string_view key;  // as spelled between the quotes
    std::string plain;     // set when the key has escapes
    std::string_view value;
    [[nodiscard]] std::string_view name() const { return plain.empty() ? key : std::string_view(plain); }
  };
  std::vector<Param> params;  // of the key, sorted by name; of a repeated one the last
  std::string_view input;     // embeddings: kept apart from params
  size_t messages = 0;
  Controls controls;          // of the body
};

[[nodiscard]] Question ReadQuestion(api::Endpoint endpoint, std::string_view body);

struct KeyContext {
  api::Endpoint endpoint = api::Endpoint::kChat;
  std::string_view model;         // as asked
  bool stream = false;
  bool model_in_body = true;      // else the answer names another model
  std::span<const std::string> tags;  // only when they choose the deployment
};

// The name that stands for `model` in keys: its caching group or itself.
[[nodiscard]] std::string KeyModel(const config::CacheSettings& settings, std::string_view model);

// Everything but the input of embeddings.
[[nodiscard]] std::string CanonicalText(const Question& question, const KeyContext& context);
// `item`: one input of an embeddings request; empty for the other endpoints.
[[nodiscard]] std::string MakeKey(std::string_view name_space, std::string_view canonical, std::string_view item);

// JSON without white space between tokens; strings without needless escapes. Member order stays:
// servers print schemas and tools in that order.
void AppendCanonical(std::string& out, std::string_view value);

}  // namespace gw::cache
