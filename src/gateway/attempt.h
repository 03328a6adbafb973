// One attempt for one client request, in two steps: fetch (translate, call, read until there is
// something to say) and deliver (say it to the client). Between the two nothing has been sent, so
// that a failure may still be retried, and two attempts may be raced (hedged_attempt.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/request_context.h"
#include "gateway/run_attempt.h"
#include "gateway/stream_relay.h"
#include "gateway/upstream_call.h"
#include "routing/router.h"

namespace gw::gateway {

class Attempt {
 public:
  // All references must outlive it. `cancel` is this attempt's alone while it runs.
  Attempt(RequestContext& context, routing::RequestRoute& route, const routing::Candidate& candidate,
          net::CancelSlot& cancel);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // The request's clock and its error headers speak of this attempt from now on.
  void BecomeCurrent();

  // True: the whole answer, or the first content of a stream, is at hand. False: report() says why
  // not. Sends nothing.
  [[nodiscard]] net::Task<bool> Fetch();
  // After a Fetch that was true. report() says how it ended.
  [[nodiscard]] net::Task<void> Deliver();
  // Once, at the end: closes the books on time and gives the connection back.
  void Finish();

  [[nodiscard]] AttemptReport& report() { return report_; }
  [[nodiscard]] const routing::Candidate& candidate() const { return candidate_; }
  [[nodiscard]] TimePoint begin() const { return begin_; }
  // Ends the call when nothing is delivered: the connection closes unless its answer is through.
  void Drop();
  // As far as it is known; nullptr: nothing is.
  [[nodiscard]] const api::Usage* usage();

 private:
  [[nodiscard]] std::optional<Error> Prepare();
  [[nodiscard]] net::Task<void> ReadErrorAnswer();
  [[nodiscard]] net::Task<bool> ReadWholeAnswer();
  [[nodiscard]] net::Task<void> SendWholeAnswer();
  [[nodiscard]] net::Task<bool> BeginStream();
  [[nodiscard]] TimePoint Deadline() const { return begin_ + FromSeconds(timeouts_.first_byte_s); }
  [[nodiscard]] Error TimeoutError() const;
  bool Fail(Error error);

  RequestContext& context_;
  routing::RequestRoute& route_;
  const routing::Candidate& candidate_;
  net::CancelSlot& cancel_;
  const TimePoint begin_;
  routing::Timeouts timeouts_{};
  std::optional<std::string> continued_;  // the body, when a broken stream goes on here
  std::optional<UpstreamCall> call_;
  std::optional<StreamRelay> relay_;
  std::string body_;                      // of a whole answer, in the client's schema
  AttemptReport report_;
};

}  // namespace gw::gateway
