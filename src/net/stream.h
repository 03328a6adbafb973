// A connected byte stream: TCP, TLS over TCP, or an in-memory pair in tests.
//
// At most one read and one write may be outstanding. Cancel() makes the outstanding ones complete
// (soon, not inside the call) with kCancelled and refuses later ones: the stream can only be
// destroyed then. A stream must not be destroyed while an operation is outstanding.
// Thread rule: the loop's thread only.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/timer_wheel.h"

namespace gw::net {

enum class IoStatus { kOk, kEof, kReset, kTimeout, kCancelled, kFailed };

struct IoResult {
  size_t bytes = 0;
  IoStatus status = IoStatus::kOk;
  [[nodiscard]] bool ok() const { return status == IoStatus::kOk; }
};

// Where a finished operation reports to; lives in the awaiting frame or connection.
struct IoOp {
  using Callback = void (*)(void* context);
  IoResult result;
  Callback on_done = nullptr;
  void* context = nullptr;
  void Complete(IoResult r) {
    result = r;
    on_done(context);
  }
};

class Stream {
 public:
  virtual ~Stream() = default;
  // Both return true when done at once: op.result is set and there is no callback.
  // A read ends with bytes > 0, kEof, or an error.
  virtual bool StartRead(std::span<char> into, IoOp& op) = 0;
  // Writes all pieces; they must stay valid until the callback.
  virtual bool StartWrite(std::span<const std::string_view> pieces, IoOp& op) = 0;
  virtual void Cancel() = 0;
  // The peer's address, "127.0.0.1"; empty for in-memory streams.
  [[nodiscard]] virtual const std::string& peer_address() const = 0;
};

// co_await WriteAll(stream, pieces)
// Nearly every write is done at once: a guard reads the clock and is armed only when one is not. Who
// awaits disarms it.
class WriteAll {
 public:
  WriteAll(Stream& stream, std::span<const std::string_view> pieces)
      : stream_(stream), pieces_(pieces) {}
  void Guard(Deadline& guard, TimePoint until) {
    guard_ = &guard;
    until_ = until;
  }
  void Guard(Deadline& guard, Duration longest) {
    guard_ = &guard;
    longest_ = longest;
  }

  bool await_ready() noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    op_.context = this;
    op_.on_done = [](void* self) { static_cast<WriteAll*>(self)->waiter_.resume(); };
    if (stream_.StartWrite(pieces_, op_)) [[likely]] return false;
    if (guard_ != nullptr) guard_->Arm(longest_ > Duration::zero() ? SteadyClock::now() + longest_ : until_);
    return true;
  }
  IoResult await_resume() const noexcept { return op_.result; }

 private:
  Stream& stream_;
  std::span<const std::string_view> pieces_;
  std::coroutine_handle<> waiter_;
  Deadline* guard_ = nullptr;
  TimePoint until_{};
  Duration longest_{};
  IoOp op_;
};

}  // namespace gw::net
