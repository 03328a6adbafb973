// An Anthropic upstream that sends anything at all, through the chat translator and through the
// messages pass-through. What the client gets must not depend on how the bytes were cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "config/provider_table.h"
#include "translate/factories.h"

namespace {

using namespace gw::translate;

constexpr std::string_view kBody =
    R"({"model":"m","max_tokens":9,"stream":true,"messages":[],"response_format":{"type":"json_object"}})";

std::string Run(bool native, const ClientRequest& request, const AttemptTarget& target,
                std::string_view text, size_t piece_bytes) {
  auto translator =
      native ? MakeMessagesNative(request, target) : MakeAnthropicChat(request, target);
  if (!translator->BuildRequest().ok()) std::abort();
  std::string out;
  for (size_t at = 0; at < text.size(); at += piece_bytes) {
    const auto progress = translator->Feed(text.substr(at, piece_bytes), out);
    if (!progress.ok()) return out + "!" + progress.error().message;
    if (progress.value().done) return out;
  }
  const auto progress = translator->Finish(out);
  if (!progress.ok()) out += "!" + progress.error().message;
  (void)translator->usage();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  gw::config::Deployment deployment;
  deployment.provider = "anthropic";
  deployment.row = gw::config::FindProvider("anthropic");
  std::string body(kBody);
  body.reserve(body.size() + gw::json::kPadding);
  ClientRequest request;
  request.body = body;
  request.stream = request.include_usage = true;
  AttemptTarget target;
  target.deployment = &deployment;
  target.upstream_model = "m";
  target.shown_model = "shown";
  target.answer_id = "chatcmpl-1";
  for (const bool native : {false, true}) {
    const std::string whole = Run(native, request, target, text, text.size() + 1);
    if (Run(native, request, target, text, static_cast<size_t>(data[0]) + 1) != whole) std::abort();
  }
  std::string answer(text);
  answer.reserve(answer.size() + gw::json::kPadding);
  auto translated = MakeAnthropicChat(request, target)->TranslateBody(answer);
  if (translated.ok() && gw::json::ValidateUnpadded(*translated) != nullptr) std::abort();
  return 0;
}
