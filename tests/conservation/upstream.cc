#include "upstream.h"

#include <sys/socket.h>

#include <array>
#include <random>

namespace conservation {

namespace {

std::string Usage(long prompt, long completion) {
  return "\"usage\":{\"prompt_tokens\":" + std::to_string(prompt) + ",\"completion_tokens\":" + std::to_string(completion) +
         ",\"total_tokens\":" + std::to_string(prompt + completion) + "}";
}

std::string Whole(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: application/json\r\ncontent-length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string Chunk(std::string_view data) {
  std::array<char, 20> size{};
  const int digits = snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  return std::string(size.data(), static_cast<size_t>(digits)).append(data).append("\r\n");
}

std::string Event(std::string_view choices, std::string_view more = {}) {
  std::string event = R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":)";
  event.append(choices).append(more).append("}\n\n");
  return Chunk(event);
}

const std::string kWord = Event(R"([{"index":0,"delta":{"role":"assistant","content":"word "},"finish_reason":null}])");
const std::string kEnd = Event(R"([{"index":0,"delta":{},"finish_reason":"stop"}])");
constexpr std::string_view kStreamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

}  // namespace

// One connection of the gateway's pool. Each method returns whether it goes on.
class Upstream::Session {
 public:
  Session(int fd, UpstreamCounts& counts, uint64_t seed) : connection_(fd), counts_(counts), random_(seed) {}

  void Run() {
    while (true) {
      const Message request = connection_.Read();
      if (!request.complete) return;
      ++counts_.requests;
      stream_ = request.body.find("\"stream\":true") != std::string::npos;
      const auto is = [&request](std::string_view model) {
        return request.body.find(std::string("\"model\":\"").append(model).append("\"")) != std::string::npos;
      };
      const bool goes_on = is("long") ? Endless() : is("flaky") ? Flaky() : Good();
      if (!goes_on) return;
    }
  }

 private:
  bool Good() {
    const long prompt = Below(1000) + 1, completion = Below(40) + 1;
    std::string answer;
    if (stream_) {
      answer = kStreamHead;
      for (long i = 0; i < completion; ++i) answer += kWord;
      answer += kEnd + Event("[]", "," + Usage(prompt, completion)) + Chunk("data: [DONE]\n\n") + "0\r\n\r\n";
    } else {
      answer = Whole(200, R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
                          R"("message":{"role":"assistant","content":"here"},"finish_reason":"stop"}],)" +
                              Usage(prompt, completion) + "}");
    }
    ++counts_.good;
    counts_.prompt_tokens += prompt;
    counts_.completion_tokens += completion;
    return connection_.Send(answer);
  }

  bool Flaky() {
    const long chance = Below(100);
    if (chance < 75) return Good();
    if (chance < 90 || !stream_) {
      ++counts_.failed_before;
      return FailBefore(chance % 5);
    }
    // A stream that has begun: the client hears of it inside its stream.
    ++counts_.failed_within;
    std::string begin(kStreamHead);
    for (long i = 0; i <= Below(5); ++i) begin += kWord;
    (void)connection_.Send(begin);
    connection_.Close();
    return false;
  }

  bool FailBefore(long way) {
    switch (way) {
      case 0: return connection_.Send(Whole(500, R"({"error":{"message":"made to fail","type":"server_error"}})"));
      case 1: return connection_.Send(Whole(429, R"({"error":{"message":"made to wait","type":"rate_limit_error"}})"));
      case 2: return connection_.Send(Whole(200, "<html>no answer</html>"));
      case 3:
        if (stream_) {
          (void)connection_.Send(kStreamHead);
        } else {
          (void)connection_.Send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":");
        }
        break;
      default: break;
    }
    connection_.Close();
    return false;
  }

  bool Endless() {
    std::string begin(kStreamHead);
    bool open = connection_.Send(begin.append(kWord));
    while (open && !connection_.PeerLeavesWithin(5)) open = connection_.Send(kWord);
    ++counts_.left_by_peer;
    return false;
  }

  long Below(long bound) { return static_cast<long>(random_() % static_cast<uint64_t>(bound)); }

  Connection connection_;
  UpstreamCounts& counts_;
  std::mt19937_64 random_;
  bool stream_ = false;
};

void Upstream::Serve(int fd, uint64_t number) { Session(fd, counts_, seed_ ^ (number * 0x9E3779B97F4A7C15ULL)).Run(); }

void Upstream::Start() {
  std::thread([this] {
    for (uint64_t number = 1;; ++number) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      std::thread([this, fd, number] { Serve(fd, number); }).detach();
    }
  }).detach();
}

}  // namespace conservation
