#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <charconv>

namespace conservation {

namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SendAtOnce(int fd) {
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

size_t ToNumber(std::string_view text, int base) {
  size_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

int Message::status() const { return head.size() < 12 ? 0 : static_cast<int>(ToNumber(std::string_view(head).substr(9, 3), 10)); }

std::string_view Message::Field(std::string_view lower_name) const {
  size_t at = 0;
  while ((at = head.find("\r\n", at)) != std::string::npos) {
    at += 2;
    size_t i = 0;
    while (i < lower_name.size() && at + i < head.size() &&
           std::tolower(static_cast<unsigned char>(head[at + i])) == lower_name[i]) {
      ++i;
    }
    if (i != lower_name.size() || at + i >= head.size() || head[at + i] != ':') continue;
    const size_t begin = head.find_first_not_of(' ', at + i + 1);
    return std::string_view(head).substr(begin, head.find("\r\n", begin) - begin);
  }
  return {};
}

void Connection::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  rest_.clear();
}

bool Connection::Send(std::string_view data) {
  while (!data.empty()) {
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Connection::Fill() {
  char buffer[16384];
  const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
  if (got <= 0) return false;
  rest_.append(buffer, static_cast<size_t>(got));
  return true;
}

bool Connection::ReadHead(Message& message) {
  size_t end = 0;
  while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return false;
  }
  message.head = rest_.substr(0, end + 2);
  rest_.erase(0, end + 4);
  return true;
}

void Connection::ReadChunked(Message& message) {
  while (true) {
    size_t line = 0;
    while ((line = rest_.find("\r\n")) == std::string::npos) {
      if (!Fill()) return;
    }
    const size_t size = ToNumber(std::string_view(rest_).substr(0, line), 16);
    while (rest_.size() < line + 2 + size + 2) {
      if (!Fill()) {
        message.body += rest_.substr(line + 2);
        return;
      }
    }
    message.body.append(rest_, line + 2, size);
    rest_.erase(0, line + 2 + size + 2);
    if (size == 0) {
      message.complete = true;
      return;
    }
  }
}

Message Connection::Read() {
  Message message;
  if (!ReadHead(message)) return message;
  if (!message.Field("transfer-encoding").empty()) {
    ReadChunked(message);
    return message;
  }
  const size_t length = ToNumber(message.Field("content-length"), 10);
  while (rest_.size() < length) {
    if (!Fill()) return message;
  }
  message.body = rest_.substr(0, length);
  rest_.erase(0, length);
  message.complete = true;
  return message;
}

Message Connection::ReadBegin() {
  Message message;
  if (!ReadHead(message)) return message;
  if (rest_.empty() && !Fill()) return message;
  message.body = rest_;
  return message;
}

bool Connection::PeerLeavesWithin(int milliseconds) {
  pollfd waited{fd_, POLLIN, 0};
  if (poll(&waited, 1, milliseconds) <= 0) return false;
  char byte = 0;
  return recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd);
    return -1;
  }
  SendAtOnce(fd);
  const timeval patience{60, 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  return fd;
}

int Listen(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address = Loopback(port);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 1024) != 0) return -1;
  (void)getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

long NumberIn(std::string_view json, std::string_view name) {
  std::string key = "\"";
  key.append(name).append("\":");
  size_t at = json.rfind(key);
  if (at == std::string_view::npos) return 0;
  at = json.find_first_not_of(' ', at + key.size());
  return at == std::string_view::npos ? 0 : static_cast<long>(ToNumber(json.substr(at), 10));
}

}  // namespace conservation
