// One upstream connection: a request out, an answer in, then perhaps the next one.
//
// The head's views live until the next SendRequest or the connection's end; body views until the
// next ReadBody. While pooled, the standing read sees the upstream closing: alive() turns false.
// Cancel() (client gone, deadline) makes the pending wait end soon with kCancelled / kTimeout.
// Thread rule: the loop's thread only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/input_buffer.h"
#include "net/stream.h"
#include "net/task.h"

namespace gw::http {

struct BodyPart {
  net::IoStatus status = net::IoStatus::kOk;  // kEof: cut before its end; kFailed: malformed
  std::string_view data;                      // empty with kOk: the body is complete
};

class ClientConnection {
 public:
  ClientConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream);

  [[nodiscard]] net::Task<net::IoStatus> SendRequest(std::span<const std::string_view> pieces,
                                                     TimePoint deadline);
  // The final head; interim 1xx answers are skipped. kFailed: not HTTP (`malformed()` says why).
  [[nodiscard]] net::Task<net::IoStatus> ReadHead(TimePoint deadline);
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] const char* malformed() const { return malformed_; }
  [[nodiscard]] bool got_any_byte() const { return got_any_byte_; }

  [[nodiscard]] net::Task<BodyPart> ReadBody(TimePoint deadline);
  // The next ReadBody will not wait: decoded parts are at hand.
  [[nodiscard]] bool HasDecodedBody() const { return span_at_ < spans_.size(); }
  // The rest of the body, appended to `body`; kFailed when it exceeds bytes_max.
  [[nodiscard]] net::Task<net::IoStatus> ReadWholeBody(std::string& body, size_t bytes_max,
                                                       TimePoint deadline);

  // The answer was read to its end and the upstream keeps the connection.
  [[nodiscard]] bool reusable() const;
  // Pool side: starts watching / is it still usable?
  void Park(net::CancelSlot::Callback on_dead, void* context);
  void Unpark() { input_.ClearListener(); }
  [[nodiscard]] bool alive() const {
    return input_.status() == net::IoStatus::kOk && input_.data().empty();
  }
  void Cancel() { stream_->Cancel(); }
  // Waits until the connection may be destroyed; cancels it.
  [[nodiscard]] net::Task<void> Close();

 private:
  static void OnWriteDeadline(void* self);
  [[nodiscard]] bool TakeBody(std::string_view fresh);
  [[nodiscard]] net::Task<net::IoStatus> FillMore(TimePoint deadline);
  [[nodiscard]] net::Task<net::IoStatus> FindHead(TimePoint deadline, size_t* size);

  std::unique_ptr<net::Stream> stream_;
  net::InputBuffer input_;
  net::Deadline write_deadline_;
  bool write_timed_out_ = false;
  ResponseHead head_;
  size_t head_size_ = 0;       // still in the buffer in front of the body
  const char* malformed_ = nullptr;
  bool got_any_byte_ = false;
  bool body_done_ = true;
  uint64_t left_ = 0;          // of a sized body
  ChunkedDecoder chunked_;
  std::vector<std::string_view> spans_;
  size_t span_at_ = 0;
  size_t body_at_ = 0;         // bytes behind the head that are decoded already
};

}  // namespace gw::http
