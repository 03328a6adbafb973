// One call of one row: the client's request in the row's dialect, sent, its answer's head read.
//
//   Prepare --Error--> no upstream is called
//     '--> Open --no head--> OpenError
//            '--> http() is at the answer's body, translator() turns it back; then Finish
//
// Owns everything that must live from the translation to the end of the answer. A call that is
// dropped before Finish closes its connection: only an answer that was seen to its end leaves one
// that can be used again. Who calls: attempts of clients, mirrors, health probes, mock rows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "gateway/worker.h"
#include "translate/translator.h"
#include "upstream/attempt.h"

namespace gw::gateway {

struct CallSpec {
  const config::Deployment* deployment = nullptr;
  std::string_view upstream_model;  // lives as long as the call
  std::string shown_model;          // empty: the upstream's own
  std::string answer_id;
  bool drop_params = true;
  HeaderList forwarded_headers;     // of the client
  TimePoint started{};              // what the deadlines count from
};

class UpstreamCall {
 public:
  UpstreamCall(const translate::ClientRequest& request, CallSpec spec) : request_(request), spec_(std::move(spec)) {}
  ~UpstreamCall() { StopWatching(); }
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;

  // The body may be replaced before this, by a longer-lived one.
  [[nodiscard]] translate::ClientRequest& request() { return request_; }
  [[nodiscard]] std::optional<Error> Prepare();

  // `cancel` ends the call until Finish: the connection closes, what waits for it fails.
  [[nodiscard]] net::Task<void> Open(upstream::OriginPool& pool, double head_timeout_s, net::CancelSlot& cancel);
  [[nodiscard]] net::Task<void> Open(const View& view, double head_timeout_s, net::CancelSlot& cancel) {
    return Open(view.PoolOf(*spec_.deployment), head_timeout_s, cancel);
  }
  [[nodiscard]] bool is_open() const { return opened_.connection != nullptr; }
  [[nodiscard]] const upstream::OpenedAttempt& opened() const { return opened_; }
  // Why it is not open.
  [[nodiscard]] Error OpenError() const;

  // Once open: from now on `cancel` closes the connection.
  void Watch();
  [[nodiscard]] http::ClientConnection& http() { return opened_.connection->http; }
  [[nodiscard]] translate::Translator& translator() { return *translator_; }
  [[nodiscard]] const config::Deployment& deployment() const { return *spec_.deployment; }
  [[nodiscard]] TimePoint started() const { return spec_.started; }
  // The connection goes back to its pool, or is closed when the answer was not read to its end.
  void Finish();

 private:
  void StopWatching();

  translate::ClientRequest request_;
  const CallSpec spec_;
  translate::AttemptTarget target_;
  std::unique_ptr<translate::Translator> translator_;
  translate::UpstreamRequest built_;
  upstream::AttemptPlan plan_;
  upstream::OpenedAttempt opened_;
  net::CancelSlot* cancel_ = nullptr;
  bool is_watching_ = false;
};

}  // namespace gw::gateway
