// An event-stream gives the same events, and the client the same bytes, however it is cut; what the
// client gets are whole events of valid JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "config/provider_table.h"
#include "translate/factories.h"
#include "translate/sse_decoder.h"

namespace {

using gw::translate::SseDecoder;

// Pieces in memory of their own, so that the sanitizer sees every read beyond their end.
std::vector<std::vector<char>> Cut(std::string_view stream, size_t step) {
  std::vector<std::vector<char>> pieces;
  for (size_t at = 0; at < stream.size(); at += step) {
    const std::string_view piece = stream.substr(at, step);
    pieces.emplace_back(piece.begin(), piece.end());
  }
  return pieces;
}

std::string Events(std::string_view stream, size_t step) {
  SseDecoder decoder(256);
  std::string shown;
  gw::translate::SseEvent event;
  const auto show = [&] {
    shown.append(event.name).append("|").append(event.data).append(event.multi_line ? "|m\n" : "\n");
  };
  for (const auto& piece : Cut(stream, step)) {
    decoder.Push({piece.data(), piece.size()});
    auto status = decoder.Next(&event);
    for (; status == SseDecoder::Status::kEvent; status = decoder.Next(&event)) show();
    if (status == SseDecoder::Status::kTooLong) return shown + "too long";
  }
  if (decoder.Flush(&event)) show();
  return shown;
}

std::string ClientBytes(std::string_view stream, size_t step, bool is_chat) {
  gw::config::Deployment deployment;
  deployment.provider = "openai";
  deployment.row = gw::config::FindProvider("openai");
  gw::translate::ClientRequest request;
  request.body = "{}";
  request.stream = true;
  request.include_usage = true;
  gw::translate::AttemptTarget target;
  target.deployment = &deployment;
  target.upstream_model = "up";
  target.shown_model = "shown";
  target.answer_id = "chatcmpl-1";
  const auto translator = is_chat ? gw::translate::MakeOpenAiChat(request, target)
                                  : gw::translate::MakeOpenAiCompletions(request, target);
  std::string out;
  for (const auto& piece : Cut(stream, step)) {
    const auto progress = translator->Feed({piece.data(), piece.size()}, out);
    if (!progress.ok()) return out + "!" + progress.error().message;
    if (progress.value().done) return out;
  }
  const auto progress = translator->Finish(out);
  return progress.ok() ? out : out + "!" + progress.error().message;
}

void CheckEvents(std::string_view out) {
  out = out.substr(0, out.find("\n\n!"));
  while (!out.empty() && out.front() != '!') {
    const size_t end = out.find("\n\n");
    const std::string_view event = out.substr(0, end);
    if (!event.starts_with("data: ") || event.find('\n') != std::string_view::npos) abort();
    const std::string_view data = event.substr(6);
    if (data != "[DONE]" && gw::json::ValidateUnpadded(data) != nullptr) abort();
    if (end == std::string_view::npos) break;
    out.remove_prefix(end + 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t step = 1 + data[0] % 64;
  const bool is_chat = data[1] % 2 == 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t whole = stream.size() + 1;
  if (Events(stream, whole) != Events(stream, step)) abort();
  const std::string out = ClientBytes(stream, whole, is_chat);
  if (out != ClientBytes(stream, step, is_chat)) abort();
  CheckEvents(out);
  return 0;
}
