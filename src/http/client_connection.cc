#include "http/client_connection.h"

#include "base/limits.h"

namespace gw::http {

namespace {
constexpr size_t kUpstreamBufferBytes = 8 * 1024;
constexpr size_t kBodyRoomBytes = 4 * 1024;
}

ClientConnection::ClientConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)), input_(loop, *stream_, kUpstreamBufferBytes),
      write_deadline_(loop.timers(), &ClientConnection::OnWriteDeadline, this) {}

void ClientConnection::OnWriteDeadline(void* self) {
  auto* connection = static_cast<ClientConnection*>(self);
  connection->write_timed_out_ = true;
  connection->stream_->Cancel();
}

net::Task<net::IoStatus> ClientConnection::SendRequest(std::span<const std::string_view> pieces,
                                                       TimePoint deadline) {
  got_any_byte_ = false;
  malformed_ = nullptr;
  head_size_ = body_at_ = 0;
  spans_.clear();
  span_at_ = 0;
  body_done_ = false;
  net::WriteAll writing(*stream_, pieces);
  writing.Guard(write_deadline_, deadline);
  const net::IoResult result = co_await writing;
  write_deadline_.Disarm();
  co_return write_timed_out_ ? net::IoStatus::kTimeout : result.status;
}

net::Task<net::IoStatus> ClientConnection::FillMore(TimePoint deadline) {
  if (!input_.reading() && input_.full()) input_.Reserve(2 * input_.capacity());
  co_return co_await net::InputBuffer::Fill(input_, deadline);
}

net::Task<net::IoStatus> ClientConnection::FindHead(TimePoint deadline, size_t* size) {
  size_t scanned = 0;
  while (true) {
    *size = FindHeadEnd(input_.data(), scanned);
    if (*size != std::string_view::npos) co_return net::IoStatus::kOk;
    if (input_.data().size() > limits::kHeadBytesMax) {
      malformed_ = "answer head too large";
      co_return net::IoStatus::kFailed;
    }
    const net::IoStatus status = co_await FillMore(deadline);
    got_any_byte_ = got_any_byte_ || !input_.data().empty();
    if (status != net::IoStatus::kOk) co_return status;
  }
}

net::Task<net::IoStatus> ClientConnection::ReadHead(TimePoint deadline) {
  while (true) {
    size_t size = 0;
    const net::IoStatus status = co_await FindHead(deadline, &size);
    if (status != net::IoStatus::kOk) co_return status;
    malformed_ = ParseResponseHead(input_.data().substr(0, size), head_);
    if (malformed_ != nullptr) co_return net::IoStatus::kFailed;
    if (head_.status >= 200) {
      head_size_ = size;
      break;
    }
    input_.Consume(size);
  }
  // The head stays in front of the body, so that its views live; it must leave room.
  if (head_size_ + kBodyRoomBytes > input_.capacity() && !input_.reading()) {
    input_.Reserve(head_size_ + kBodyRoomBytes);
    malformed_ = ParseResponseHead(input_.data().substr(0, head_size_), head_);
  }
  left_ = head_.content_length.value_or(0);
  body_done_ = head_.bodyless || (head_.content_length && left_ == 0);
  if (head_.chunked) chunked_.Reset();
  co_return net::IoStatus::kOk;
}

net::Task<BodyPart> ClientConnection::ReadBody(TimePoint deadline) {
  BodyPart part;
  if (span_at_ < spans_.size()) {
    part.data = spans_[span_at_++];
    co_return part;
  }
  spans_.clear();
  span_at_ = 0;
  while (!body_done_) {
    const std::string_view fresh = input_.data().substr(head_size_ + body_at_);
    if (!fresh.empty()) {
      if (!TakeBody(fresh)) {
        malformed_ = "malformed chunked body";
        part.status = net::IoStatus::kFailed;
        co_return part;
      }
      if (spans_.empty()) continue;  // only framing
      part.data = spans_[span_at_++];
      co_return part;
    }
    if (!input_.reading()) {
      input_.Truncate(head_size_);
      body_at_ = 0;
    }
    const net::IoStatus status = co_await net::InputBuffer::Fill(input_, deadline);
    if (status == net::IoStatus::kOk) continue;
    const bool until_close = !head_.chunked && !head_.content_length;
    if (status != net::IoStatus::kEof || !until_close) {
      part.status = status;
      co_return part;
    }
    body_done_ = true;
  }
  co_return part;
}

// Turns fresh bytes into spans of the body. False: malformed.
bool ClientConnection::TakeBody(std::string_view fresh) {
  if (head_.chunked) {
    const auto used = chunked_.Feed(fresh, spans_);
    if (!used) return false;
    body_at_ += *used;
    body_done_ = chunked_.done();
    return true;
  }
  if (head_.content_length) {
    fresh = fresh.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, fresh.size())));
    left_ -= fresh.size();
    body_done_ = left_ == 0;
  }
  body_at_ += fresh.size();
  spans_.push_back(fresh);
  return true;
}

net::Task<net::IoStatus> ClientConnection::ReadWholeBody(std::string& body, size_t bytes_max,
                                                         TimePoint deadline) {
  if (head_.content_length && *head_.content_length > bytes_max) {
    malformed_ = "answer body too large";
    co_return net::IoStatus::kFailed;
  }
  while (true) {
    const BodyPart part = co_await ReadBody(deadline);
    if (part.status != net::IoStatus::kOk) co_return part.status;
    if (part.data.empty()) co_return net::IoStatus::kOk;
    if (body.size() + part.data.size() > bytes_max) {
      malformed_ = "answer body too large";
      co_return net::IoStatus::kFailed;
    }
    body += part.data;
  }
}

bool ClientConnection::reusable() const {
  return body_done_ && head_.keep_alive && input_.status() == net::IoStatus::kOk;
}

void ClientConnection::Park(net::CancelSlot::Callback on_dead, void* context) {
  input_.Consume(head_size_ + body_at_);
  head_size_ = body_at_ = 0;
  if (!input_.reading()) input_.Compact();
  input_.SetListener(on_dead, context);
  input_.StartRead();
}

net::Task<void> ClientConnection::Close() {
  stream_->Cancel();
  co_await net::InputBuffer::Settled(input_);
}

}  // namespace gw::http
