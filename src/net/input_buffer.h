// The reading side of a connection: one buffer, and one read that may be outstanding while nobody
// waits for it. That standing read is what tells at once that a client has left (server side) or
// that an idle pooled connection is dead (upstream side), without an extra system call.
//
//   [ consumed | unread ........ | free ......... | padding ]
//              ^data()           ^end             ^capacity
//
// The buffer moves only in Reserve() and Compact(), never while a read is outstanding: views of the
// current message stay valid. simdjson may load json::kPadding bytes behind the data.
// Thread rule: the loop's thread only.
#pragma once

#include <coroutine>
#include <memory>
#include <string_view>

#include "net/event_loop.h"
#include "net/stream.h"

namespace gw::net {

class InputBuffer {
 public:
  InputBuffer(EventLoop& loop, Stream& stream, size_t initial_bytes);
  ~InputBuffer();
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  [[nodiscard]] std::string_view data() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void Consume(size_t bytes) { begin_ += bytes; }

  // Makes room for `bytes` of unread data in all; only without an outstanding read.
  void Reserve(size_t bytes);
  // Moves the unread data to the front when that frees a useful amount; same rule as Reserve.
  void Compact();
  // Forgets the unread data behind its first `bytes`; same rule as Reserve.
  void Truncate(size_t bytes) { end_ = begin_ + bytes; }
  // Bytes that unread data may grow to without moving.
  [[nodiscard]] size_t room() const { return capacity_ - begin_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] bool full() const { return end_ == capacity_; }

  // Starts the standing read if none is outstanding, there is room and the stream is healthy.
  void StartRead();
  [[nodiscard]] bool reading() const { return reading_; }
  // Starts the next standing read by itself while there is room (server side: a client that sends
  // ahead must still be seen leaving).
  void set_keep_reading(bool on) { keep_reading_ = on; }
  // The last completed read's trouble, sticky: kEof, kReset, ...; kOk while healthy.
  [[nodiscard]] IoStatus status() const { return status_; }
  // Called when the standing read ends while nobody waits for data.
  void SetListener(CancelSlot::Callback callback, void* context) { listener_.Set(callback, context); }
  void ClearListener() { listener_.Clear(); }

  // co_await Fill(deadline): waits until new bytes or trouble arrived. kOk: data() has grown.
  // The deadline cancels the stream and yields kTimeout. One waiter at a time.
  class Fill {
   public:
    Fill(InputBuffer& input, TimePoint deadline) : input_(input), deadline_(deadline) {}
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter);
    IoStatus await_resume();

   private:
    InputBuffer& input_;
    TimePoint deadline_;
  };
  // Waits until no read is outstanding; call Cancel() on the stream first.
  class Settled {
   public:
    explicit Settled(InputBuffer& input) : input_(input) {}
    bool await_ready() { return !input_.reading_; }
    void await_suspend(std::coroutine_handle<> waiter) { input_.waiter_ = waiter; }
    void await_resume() {}

   private:
    InputBuffer& input_;
  };

 private:
  void TakeResult();
  static void OnRead(void* self);
  static void OnDeadline(void* self);

  Stream& stream_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool reading_ = false;
  bool fresh_ = false;     // a read completed since the last Fill
  bool timed_out_ = false;
  bool keep_reading_ = false;
  IoStatus status_ = IoStatus::kOk;
  IoOp op_;
  std::coroutine_handle<> waiter_;
  CancelSlot listener_;
  Deadline deadline_;
};

}  // namespace gw::net
