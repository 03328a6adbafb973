// One downstream connection: reads requests one after the other, hands each to the handler as a
// ServerExchange, writes the answers in order. Knows nothing of LLMs.
//
//   head --bad--> 4xx, close        (400, 408 too slow, 431 too large)
//   head --ok---> Handle(exchange): ReadBody, then Respond | StartStream, WriteChunk*, EndStream
//   then the next request, or close (asked for, drain, body not read)
//
// Pipelining: a request that was sent ahead waits in the buffer (bounded) until its turn.
// A client that leaves is seen at once by the standing read: the exchange's cancel slot fires.
// Thread rule: the loop's thread only. Views of an exchange live until Handle returns.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/limits.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/input_buffer.h"
#include "net/stream.h"
#include "net/task.h"

namespace gw::http {

class ServerConnection;

enum class BodyStatus { kOk, kTooLarge, kMalformed, kTimeout, kClientGone };

struct RequestBody {
  BodyStatus status = BodyStatus::kOk;
  // With json::kPadding readable bytes behind it; valid until Handle returns.
  std::string_view data;
};

class ServerExchange {
 public:
  [[nodiscard]] const RequestHead& head() const { return head_; }
  [[nodiscard]] const std::string& client_ip() const;
  [[nodiscard]] TimePoint received_at() const { return received_at_; }  // head complete
  [[nodiscard]] net::EventLoop& loop() const;

  // Once. Bodies over `bytes_max` are refused before they are read.
  [[nodiscard]] net::Task<RequestBody> ReadBody(size_t bytes_max);

  // A whole answer. `header_lines`: "name: value\r\n" each; Content-Length, Connection and Date are
  // added here. False: the client is gone.
  [[nodiscard]] net::Task<bool> Respond(int status, std::string_view header_lines, std::string_view body);

  // A streamed answer (chunked; until close for HTTP/1.0). WriteChunk waits while the client does
  // not read, that is the back-pressure; empty data is skipped. False: the client is gone or has
  // stalled for too long.
  [[nodiscard]] net::Task<bool> StartStream(int status, std::string_view header_lines,
                                            std::string_view first_data);
  [[nodiscard]] net::Task<bool> WriteChunk(std::string_view data);
  [[nodiscard]] net::Task<bool> EndStream();

  [[nodiscard]] bool responded() const { return responded_; }
  [[nodiscard]] bool client_gone() const;
  // What to cancel when the client leaves. One at a time.
  [[nodiscard]] net::CancelSlot& on_client_gone() { return cancel_; }
  // The connection closes after this exchange.
  void CloseAfter() { close_after_ = true; }

 private:
  friend class ServerConnection;
  explicit ServerExchange(ServerConnection& connection) : connection_(connection) {}

  ServerConnection& connection_;
  RequestHead head_;
  TimePoint received_at_{};
  net::CancelSlot cancel_;
  bool responded_ = false;
  bool streaming_ = false;
  bool close_after_ = false;
  bool body_read_ = false;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Must answer the exchange (or leave it unanswered: the connection is closed then).
  [[nodiscard]] virtual net::Task<void> Handle(ServerExchange& exchange) = 0;
  // The answer to a head that could not be parsed: header lines and body for `status`.
  virtual void DescribeBadRequest(int status, std::string_view why, std::string& header_lines,
                                  std::string& body) = 0;
};

// Counts of one loop, for drain and limits.
struct ConnectionSet {
  size_t open = 0;
  size_t active = 0;       // inside Handle
  bool draining = false;   // keep-alive ends with the current request
  Duration keep_alive = limits::kKeepAliveTimeoutDefault;
  // Intrusive list of idle connections, so that a drain can close them at once.
  ServerConnection* idle_head = nullptr;
};

// Serves the stream until it ends; owns everything of the connection.
[[nodiscard]] net::Task<void> ServeConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream,
                                              RequestHandler& handler, ConnectionSet& set);
// Closes the idle connections of the set (drain).
void CloseIdle(ConnectionSet& set);

}  // namespace gw::http
