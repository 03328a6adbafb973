// Tokens of one answer, as the upstream (or our estimate) counted them.
#pragma once

#include <cstdint>
#include <string>

namespace gw::api {

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t total_tokens = 0;
  int64_t cached_tokens = 0;          // prompt_tokens_details.cached_tokens
  int64_t cache_creation_tokens = 0;  // cache_write_tokens, else cache_creation_tokens
  int64_t prompt_audio_tokens = 0;
  int64_t completion_audio_tokens = 0;
  int64_t reasoning_tokens = 0;
  double audio_seconds = 0;           // of a transcribed file; prices per second count it
  bool reported = false;    // an upstream sent it
  bool estimated = false;   // counted by us because it did not
  std::string service_tier; // "" when none
  std::string answer_model; // the model that the answer names; only where its price may count
  bool text_completion = false;  // of /v1/completions: OpenAI's models for it are priced apart
};

}  // namespace gw::api
