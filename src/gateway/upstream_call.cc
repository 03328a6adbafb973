#include "gateway/upstream_call.h"

#include <chrono>

namespace gw::gateway {

namespace {

void CancelConnection(void* connection) { static_cast<http::ClientConnection*>(connection)->Cancel(); }

}  // namespace

std::optional<Error> UpstreamCall::Prepare() {
  target_.deployment = spec_.deployment;
  target_.upstream_model = spec_.upstream_model;
  target_.shown_model = spec_.shown_model;
  target_.drop_params = spec_.drop_params;
  target_.answer_id = spec_.answer_id;
  target_.now_unix_s = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch()).count();
  translator_ = translate::MakeTranslator(request_, target_);
  auto built = translator_->BuildRequest();
  if (!built.ok()) return std::move(built.error());
  built_ = std::move(*built);
  return std::nullopt;
}

net::Task<void> UpstreamCall::Open(upstream::OriginPool& pool, double head_timeout_s, net::CancelSlot& cancel) {
  plan_.deployment = spec_.deployment;
  plan_.request = &built_;
  plan_.forwarded_headers = &spec_.forwarded_headers;
  plan_.started = spec_.started;
  plan_.head_timeout_s = head_timeout_s;
  plan_.stream = request_.stream;
  plan_.accepts_any = api::IsAudio(request_.endpoint);
  cancel_ = &cancel;
  return upstream::OpenAttempt(pool, plan_, cancel, opened_);
}

Error UpstreamCall::OpenError() const {
  if (opened_.outcome != upstream::AttemptOutcome::kTimeout)
    return translate::MapConnectionError(*spec_.deployment, opened_.why);
  return translate::MapTimeout(*spec_.deployment, opened_.timeout_s, Seconds(SteadyClock::now() - spec_.started));
}

void UpstreamCall::Watch() {
  cancel_->Set(&CancelConnection, &opened_.connection->http);
  is_watching_ = true;
}

void UpstreamCall::StopWatching() {
  if (is_watching_) cancel_->Clear();
  is_watching_ = false;
}

void UpstreamCall::Finish() {
  StopWatching();
  if (opened_.connection != nullptr) upstream::FinishAttempt(std::move(opened_.connection));
}

}  // namespace gw::gateway
