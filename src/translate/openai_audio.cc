// Audio on upstreams of OpenAI's dialect: a form with a file becomes text, text becomes audio.
//
// A form is not written anew: its parts go upstream as they came, with the client's own boundary;
// only the model is exchanged, orders to the gateway are left out, defaults of the row are added.
// Neither answer is streamed to the client: a cut one can still become a retry.
#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "translate/control_members.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/openai_request.h"

namespace gw::translate {

namespace {

// What both directions share: no stream, and the answer's type is the upstream's.
class OpenAiAudio : public Translator {
 public:
  OpenAiAudio(const ClientRequest& request, const AttemptTarget& target) : request_(request), target_(target) {}

  Result<StreamProgress> Feed(std::string_view, std::string&) override { return NoStream(); }
  Result<StreamProgress> Finish(std::string&) override { return NoStream(); }
  void AppendStreamError(const Error& error, std::string& out) const override { AppendOpenAiStreamError(error, out); }
  const api::Usage& usage() override { return usage_; }
  bool keeps_content_type() const override { return true; }

 protected:
  // Copies: the object may outlive its maker's stack frame; their views may not dangle.
  const ClientRequest request_;
  const AttemptTarget target_;
  api::Usage usage_;

 private:
  [[nodiscard]] Error NoStream() const { return MapUnsupported(*target_.deployment, "Audio is not streamed."); }
};

class OpenAiTranscription final : public OpenAiAudio {
 public:
  using OpenAiAudio::OpenAiAudio;

  Result<UpstreamRequest> BuildRequest() override {
    if (request_.form == nullptr)
      return MapUnsupported(*target_.deployment, "A transcription needs a multipart/form-data body.");
    SetFormat();
    UpstreamRequest out;
    out.path = "/audio/transcriptions";
    out.headers = BuildOpenAiHeaders({}, target_);
    out.content_type.append("multipart/form-data; boundary=\"").append(request_.form->boundary).append("\"");
    for (const api::FormPart& part : request_.form->parts) {
      if (part.name == "model" || part.name == "stream" || IsControlMember(part.name) || IsOverridden(part.name)) continue;
      out.body.AppendView(part.raw);
      out.body.AppendView("\r\n");
    }
    AddText(out, "model", target_.upstream_model);
    if (request_.overrides != nullptr) AddAll(out, *request_.overrides, true);
    AddAll(out, target_.deployment->default_params, false);
    out.body.AppendOwned(std::string("--").append(request_.form->boundary).append("--\r\n"));
    return out;
  }

  Result<std::string> TranslateBody(std::string& body) override {
    const std::string_view text = json::TrimSpace(body);
    if (text.empty()) return MapBadAnswer(*target_.deployment, "The answer is empty.");
    if (IsPlainText()) return std::move(body);
    if (json::KindOf(text) != json::Kind::kObject || json::Validate(body) != nullptr)
      return MapBadAnswer(*target_.deployment, "The answer is no JSON object.");
    ReadUsage(text);
    return std::move(body);
  }

 private:
  // What the upstream reads: an override, else the client's, else the row's default.
  void SetFormat() {
    constexpr std::string_view kKey = "response_format";
    const json::Object none;
    const std::string_view forced = json::GetString(request_.overrides != nullptr ? *request_.overrides : none, kKey);
    const api::FormPart* part = request_.form->Find(kKey);
    format_ = !forced.empty() ? forced : part != nullptr ? part->value
                                                         : json::GetString(target_.deployment->default_params, kKey);
  }

  // json and verbose_json are objects; text, srt and vtt are not.
  [[nodiscard]] bool IsPlainText() const { return format_ == "text" || format_ == "srt" || format_ == "vtt"; }

  [[nodiscard]] bool IsOverridden(std::string_view name) const {
    return request_.overrides != nullptr && json::Get(*request_.overrides, name) != nullptr;
  }

  // Members whose value is a text, a number or a truth value; a form has no others.
  void AddAll(UpstreamRequest& out, const json::Object& object, bool replace) const {
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      if (name == "model" || name == "stream" || IsControlMember(name) || member.value().is_structured() || member.value().is_null()) continue;
      if (!replace && (request_.form->Find(name) != nullptr || IsOverridden(name))) continue;
      if (member.value().is_string()) {
        AddText(out, name, {member.value().get_string().data(), member.value().get_string().size()});
      } else {
        // 0.5, not the 5E-1 of the JSON library: forms are read by simpler readers.
        AddText(out, name, member.value().is_double() ? PythonFloat(member.value().get_double())
                                                      : json::Serialize(member.value()));
      }
    }
  }

  // Names come from the configuration or a known override; a value cannot hold the delimiter, which
  // begins with a line break that names and models do not have.
  void AddText(UpstreamRequest& out, std::string_view name, std::string_view value) const {
    if (value.find('\n') != std::string_view::npos || name.find_first_of("\"\r\n") != std::string_view::npos) return;
    std::string part("--");
    part.append(request_.form->boundary).append("\r\nContent-Disposition: form-data; name=\"").append(name);
    part.append("\"\r\n\r\n").append(value).append("\r\n");
    out.body.AppendOwned(std::move(part));
  }

  // {"text":..., "duration": 3.1, "usage": {"type":"tokens","input_tokens":..}}
  void ReadUsage(std::string_view answer) {
    if (const auto duration = json::Find(answer, "duration")) {
      usage_.audio_seconds = json::ToDouble(*duration).value_or(0);
    }
    const auto usage = json::Find(answer, "usage");
    if (!usage || json::KindOf(*usage) != json::Kind::kObject) return;
    const auto number = [&usage](std::string_view name) -> int64_t {
      const auto value = json::Find(*usage, name);
      return value ? std::max<int64_t>(json::ToInt(*value).value_or(0), 0) : 0;
    };
    usage_.reported = true;
    usage_.prompt_tokens = number("input_tokens");
    usage_.completion_tokens = number("output_tokens");
    usage_.total_tokens = usage_.prompt_tokens + usage_.completion_tokens;
    if (const auto seconds = json::Find(*usage, "seconds")) {
      usage_.audio_seconds = json::ToDouble(*seconds).value_or(usage_.audio_seconds);
    }
    const auto details = json::Find(*usage, "input_token_details");
    if (!details || json::KindOf(*details) != json::Kind::kObject) return;
    if (const auto audio = json::Find(*details, "audio_tokens"))
      usage_.prompt_audio_tokens = std::max<int64_t>(json::ToInt(*audio).value_or(0), 0);
  }

  std::string format_;
};

class OpenAiSpeech final : public OpenAiAudio {
 public:
  using OpenAiAudio::OpenAiAudio;

  Result<UpstreamRequest> BuildRequest() override { return BuildOpenAiRequest(request_, target_, "/audio/speech"); }
  Result<std::string> TranslateBody(std::string& body) override {
    if (body.empty()) return MapBadAnswer(*target_.deployment, "The answer is empty.");
    return std::move(body);
  }
};

}  // namespace

std::unique_ptr<Translator> MakeOpenAiTranscription(const ClientRequest& request, const AttemptTarget& target) {
  return std::make_unique<OpenAiTranscription>(request, target);
}

std::unique_ptr<Translator> MakeOpenAiSpeech(const ClientRequest& request, const AttemptTarget& target) {
  return std::make_unique<OpenAiSpeech>(request, target);
}

}  // namespace gw::translate
