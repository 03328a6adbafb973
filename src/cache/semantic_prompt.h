// When may an answer to another text be given? When everything but the text is the same.
//
//   messages: [{"role":"user","content":[{"type":"text","text":"what is this?"},{"type":"image_url",...}]}]
//     text:   what is this?                                     similar is enough: it is embedded
//     shape:  [{"role":"user","content":[{"type":"text"},{"type":"image_url",...}]}]   must be equal
//
// The tag of an entry is a hash of all that must be equal: call, model, parameters, shape, namespace,
// caller. Pure; the body must have been accepted by json::Validate.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "cache/key.h"

namespace gw::cache {

// Longer texts are not embedded: no embedding model takes them.
inline constexpr size_t kEmbeddedTextBytesMax = size_t{256} << 10;

struct SemanticPrompt {
  std::string text;   // compat: all texts of all messages, with nothing in between
  std::string shape;
};

// nullopt: there is no text to embed, or too much of it.
[[nodiscard]] std::optional<SemanticPrompt> ReadSemanticPrompt(api::Endpoint endpoint, const Question& question);

// The question without its prompt, for CanonicalText.
[[nodiscard]] Question WithoutPrompt(api::Endpoint endpoint, const Question& question);

// `canonical`: of the question without its prompt. `caller`: who may share the answer. Letters and
// digits only: it stands in queries without escapes.
[[nodiscard]] std::string SemanticTag(std::string_view name_space, std::string_view canonical, std::string_view shape,
                                      std::span<const std::string_view> caller);

}  // namespace gw::cache
