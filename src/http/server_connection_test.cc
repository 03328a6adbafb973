// One connection over real sockets: an echo handler behind the real loop and listener, driven by
// a blocking client that sends bytes exactly as written here.
#include "http/server_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "net/listener.h"

namespace gw::http {
namespace {

// /echo answers with the body; /stream with three chunks; /wait until the client leaves.
class EchoHandler : public RequestHandler {
 public:
  std::atomic<int> cancelled{0};
  std::atomic<int> handled{0};

  net::Task<void> Handle(ServerExchange& exchange) override {
    ++handled;
    const std::string path(exchange.head().path());
    if (path == "/throw") {
      std::string text;
      text.reserve(text.max_size() + 1);
    }
    if (path == "/unread") {
      (void)co_await exchange.Respond(401, "", "no");
      co_return;
    }
    const RequestBody body = co_await exchange.ReadBody(1 << 20);
    if (body.status == BodyStatus::kTooLarge) {
      (void)co_await exchange.Respond(413, "", "large");
      co_return;
    }
    if (body.status != BodyStatus::kOk) {
      (void)co_await exchange.Respond(400, "", "bad");
      co_return;
    }
    if (path == "/stream") {
      (void)co_await exchange.StartStream(200, "x-a: b\r\n", "one");
      (void)co_await exchange.WriteChunk("two");
      (void)co_await exchange.WriteChunk("");
      (void)co_await exchange.EndStream();
      co_return;
    }
    if (path == "/wait") {
      if (!co_await net::Sleep(exchange.loop(), std::chrono::seconds(30), &exchange.on_client_gone())) ++cancelled;
      co_return;
    }
    (void)co_await exchange.Respond(200, "", body.data);
  }
  void DescribeBadRequest(int, std::string_view why, std::string&, std::string& body) override { body = why; }
};

class ServerConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = net::Listener::Open(loop_, "127.0.0.1", 0, [this](std::unique_ptr<net::Stream> stream) {
      net::Spawn(ServeConnection(loop_, std::move(stream), handler_, set_));
    });
    ASSERT_TRUE(opened.ok());
    listener_ = std::move(opened.value());
    listener_->Start();
    thread_ = std::thread([this] { loop_.Run(); });
  }
  void TearDown() override {
    for (const int fd : clients_) close(fd);
    // The connections notice, unwind, and only then the loop stops.
    for (int i = 0; i < 200; ++i) {
      std::promise<size_t> open;
      loop_.Post([&] { open.set_value(set_.open); });
      if (open.get_future().get() == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    loop_.Stop();
    thread_.join();
  }

  int Connect() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(listener_->port());
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    clients_.push_back(fd);
    return fd;
  }
  static void Send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<size_t>(n));
    }
  }
  // Reads until `until` was seen, the end, or 5 s of silence.
  static std::string Receive(int fd, std::string_view until) {
    std::string all;
    char buffer[65536];
    while (all.find(until) == std::string::npos) {
      pollfd p{fd, POLLIN, 0};
      if (poll(&p, 1, 5000) <= 0) return all + "<timeout>";
      const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
      if (n <= 0) return all + "<end>";
      all.append(buffer, static_cast<size_t>(n));
    }
    return all;
  }
  static std::string Post(std::string_view path, std::string_view body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }

  net::EventLoop loop_{0};
  EchoHandler handler_;
  ConnectionSet set_;
  std::unique_ptr<net::Listener> listener_;
  std::thread thread_;
  std::vector<int> clients_;
};

TEST_F(ServerConnectionTest, AnswersManyRequestsOnOneConnection) {
  const int fd = Connect();
  for (int i = 0; i < 50; ++i) {
    const std::string body = "body-" + std::to_string(i) + std::string(static_cast<size_t>(i) * 40, 'x') + "END";
    Send(fd, Post("/echo", body));
    EXPECT_NE(Receive(fd, "END").find("\r\n\r\n" + body), std::string::npos) << i;
  }
  EXPECT_EQ(handler_.handled, 50);
}

TEST_F(ServerConnectionTest, AnswersPipelinedRequestsInOrder) {
  const int fd = Connect();
  Send(fd, Post("/echo", "first") + Post("/echo", "second") + Post("/echo", "third-END"));
  const std::string all = Receive(fd, "third-END");
  EXPECT_LT(all.find("first"), all.find("second"));
  EXPECT_LT(all.find("second"), all.find("third"));
}

TEST_F(ServerConnectionTest, AHeadMayComeByteByByte) {
  const int fd = Connect();
  for (const char c : Post("/echo", "slow-END")) Send(fd, {&c, 1});
  EXPECT_NE(Receive(fd, "slow-END").find("200 OK"), std::string::npos);
}

TEST_F(ServerConnectionTest, LargeSizedAndChunkedBodiesArriveWhole) {
  const std::string big(900'000, 'b');
  const int fd = Connect();
  Send(fd, Post("/echo", big + "END"));
  EXPECT_NE(Receive(fd, "bEND").find("content-length: 900003"), std::string::npos);
  std::string chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < big.size(); at += 90'000) chunked += "15f90\r\n" + big.substr(at, 90'000) + "\r\n";
  Send(fd, chunked + "3\r\nEND\r\n0\r\n\r\n" + Post("/echo", "afterwards-OK"));
  EXPECT_NE(Receive(fd, "afterwards-OK").find("content-length: 900003"), std::string::npos);
}

TEST_F(ServerConnectionTest, RefusesALargeBodyBeforeReadingIt) {
  const int fd = Connect();
  Send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_NE(Receive(fd, "large").find("413"), std::string::npos);
}

TEST_F(ServerConnectionTest, SaysContinueWhenAsked) {
  const int fd = Connect();
  Send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(Receive(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  Send(fd, "hello");
  EXPECT_NE(Receive(fd, "hello").find("200 OK"), std::string::npos);
}

TEST_F(ServerConnectionTest, StreamsInChunksWithoutAnEarlyEnd) {
  const int fd = Connect();
  Send(fd, Post("/stream", ""));
  const std::string all = Receive(fd, "0\r\n\r\n");
  EXPECT_NE(all.find("transfer-encoding: chunked"), std::string::npos);
  EXPECT_NE(all.find("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), std::string::npos) << all;
}

TEST_F(ServerConnectionTest, Http10StreamsUntilClose) {
  const int fd = Connect();
  Send(fd, "POST /stream HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
  const std::string all = Receive(fd, "<never>");
  EXPECT_NE(all.find("\r\n\r\nonetwo<end>"), std::string::npos) << all;
}

TEST_F(ServerConnectionTest, AnUnreadBodyEndsTheConnectionAfterTheAnswer) {
  const int fd = Connect();
  Send(fd, Post("/unread", std::string(50'000, 'x')) + Post("/echo", "smuggled"));
  const std::string all = Receive(fd, "<never>");
  EXPECT_NE(all.find("401"), std::string::npos);
  EXPECT_EQ(all.find("smuggled"), std::string::npos);
}

TEST_F(ServerConnectionTest, ALeavingClientIsSeenAtOnce) {
  const int fd = Connect();
  Send(fd, Post("/wait", "x"));
  while (handler_.handled == 0) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  close(fd);
  clients_.clear();
  while (handler_.cancelled == 0 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5))
    std::this_thread::yield();
  EXPECT_EQ(handler_.cancelled, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
}

TEST_F(ServerConnectionTest, AnExceptionEndsItsConnectionAndNoOther) {
  const int other = Connect();
  Send(other, Post("/echo", "before-END"));
  EXPECT_NE(Receive(other, "before-END").find("200 OK"), std::string::npos);
  const int fd = Connect();
  Send(fd, Post("/throw", "x"));
  EXPECT_EQ(Receive(fd, "<never>"), "<end>");
  Send(other, Post("/echo", "after-END"));
  EXPECT_NE(Receive(other, "after-END").find("200 OK"), std::string::npos);
  std::promise<size_t> active;
  loop_.Post([&] { active.set_value(set_.active); });
  EXPECT_EQ(active.get_future().get(), 0U);
}

TEST_F(ServerConnectionTest, MalformedHeadsGetAnAnswerAndTheEnd) {
  for (const char* head : {"GET / HTTP/1.1\r\nbad header\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "\x16\x03\x01garbage\r\n\r\n"}) {
    const int fd = Connect();
    Send(fd, head);
    const std::string all = Receive(fd, "<never>");
    EXPECT_NE(all.find("HTTP/1.1 400"), std::string::npos) << head;
    EXPECT_NE(all.find("connection: close"), std::string::npos);
  }
  const int fd = Connect();
  Send(fd, "GET / HTTP/1.1\r\nx: " + std::string(100'000, 'h') + "\r\n\r\n");
  EXPECT_NE(Receive(fd, "<never>").find("HTTP/1.1 431"), std::string::npos);
}

}  // namespace
}  // namespace gw::http
