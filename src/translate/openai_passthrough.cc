#include "translate/openai_passthrough.h"

#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/openai_request.h"

namespace gw::translate {

OpenAiPassthrough::OpenAiPassthrough(const ClientRequest& request, const AttemptTarget& target,
                                     std::string_view path, OpenAiStream::Schema schema)
    : request_(request), target_(target), path_(path), stream_(schema, request_, target_) {}

Result<UpstreamRequest> OpenAiPassthrough::BuildRequest() {
  return BuildOpenAiRequest(request_, target_, path_);
}

Result<std::string> OpenAiPassthrough::TranslateBody(std::string& body) {
  facts_ = {};
  has_body_ = true;
  return SpliceOpenAiAnswer(body, request_, target_, &facts_);
}

Result<StreamProgress> OpenAiPassthrough::Feed(std::string_view bytes, std::string& out) {
  return stream_.Feed(bytes, out);
}

Result<StreamProgress> OpenAiPassthrough::Finish(std::string& out) { return stream_.Finish(out); }

void OpenAiPassthrough::AppendStreamError(const Error& error, std::string& out) const {
  AppendOpenAiStreamError(error, out);
}

const api::Usage& OpenAiPassthrough::usage() {
  return has_body_ ? facts_.usage : stream_.usage();
}

bool OpenAiPassthrough::content_filtered() const {
  return has_body_ ? facts_.content_filtered : stream_.content_filtered();
}

std::unique_ptr<Translator> MakeOpenAiChat(const ClientRequest& request,
                                           const AttemptTarget& target) {
  return std::make_unique<OpenAiPassthrough>(request, target, "/chat/completions",
                                             OpenAiStream::Schema::kChat);
}

}  // namespace gw::translate
