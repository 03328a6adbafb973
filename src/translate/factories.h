// Which function makes the translator of each (client schema, upstream dialect) pair?
//
// translator.cc picks; every pair lives in the .cc file named beside it. Nothing here is null, and
// the views inside ClientRequest and AttemptTarget must outlive the object that is made.
#pragma once

#include <memory>

#include "translate/translator.h"

namespace gw::translate {

// openai_passthrough.cc, openai_completions.cc, openai_embeddings.cc
[[nodiscard]] std::unique_ptr<Translator> MakeOpenAiChat(const ClientRequest& request,
                                                         const AttemptTarget& target);
[[nodiscard]] std::unique_ptr<Translator> MakeOpenAiCompletions(const ClientRequest& request,
                                                                const AttemptTarget& target);
[[nodiscard]] std::unique_ptr<Translator> MakeOpenAiEmbeddings(const ClientRequest& request,
                                                               const AttemptTarget& target);

// openai_audio.cc
[[nodiscard]] std::unique_ptr<Translator> MakeOpenAiTranscription(const ClientRequest& request,
                                                                  const AttemptTarget& target);
[[nodiscard]] std::unique_ptr<Translator> MakeOpenAiSpeech(const ClientRequest& request,
                                                           const AttemptTarget& target);

// ollama_*.cc
[[nodiscard]] std::unique_ptr<Translator> MakeOllamaChat(const ClientRequest& request,
                                                         const AttemptTarget& target);
[[nodiscard]] std::unique_ptr<Translator> MakeOllamaGenerate(const ClientRequest& request,
                                                             const AttemptTarget& target);
[[nodiscard]] std::unique_ptr<Translator> MakeOllamaEmbeddings(const ClientRequest& request,
                                                               const AttemptTarget& target);

// anthropic_*.cc, messages_*.cc
[[nodiscard]] std::unique_ptr<Translator> MakeAnthropicChat(const ClientRequest& request,
                                                            const AttemptTarget& target);
// A messages client on an Anthropic upstream: pass-through.
[[nodiscard]] std::unique_ptr<Translator> MakeMessagesNative(const ClientRequest& request,
                                                             const AttemptTarget& target);
// A messages client on any chat dialect.
[[nodiscard]] std::unique_ptr<Translator> MakeMessagesOverChat(const ClientRequest& request,
                                                               const AttemptTarget& target);

// completions_over_chat.cc: a completions client on Ollama or Anthropic.
[[nodiscard]] std::unique_ptr<Translator> MakeCompletionsOverChat(const ClientRequest& request,
                                                                  const AttemptTarget& target);

}  // namespace gw::translate
