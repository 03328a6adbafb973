// What does a failed attempt look like to the client and to the router?
//
// MapUpstreamError, MapConnectionError, MapTimeout and MapStreamBreak are declared in translator.h;
// here are the parts that the dialects share. All messages begin as LiteLLM's do, because clients
// match on "litellm.RateLimitError:". The deployment's key never shows up in a message.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/snapshot.h"

namespace gw::translate {

// The words of an error body in any of the three shapes:
//   {"error":{"message","type","param","code"}}   OpenAI
//   {"error":"text"}                              Ollama
//   {"type":"error","error":{"type","message"}}   Anthropic
// A body that is not JSON is its own message; markup and nothing at all become "Error code: N".
struct UpstreamErrorText {
  std::string message;
  std::string type;
  std::string param;
  std::string code;  // as text, also when it is a number
};
[[nodiscard]] UpstreamErrorText ReadErrorBody(std::string_view body, int status);

// "litellm.<Class>: <Class>: <Provider>Exception - text".
[[nodiscard]] Error MakeUpstreamError(const config::Deployment& deployment, ErrorClass cls,
                                      int status, std::string_view text,
                                      std::string_view shown_class = {});

// An error object inside a 2xx answer or stream (`json` is the whole event or body). Its text may
// name a context-window or content-policy failure, its code a status; else class kApiConnection,
// status 500.
[[nodiscard]] Error MapErrorEvent(const config::Deployment& deployment, std::string_view json);

// A 2xx answer that is not what the dialect promises: empty, garbage, no choices.
[[nodiscard]] Error MapBadAnswer(const config::Deployment& deployment, std::string_view why);

// 400: a request that this upstream cannot serve in any form.
[[nodiscard]] Error MapUnsupported(const config::Deployment& deployment, std::string_view why);

// data: {"error": {...}} and data: [DONE], spaced as LiteLLM does in this one place.
void AppendOpenAiStreamError(const Error& error, std::string& out);

}  // namespace gw::translate
