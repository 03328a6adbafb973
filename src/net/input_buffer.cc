#include "net/input_buffer.h"

#include <cstring>
#include <utility>

#include "base/json.h"

namespace gw::net {

InputBuffer::InputBuffer(EventLoop& loop, Stream& stream, size_t initial_bytes)
    : stream_(stream),
      buffer_(std::make_unique<char[]>(initial_bytes + json::kPadding)),
      capacity_(initial_bytes),
      deadline_(loop.timers(), &InputBuffer::OnDeadline, this) {
  op_.on_done = &InputBuffer::OnRead;
  op_.context = this;
}

InputBuffer::~InputBuffer() = default;

void InputBuffer::Compact() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
}

void InputBuffer::Reserve(size_t bytes) {
  Compact();
  if (bytes <= capacity_) return;
  size_t capacity = capacity_;
  while (capacity < bytes) capacity *= 2;
  auto grown = std::make_unique<char[]>(capacity + json::kPadding);
  std::memcpy(grown.get(), buffer_.get(), end_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
}

void InputBuffer::StartRead() {
  if (reading_ || status_ != IoStatus::kOk || end_ == capacity_) return;
  reading_ = true;
  if (stream_.StartRead({buffer_.get() + end_, capacity_ - end_}, op_)) TakeResult();
}

void InputBuffer::TakeResult() {
  reading_ = false;
  fresh_ = true;
  if (op_.result.ok()) {
    end_ += op_.result.bytes;
  } else {
    status_ = timed_out_ ? IoStatus::kTimeout : op_.result.status;
  }
}

void InputBuffer::OnRead(void* self) {
  auto& input = *static_cast<InputBuffer*>(self);
  input.TakeResult();
  if (input.waiter_) {
    input.deadline_.Disarm();
    std::exchange(input.waiter_, {}).resume();
    return;
  }
  if (!input.op_.result.ok()) {
    input.listener_.Fire();
  } else if (input.keep_reading_) {
    input.StartRead();
  }
}

void InputBuffer::OnDeadline(void* self) {
  auto& input = *static_cast<InputBuffer*>(self);
  input.timed_out_ = true;
  input.stream_.Cancel();
}

bool InputBuffer::Fill::await_ready() {
  if (input_.fresh_) return true;
  if (input_.status_ != IoStatus::kOk) return true;
  input_.StartRead();
  // Still not reading: done at once, or no room (the caller must Reserve first; kFailed).
  return !input_.reading_;
}

void InputBuffer::Fill::await_suspend(std::coroutine_handle<> waiter) {
  input_.waiter_ = waiter;
  if (deadline_ != TimePoint::max()) {
    input_.deadline_.Arm(deadline_);
  }
}

IoStatus InputBuffer::Fill::await_resume() {
  if (!input_.fresh_ && input_.status_ == IoStatus::kOk) return IoStatus::kFailed;
  input_.fresh_ = false;
  return input_.status_;
}

}  // namespace gw::net
