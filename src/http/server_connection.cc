#include "http/server_connection.h"

#include <charconv>
#include <cstring>
#include <ctime>
#include <exception>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"

namespace gw::http {

namespace {

constexpr size_t kInitialBufferBytes = 4 * 1024;
// Room behind the current request that the standing read may use.
constexpr size_t kReadAheadBytes = 512;
// A body that nobody read is skipped up to here, so that the answer reaches the client; beyond it
// the connection closes.
constexpr size_t kDiscardBytesMax = 256 * 1024;
constexpr std::chrono::seconds kDiscardTime{2};
constexpr std::chrono::milliseconds kDiscardGap{100};

// "Date: ..." once per second and thread.
std::string_view DateLine() {
  thread_local std::time_t second = 0;
  thread_local char text[48];
  thread_local size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(text, sizeof(text), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  }
  return {text, length};
}

void AppendStatusLine(std::string& out, int status) {
  if (status == 200) [[likely]] {
    out += std::string_view("HTTP/1.1 200 OK\r\n");
    return;
  }
  out += "HTTP/1.1 ";
  char digits[8];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), status);
  (void)error;
  out.append(digits, end);
  out += ' ';
  out += ReasonPhrase(status);
  out += "\r\n";
}

class Active {
 public:
  explicit Active(ConnectionSet& set) : set_(set) { ++set_.active; }
  ~Active() { --set_.active; }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

 private:
  ConnectionSet& set_;
};

}  // namespace

class ServerConnection {
 public:
  ServerConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream, RequestHandler& handler,
                   ConnectionSet& set)
      : loop_(loop), stream_(std::move(stream)), input_(loop, *stream_, kInitialBufferBytes),
        handler_(handler), set_(set), exchange_(*this),
        write_deadline_(loop.timers(), &ServerConnection::OnWriteStall, this) {
    input_.set_keep_reading(true);
  }

  // Closes the stream at its end, whatever ended it.
  net::Task<void> Run();
  void Close() { stream_->Cancel(); }

 private:
  friend class ServerExchange;
  friend void CloseIdle(ConnectionSet& set);

  net::Task<void> ServeRequests();
  net::Task<size_t> WaitForHead();         // head size; 0: the connection is over
  const char* PrepareExchange(size_t head_size);
  net::Task<void> RefuseHead(int status, const char* why);
  net::Task<bool> FinishExchange(size_t head_size);
  net::Task<RequestBody> ReadSizedBody(size_t length);
  net::Task<RequestBody> ReadChunkedBody(size_t bytes_max);
  net::Task<bool> DiscardBody();
  net::Task<bool> Write(std::span<const std::string_view> pieces);
  void StartHead(int status, std::string_view header_lines);
  [[nodiscard]] bool KeepsAlive() const {
    return exchange_.head_.keep_alive && !exchange_.close_after_ && !set_.draining;
  }

  static void OnGone(void* self) { static_cast<ServerConnection*>(self)->exchange_.cancel_.Fire(); }
  static void OnWriteStall(void* self) { static_cast<ServerConnection*>(self)->stream_->Cancel(); }
  void LinkIdle();
  void UnlinkIdle();

  net::EventLoop& loop_;
  std::unique_ptr<net::Stream> stream_;
  net::InputBuffer input_;
  RequestHandler& handler_;
  ConnectionSet& set_;
  ServerExchange exchange_;
  net::Deadline write_deadline_;
  std::string head_out_;
  std::string body_;             // bodies that do not fit the input buffer
  size_t body_in_buffer_ = 0;    // bytes of the body that lie behind the head in the buffer
  size_t head_size_ = 0;
  ChunkedDecoder chunked_;
  ServerConnection* idle_prev_ = nullptr;
  ServerConnection* idle_next_ = nullptr;
  bool idle_linked_ = false;
};

// ---------------------------------------------------------------- the loop of one connection

net::Task<void> ServerConnection::Run() {
  ++set_.open;
  std::exception_ptr failure;
  try {
    co_await ServeRequests();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) log::Error("a connection ended by an exception", {{"what", net::WhatOf(failure)}});
  UnlinkIdle();
  write_deadline_.Disarm();
  input_.ClearListener();
  stream_->Cancel();
  co_await net::InputBuffer::Settled(input_);
  --set_.open;
}

net::Task<void> ServerConnection::ServeRequests() {
  for (size_t served = 0; served < limits::kRequestsPerConnectionMax; ++served) {
    const size_t head_size = co_await WaitForHead();
    if (head_size == 0) break;
    if (const char* why = PrepareExchange(head_size)) {
      co_await RefuseHead(std::string_view(why) == "too many header fields" ? 431 : 400, why);
      break;
    }
    {
      const Active active(set_);
      co_await handler_.Handle(exchange_);
    }
    if (!co_await FinishExchange(head_size)) break;
  }
}

net::Task<size_t> ServerConnection::WaitForHead() {
  size_t scanned = 0;
  TimePoint deadline = SteadyClock::now() + set_.keep_alive;
  bool started = false;
  while (true) {
    // Empty lines between messages are tolerated (RFC 9112, 2.2).
    while (input_.data().starts_with("\r\n")) input_.Consume(2);
    const size_t end = FindHeadEnd(input_.data(), scanned);
    if (end != std::string_view::npos && end <= limits::kHeadBytesMax) co_return end;
    if (input_.data().size() >= limits::kHeadBytesMax) {
      co_await RefuseHead(431, "the request head is too large");
      co_return 0;
    }
    if (!input_.data().empty() && !started) {
      started = true;
      deadline = SteadyClock::now() + limits::kHeadReadTimeout;
    }
    if (!input_.reading()) {
      if (started) {
        input_.Reserve(input_.full() ? 2 * input_.capacity() : 1);
      } else {
        input_.Compact();
      }
    }
    if (!started) LinkIdle();
    const net::IoStatus status = co_await net::InputBuffer::Fill(input_, deadline);
    UnlinkIdle();
    if (status == net::IoStatus::kTimeout && started) {
      // The stream is cancelled already; a slow head gets no answer it would wait for.
      co_return 0;
    }
    if (status != net::IoStatus::kOk) co_return 0;
    if (set_.draining && !started && input_.data().empty()) co_return 0;
  }
}

const char* ServerConnection::PrepareExchange(size_t head_size) {
  ServerExchange& ex = exchange_;
  ex.responded_ = ex.streaming_ = ex.close_after_ = ex.body_read_ = false;
  ex.received_at_ = SteadyClock::now();
  ex.cancel_.Clear();
  body_in_buffer_ = 0;
  head_size_ = head_size;
  const char* why = ParseRequestHead(input_.data().substr(0, head_size), ex.head_);
  if (why != nullptr) return why;
  // Small messages stay in the buffer whole; growing it moves it, so the head is parsed again.
  const size_t whole = head_size + ex.head_.content_length.value_or(0);
  const bool fits = ex.head_.content_length.value_or(0) <= limits::kReadBufferBytes &&
                    whole <= limits::kReadBufferBytes + kInitialBufferBytes;
  if (fits && !input_.reading() && whole + kReadAheadBytes > input_.room()) {
    input_.Reserve(whole + kReadAheadBytes);
    why = ParseRequestHead(input_.data().substr(0, head_size), ex.head_);
  }
  input_.SetListener(&ServerConnection::OnGone, this);
  return why;
}

net::Task<void> ServerConnection::RefuseHead(int status, const char* why) {
  std::string lines, body;
  handler_.DescribeBadRequest(status, why, lines, body);
  exchange_.close_after_ = true;
  exchange_.head_.http11 = true;
  StartHead(status, lines);
  head_out_ += "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
  const std::string_view pieces[] = {head_out_, body};
  const bool sent = co_await Write(pieces);
  if (sent) {
    (void)co_await DiscardBody();
  }
}

net::Task<bool> ServerConnection::FinishExchange(size_t head_size) {
  ServerExchange& ex = exchange_;
  input_.ClearListener();
  ex.cancel_.Clear();
  if (!ex.responded_ || input_.status() != net::IoStatus::kOk) co_return false;
  const bool has_body = ex.head_.chunked || ex.head_.content_length.value_or(0) > 0;
  if (has_body && !ex.body_read_) {
    input_.Consume(head_size);
    co_await DiscardBody();
    co_return false;
  }
  if (!KeepsAlive()) {
    co_return false;
  }
  input_.Consume(head_size + body_in_buffer_);
  if (body_.capacity() > limits::kReadBufferBytes) {
    body_ = std::string();
  } else {
    body_.clear();
  }
  co_return true;
}

void ServerConnection::LinkIdle() {
  if (idle_linked_) return;
  idle_linked_ = true;
  idle_prev_ = nullptr;
  idle_next_ = set_.idle_head;
  if (idle_next_ != nullptr) idle_next_->idle_prev_ = this;
  set_.idle_head = this;
}

void ServerConnection::UnlinkIdle() {
  if (!idle_linked_) return;
  idle_linked_ = false;
  (idle_prev_ != nullptr ? idle_prev_->idle_next_ : set_.idle_head) = idle_next_;
  if (idle_next_ != nullptr) idle_next_->idle_prev_ = idle_prev_;
}

void CloseIdle(ConnectionSet& set) {
  for (ServerConnection* c = set.idle_head; c != nullptr; c = c->idle_next_) c->Close();
}

// ---------------------------------------------------------------- bodies

net::Task<RequestBody> ServerConnection::ReadSizedBody(size_t length) {
  const size_t head_size = head_size_;
  RequestBody out;
  const bool in_place = head_size + length + kReadAheadBytes <= input_.room() ||
                        input_.data().size() >= head_size + length;
  if (!in_place) {
    body_.clear();
    body_.reserve(std::min<size_t>(length, size_t{1} << 20) + json::kPadding);
    // What is here already moves to the body; the head stays where its views point.
    body_in_buffer_ = std::min(input_.data().size() - head_size, length);
    body_.append(input_.data().substr(head_size, body_in_buffer_));
  }
  while (in_place ? input_.data().size() < head_size + length : body_.size() < length) {
    const size_t before = input_.data().size();
    if (!in_place && !input_.reading() && input_.full()) {
      // The tail behind the head is free again once its bytes were moved.
      input_.Truncate(head_size);
      body_in_buffer_ = 0;
      continue;
    }
    const auto status = co_await net::InputBuffer::Fill(input_, SteadyClock::now() + limits::kBodyReadGapTimeout);
    if (status != net::IoStatus::kOk) {
      out.status = status == net::IoStatus::kTimeout ? BodyStatus::kTimeout : BodyStatus::kClientGone;
      co_return out;
    }
    if (in_place) continue;
    const size_t take = std::min(input_.data().size() - before, length - body_.size());
    body_.append(input_.data().substr(before, take));
    body_in_buffer_ += take;
  }
  if (in_place) {
    body_in_buffer_ = length;
    out.data = input_.data().substr(head_size, length);
  } else {
    body_.reserve(body_.size() + json::kPadding);
    out.data = body_;
    if (!input_.reading() && input_.data().size() == head_size + body_in_buffer_) {
      input_.Truncate(head_size);  // room for the standing read
      body_in_buffer_ = 0;
    }
  }
  co_return out;
}

net::Task<RequestBody> ServerConnection::ReadChunkedBody(size_t bytes_max) {
  RequestBody out;
  chunked_.Reset();
  body_.clear();
  std::vector<std::string_view> spans;
  size_t at = head_size_;
  while (true) {
    const std::string_view fresh = input_.data().substr(at);
    spans.clear();
    const auto used = chunked_.Feed(fresh, spans);
    if (!used) {
      out.status = BodyStatus::kMalformed;
      co_return out;
    }
    for (const std::string_view span : spans) body_ += span;
    if (body_.size() > bytes_max) {
      out.status = BodyStatus::kTooLarge;
      co_return out;
    }
    at += *used;
    if (chunked_.done()) break;
    if (!input_.reading() && input_.full()) {
      input_.Truncate(head_size_);
      at = head_size_;
    }
    const auto status = co_await net::InputBuffer::Fill(input_, SteadyClock::now() + limits::kBodyReadGapTimeout);
    if (status != net::IoStatus::kOk) {
      out.status = status == net::IoStatus::kTimeout ? BodyStatus::kTimeout : BodyStatus::kClientGone;
      co_return out;
    }
  }
  body_in_buffer_ = at - head_size_;
  body_.reserve(body_.size() + json::kPadding);
  out.data = body_;
  co_return out;
}

// Reads and drops what the client still sends, bounded, so that it sees our answer before the close.
net::Task<bool> ServerConnection::DiscardBody() {
  const TimePoint deadline = SteadyClock::now() + kDiscardTime;
  size_t seen = 0;
  while (seen < kDiscardBytesMax) {
    seen += input_.data().size();
    input_.Consume(input_.data().size());
    if (!input_.reading()) input_.Compact();
    const TimePoint next = std::min(deadline, SteadyClock::now() + kDiscardGap);
    if (co_await net::InputBuffer::Fill(input_, next) != net::IoStatus::kOk) break;
  }
  co_return false;
}

// ---------------------------------------------------------------- answers

void ServerConnection::StartHead(int status, std::string_view header_lines) {
  head_out_.clear();
  AppendStatusLine(head_out_, status);
  head_out_ += DateLine();
  head_out_ += header_lines;
  if (!KeepsAlive()) {
    head_out_ += "connection: close\r\n";
  } else if (!exchange_.head_.http11) {
    head_out_ += "connection: keep-alive\r\n";
  }
}

net::Task<bool> ServerConnection::Write(std::span<const std::string_view> pieces) {
  net::WriteAll writing(*stream_, pieces);
  writing.Guard(write_deadline_, limits::kWriteStallTimeout);
  const net::IoResult result = co_await writing;
  write_deadline_.Disarm();
  co_return result.ok();
}

const std::string& ServerExchange::client_ip() const { return connection_.stream_->peer_address(); }
net::EventLoop& ServerExchange::loop() const { return connection_.loop_; }
bool ServerExchange::client_gone() const {
  return connection_.input_.status() != net::IoStatus::kOk;
}

net::Task<RequestBody> ServerExchange::ReadBody(size_t bytes_max) {
  RequestBody body;
  const size_t length = head_.content_length.value_or(0);
  if (length > bytes_max) {
    close_after_ = true;
    body.status = BodyStatus::kTooLarge;
    co_return body;
  }
  if (head_.expect_continue && (head_.chunked || connection_.input_.data().size() < connection_.head_size_ + length)) {
    const std::string_view go_on[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
    if (!co_await connection_.Write(go_on)) {
      body.status = BodyStatus::kClientGone;
      co_return body;
    }
  }
  if (head_.chunked) {
    body = co_await connection_.ReadChunkedBody(bytes_max);
  } else {
    body = co_await connection_.ReadSizedBody(length);
  }
  body_read_ = body.status == BodyStatus::kOk;
  if (!body_read_) close_after_ = true;
  // From here on the standing read watches the client.
  if (body_read_) connection_.input_.StartRead();
  co_return body;
}

net::Task<bool> ServerExchange::Respond(int status, std::string_view header_lines, std::string_view body) {
  responded_ = true;
  const bool unread = !body_read_ && (head_.chunked || head_.content_length.value_or(0) > 0);
  if (unread) close_after_ = true;
  connection_.StartHead(status, header_lines);
  std::string& out = connection_.head_out_;
  constexpr std::string_view kLabel = "content-length: ";
  char line[kLabel.size() + 24];
  std::memcpy(line, kLabel.data(), kLabel.size());
  char* end = std::to_chars(line + kLabel.size(), line + sizeof(line) - 4, body.size()).ptr;
  std::memcpy(end, "\r\n\r\n", 4);
  out.append(line, end + 4);
  if (head_.method == "HEAD") body = {};
  const std::string_view pieces[] = {out, body};
  co_return co_await connection_.Write(pieces);
}

net::Task<bool> ServerExchange::StartStream(int status, std::string_view header_lines,
                                            std::string_view first_data) {
  responded_ = true;
  streaming_ = true;
  if (!head_.http11) close_after_ = true;
  connection_.StartHead(status, header_lines);
  std::string& out = connection_.head_out_;
  if (head_.http11) out += "transfer-encoding: chunked\r\n";
  out += "\r\n";
  if (first_data.empty()) {
    const std::string_view pieces[] = {out};
    co_return co_await connection_.Write(pieces);
  }
  if (!head_.http11) {
    const std::string_view pieces[] = {out, first_data};
    co_return co_await connection_.Write(pieces);
  }
  char size[24];
  auto [end, error] = std::to_chars(size, size + 18, first_data.size(), 16);
  (void)error;
  *end++ = '\r';
  *end++ = '\n';
  out.append(size, end);
  const std::string_view pieces[] = {out, first_data, "\r\n"};
  co_return co_await connection_.Write(pieces);
}

net::Task<bool> ServerExchange::WriteChunk(std::string_view data) {
  if (data.empty()) co_return true;  // an empty chunk would end the body
  if (!head_.http11) {
    const std::string_view pieces[] = {data};
    co_return co_await connection_.Write(pieces);
  }
  char size[24];
  auto [end, error] = std::to_chars(size, size + 18, data.size(), 16);
  (void)error;
  *end++ = '\r';
  *end++ = '\n';
  const std::string_view pieces[] = {{size, static_cast<size_t>(end - size)}, data, "\r\n"};
  co_return co_await connection_.Write(pieces);
}

net::Task<bool> ServerExchange::EndStream() {
  if (!head_.http11) co_return true;
  const std::string_view pieces[] = {"0\r\n\r\n"};
  co_return co_await connection_.Write(pieces);
}

net::Task<void> ServeConnection(net::EventLoop& loop, std::unique_ptr<net::Stream> stream,
                                RequestHandler& handler, ConnectionSet& set) {
  if (set.open >= limits::kConnectionsPerLoopMax) co_return;  // the stream closes
  ServerConnection connection(loop, std::move(stream), handler, set);
  co_await connection.Run();
}

}  // namespace gw::http
