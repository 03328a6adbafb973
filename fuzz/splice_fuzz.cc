// Whatever valid JSON a client or an upstream sends: the spliced body is valid JSON again, names
// the model we chose wherever it names one, and holds no order to the gateway.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "config/provider_table.h"
#include "translate/body_splice.h"
#include "translate/control_members.h"
#include "translate/factories.h"

namespace {

constexpr std::string_view kProviders[] = {"openai", "hosted_vllm", "mistral", "groq"};

std::string Padded(std::string_view text) {
  std::string padded;
  padded.reserve(text.size() + gw::json::kPadding);
  padded = text;
  return padded;
}

void Check(std::string_view body, std::string_view quoted_model, bool no_control) {
  if (gw::json::ValidateUnpadded(body) != nullptr) abort();
  for (gw::json::MemberCursor c(body); c.Next();) {
    if (c.member().KeyIs("model") && c.member().value != quoted_model) abort();
    const std::string key = gw::json::Unquote("\"" + std::string(c.member().key) + "\"");
    if (no_control && gw::translate::IsControlMember(key)) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  std::string body = Padded({reinterpret_cast<const char*>(data) + 2, size - 2});
  if (gw::json::Validate(body) != nullptr || !gw::json::TrimSpace(body).starts_with('{')) return 0;

  gw::config::Deployment deployment;
  deployment.provider = kProviders[data[0] % 4];
  deployment.row = gw::config::FindProvider(deployment.provider);
  deployment.default_params = {{"temperature", 0.5}, {"top_k", 4}};
  deployment.extra_body = {{"seed", 1}, {"min_p", 0.1}};
  if ((data[0] & 4) != 0) deployment.additional_drop_params = {"n", "tools[*].function.strict"};
  gw::translate::ClientRequest request;
  request.endpoint = static_cast<gw::api::Endpoint>(data[1] % 3);
  request.body = body;
  request.stream = (data[1] & 4) != 0;
  const gw::json::Object overrides = {{"model", "other"}, {"messages", gw::json::Array{}}};
  if ((data[1] & 8) != 0) request.overrides = &overrides;
  gw::translate::AttemptTarget target;
  target.deployment = &deployment;
  target.upstream_model = (data[0] & 8) != 0 ? "o3-mini" : "up\"stream";
  target.drop_params = (data[0] & 16) != 0;
  target.shown_model = "shown";
  target.answer_id = "chatcmpl-1";

  const auto make = [&] {
    switch (request.endpoint) {
      case gw::api::Endpoint::kCompletions: return gw::translate::MakeOpenAiCompletions(request, target);
      case gw::api::Endpoint::kEmbeddings: return gw::translate::MakeOpenAiEmbeddings(request, target);
      default: return gw::translate::MakeOpenAiChat(request, target);
    }
  };
  auto built = make()->BuildRequest();
  if (built.ok()) {
    std::string quoted;
    gw::json::AppendQuoted(quoted, target.upstream_model);
    Check(built->body.Flatten(), quoted, true);
  }
  std::string answer_body = Padded(body);
  auto answer = make()->TranslateBody(answer_body);
  if (answer.ok()) Check(*answer, "\"shown\"", false);
  return 0;
}
