#include "clients.h"

#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "wire.h"

namespace conservation {

namespace {

class Client {
 public:
  Client(const ClientPlan& plan, uint64_t number) : plan_(plan), random_(plan.seed + number * 7919) {}

  ClientCounts Run(long requests) {
    for (long i = 0; i < requests; ++i) {
      if (connection_ == nullptr || !connection_->is_open()) connection_ = std::make_unique<Connection>(Connect(plan_.port));
      ++counts_.requests;
      Ask();
    }
    return counts_;
  }

 private:
  void Ask() {
    const auto chance = random_() % 1000;
    if (chance < 30) return AskAndLeave();
    if (chance < 35) return Whole("nobody", plan_.key);   // 400
    if (chance < 40) return Whole("tier", "sk-of-nobody");  // 401
    if (chance < 90) return Whole("brittle", plan_.key);  // one row, no retry, no fallback: 429 and 500
    if (chance < 540) return Whole("tier", plan_.key);
    Stream();
  }

  [[nodiscard]] bool Send(std::string_view model, std::string_view key, bool stream) {
    std::string body = R"({"model":")";
    body.append(model).append(R"(","num_retries":)").append(model == "brittle" ? "0" : "1");
    body += R"(,"messages":[{"role":"user","content":"say something"}])";
    body += stream ? R"(,"stream":true,"stream_options":{"include_usage":true}})" : "}";
    std::string head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nauthorization: Bearer ";
    head.append(key).append("\r\ncontent-length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    return connection_->Send(head + body);
  }

  void Whole(std::string_view model, std::string_view key) {
    const bool sent = Send(model, key, false);
    const Message answer = sent ? connection_->Read() : Message();
    if (!answer.complete) return Unclear();
    if (answer.status() == 200) {
      Complete(answer);
    } else {
      ++counts_.refused[answer.status()];
    }
    if (answer.Field("connection") == "close") connection_->Close();
  }

  void Stream() {
    const bool sent = Send("tier", plan_.key, true);
    const Message answer = sent ? connection_->Read() : Message();
    if (!answer.complete) return Unclear();
    if (answer.status() != 200) {
      ++counts_.refused[answer.status()];
    } else if (answer.body.find("\"error\":") != std::string::npos || answer.body.find("\"error\": ") != std::string::npos) {
      ++counts_.broken;
    } else if (answer.body.ends_with("data: [DONE]\n\n")) {
      Complete(answer);
    } else {
      return Unclear();
    }
    if (answer.Field("connection") == "close") connection_->Close();
  }

  void AskAndLeave() {
    const bool sent = Send("long", plan_.key, true);
    const Message begin = sent ? connection_->ReadBegin() : Message();
    if (begin.status() != 200 || begin.body.empty()) return Unclear();
    ++counts_.cancelled;
    connection_->Close();
  }

  void Complete(const Message& answer) {
    ++counts_.complete;
    counts_.prompt_tokens += NumberIn(answer.body, "prompt_tokens");
    counts_.completion_tokens += NumberIn(answer.body, "completion_tokens");
    if (answer.Field("x-litellm-attempted-fallbacks") == "1") ++counts_.fell_back;
  }

  void Unclear() {
    ++counts_.unclear;
    connection_->Close();
  }

  const ClientPlan& plan_;
  std::mt19937_64 random_;
  std::unique_ptr<Connection> connection_;
  ClientCounts counts_;
};

}  // namespace

void ClientCounts::Add(const ClientCounts& other) {
  requests += other.requests;
  complete += other.complete;
  broken += other.broken;
  cancelled += other.cancelled;
  unclear += other.unclear;
  for (const auto& [status, count] : other.refused) refused[status] += count;
  prompt_tokens += other.prompt_tokens;
  completion_tokens += other.completion_tokens;
  fell_back += other.fell_back;
}

ClientCounts RunClients(const ClientPlan& plan) {
  std::vector<ClientCounts> results(static_cast<size_t>(plan.connections));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); ++i) {
    const long share = plan.requests / plan.connections + (static_cast<long>(i) < plan.requests % plan.connections ? 1 : 0);
    threads.emplace_back([&plan, &results, i, share] { results[i] = Client(plan, i + 1).Run(share); });
  }
  ClientCounts sum;
  for (size_t i = 0; i < results.size(); ++i) {
    threads[i].join();
    sum.Add(results[i]);
  }
  return sum;
}

}  // namespace conservation
