// Upstream events -> client, chunk by chunk, with back-pressure; the head waits for the first
// content, so that everything before it can still fall back.
#pragma once

#include <optional>
#include <string>

#include "gateway/run_attempt.h"
#include "http/client_connection.h"
#include "translate/translator.h"

namespace gw::gateway {

struct RelayInput {
  const routing::Candidate* candidate = nullptr;
  translate::Translator* translator = nullptr;
  http::ClientConnection* http = nullptr;
  TimePoint begin{};           // of the attempt
  double gap_s = 0;
  TimePoint first_content_by = TimePoint::max();
  double first_content_s = 0;  // what that deadline was made of; for the message
  bool timeout_by_client = false;
};

// State of one relayed stream.
class StreamRelay {
 public:
  // `report` is told how it ends.
  StreamRelay(RequestContext& context, routing::RequestRoute& route, const RelayInput& input, AttemptReport& report);
  ~StreamRelay();
  StreamRelay(const StreamRelay&) = delete;
  StreamRelay& operator=(const StreamRelay&) = delete;

  enum class Until : uint8_t { kContent, kEnd };
  // kContent: reads until the first content is at hand, sends nothing. False: over, see the report.
  // kEnd: sends what is at hand, then what comes. True: all that the upstream says has gone out.
  [[nodiscard]] net::Task<bool> Advance(Until until);
  // After the first content: the rest, and the end of the client's stream.
  [[nodiscard]] net::Task<void> Deliver();

 private:
  bool Digest(const http::BodyPart& part);
  [[nodiscard]] bool IsContentAtHand() const {
    if (!healthy_) return progress_.has_content && !out_.empty();
    return progress_.has_content || progress_.done;
  }
  net::Task<bool> Send();
  net::Task<void> Break(Error error);
  bool Abandon();
  [[nodiscard]] TimePoint Deadline() const;
  [[nodiscard]] Error ReadError(net::IoStatus status) const;
  void TakeUsage();
  void CountActive();

  RequestContext& context_;
  routing::RequestRoute& route_;
  const RelayInput input_;
  http::ClientConnection& http_;
  AttemptReport& report_;
  std::string out_;  // reused: no allocation per chunk
  std::optional<Error> trouble_;
  translate::StreamProgress progress_;
  bool is_gathered_ = false;   // parts were read and not looked at
  bool healthy_ = true;
  bool sent_content_ = false;  // of this attempt; the client may have content of an earlier one
  bool is_counted_ = false;    // among the active streams
};

}  // namespace gw::gateway
