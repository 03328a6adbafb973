// Helpers of the tests of the OpenAI pass-through: a deployment in one line, padded bodies, streams
// fed in pieces.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "config/provider_table.h"
#include "config/snapshot.h"
#include "translate/factories.h"
#include "translate/translator.h"

namespace gw::translate {

inline config::Deployment MakeDeployment(std::string_view provider, std::string_view model) {
  config::Deployment deployment;
  deployment.id = "id-1";
  deployment.provider = provider;
  deployment.row = config::FindProvider(provider);
  deployment.upstream_model = model;
  deployment.litellm_model = std::string(provider) + "/" + std::string(model);
  deployment.api_key = "sk-upstream";
  return deployment;
}

// Owns what the views of a ClientRequest and an AttemptTarget point to.
struct Attempt {
  config::Deployment deployment;
  std::string body;
  json::Object overrides;
  ClientRequest request;
  AttemptTarget target;

  Attempt(std::string_view provider, std::string_view model, std::string_view client_body,
          api::Endpoint endpoint = api::Endpoint::kChat)
      : deployment(MakeDeployment(provider, model)) {
    body.reserve(client_body.size() + json::kPadding);
    body = client_body;
    request.endpoint = endpoint;
    request.body = body;
    target.deployment = &deployment;
    target.upstream_model = deployment.upstream_model;
    target.shown_model = "shown";
    target.now_unix_s = 1700000001;
    target.answer_id = "chatcmpl-made";
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  [[nodiscard]] std::unique_ptr<Translator> Make() const {
    switch (request.endpoint) {
      case api::Endpoint::kCompletions: return MakeOpenAiCompletions(request, target);
      case api::Endpoint::kEmbeddings: return MakeOpenAiEmbeddings(request, target);
      default: return MakeOpenAiChat(request, target);
    }
  }
  // The upstream body, or "error: <message>".
  [[nodiscard]] std::string UpstreamBody() const {
    auto built = Make()->BuildRequest();
    return built ? built->body.Flatten() : "error: " + built.error().message;
  }
  // The client's body, or "error: <message>".
  [[nodiscard]] std::string Answer(std::string_view upstream) const {
    std::string padded;
    padded.reserve(upstream.size() + json::kPadding);
    padded = upstream;
    auto answer = Make()->TranslateBody(padded);
    return answer ? std::move(*answer) : "error: " + answer.error().message;
  }
};

// What the client gets of `stream`, fed in the given pieces and ended properly. An error ends it as
// the gateway would: "!<message>".
inline std::string RunStream(Translator& translator, const std::vector<std::string_view>& pieces) {
  std::string out;
  for (const std::string_view piece : pieces) {
    // A buffer of its own for each piece: reads beyond it are then seen by the sanitizer.
    const std::vector<char> copy(piece.begin(), piece.end());
    auto progress = translator.Feed({copy.data(), copy.size()}, out);
    if (!progress) return out + "!" + progress.error().message;
    if (progress->done) return out;
  }
  auto progress = translator.Finish(out);
  if (!progress) return out + "!" + progress.error().message;
  return out;
}

}  // namespace gw::translate
