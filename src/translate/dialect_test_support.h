// Helpers of the tests of the Ollama, Anthropic, messages and completions translators.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_tree.h"
#include "config/provider_table.h"
#include "config/snapshot.h"
#include "translate/translator.h"

namespace gw::translate {

// One attempt with everything its views point to.
struct DialectAttempt {
  config::Deployment deployment;
  config::ModelFacts facts;
  std::string body;
  std::string shown_model = "shown";
  json::Object overrides;
  std::vector<json::Member> members;
  ClientRequest request;
  AttemptTarget target;

  DialectAttempt(std::string_view provider, std::string_view model, std::string_view client_body,
                 api::Endpoint endpoint = api::Endpoint::kChat) {
    deployment.provider = provider;
    deployment.row = config::FindProvider(provider);
    deployment.upstream_model = model;
    body.reserve(client_body.size() + json::kPadding);
    body = client_body;
    EXPECT_EQ(json::Validate(body), nullptr) << body;
    request.endpoint = endpoint;
    request.body = body;
    json::CollectMembers(body, members);
    request.members = &members;  // as the gateway does
    const auto stream = json::Find(body, "stream");
    request.stream = stream && *stream == "true";
    request.include_usage = body.find("\"include_usage\"") != std::string::npos;
    target.deployment = &deployment;
    target.upstream_model = deployment.upstream_model;
    target.shown_model = shown_model;
    target.now_unix_s = 1700000001;
    target.answer_id = "chatcmpl-made";
  }
  DialectAttempt(const DialectAttempt&) = delete;
  DialectAttempt& operator=(const DialectAttempt&) = delete;

  [[nodiscard]] std::unique_ptr<Translator> Make() const { return MakeTranslator(request, target); }

  // The upstream body, or "error STATUS: message".
  [[nodiscard]] std::string UpstreamBody() const {
    auto translator = Make();  // pieces of the body may lie in it
    auto built = translator->BuildRequest();
    if (!built) return ErrorText(built.error());
    return built->body.Flatten();
  }
  // One member of the upstream body as compact JSON; "absent".
  [[nodiscard]] std::string UpstreamMember(std::string_view key) const {
    const auto tree = json::ParseTree(UpstreamBody());
    if (!tree || !tree->is_object()) return UpstreamBody();
    const json::Value* value = json::Get(tree->get_object(), key);
    return value == nullptr ? "absent" : json::Serialize(*value);
  }
  [[nodiscard]] std::string Answer(std::string_view upstream) const {
    auto translator = Make();
    if (auto built = translator->BuildRequest(); !built) return ErrorText(built.error());
    std::string padded;
    padded.reserve(upstream.size() + json::kPadding);
    padded = upstream;
    auto answer = translator->TranslateBody(padded);
    return answer ? std::move(*answer) : ErrorText(answer.error());
  }
  // What the client gets of a stream that comes in these pieces and ends properly. An error ends it
  // as the gateway would: in the client's stream once there was content, else as "error ...".
  [[nodiscard]] std::string Stream(const std::vector<std::string_view>& pieces) const {
    auto translator = Make();
    if (auto built = translator->BuildRequest(); !built) return ErrorText(built.error());
    std::string out;
    bool has_content = false;
    const auto failed = [&](const Error& error) {
      if (!has_content && out.find("delta") == std::string::npos) return ErrorText(error);
      translator->AppendStreamError(error, out);
      return out;
    };
    for (const std::string_view piece : pieces) {
      // A buffer of its own for each piece: reads beyond it are then seen by the sanitizer.
      const std::vector<char> copy(piece.begin(), piece.end());
      auto progress = translator->Feed({copy.data(), copy.size()}, out);
      if (!progress) return failed(progress.error());
      has_content = progress->has_content;
      if (progress->done) return out;
    }
    auto progress = translator->Finish(out);
    if (!progress) return failed(progress.error());
    EXPECT_TRUE(progress->done);
    return out;
  }

  [[nodiscard]] static std::string ErrorText(const Error& error) {
    return "error " + std::to_string(error.status) + ": " + error.message;
  }
};

// Made-up tool call ids differ from run to run: "call_<uuid>" becomes "call_ID".
inline std::string WithoutMadeIds(std::string text) {
  constexpr size_t kUuidBytes = 36;
  for (size_t at = 0; (at = text.find("call_", at)) != std::string::npos; at += 5) {
    const size_t begin = at + 5;
    const size_t end = text.find_first_not_of("0123456789abcdef-", begin);
    if (end != std::string::npos && end - begin == kUuidBytes) {
      text.replace(begin, kUuidBytes, "ID");
    }
  }
  return text;
}

}  // namespace gw::translate
