#include "redis/client.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/log.h"
#include "redis/hash_slot.h"
#include "redis/locators.h"

namespace gw::redis {

namespace {

constexpr int kRedirectionsMax = 3;

std::string Sha1Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &bytes, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < bytes; ++i) {
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 15U];
  }
  return out;
}

std::string_view ErrorClassOf(const Answer& answer) {
  switch (answer.state) {
    case Answer::State::kOk: return "";
    case Answer::State::kError: return "ResponseError";
    case Answer::State::kTimeout: return "TimeoutError";
    case Answer::State::kAway: break;
  }
  return "ConnectionError";
}

std::string EncodeScript(const ScriptCall& call, bool by_hash) {
  Command command(by_hash ? "EVALSHA" : "EVAL");
  command.Add(by_hash ? call.script->sha1 : call.script->text);
  command.Add(static_cast<int64_t>(call.keys.size()));
  for (const std::string& key : call.keys) command.Add(key);
  for (const std::string& argument : call.arguments) command.Add(argument);
  return command.Encode();
}

Duration LimitOf(bool patient) {
  return patient ? Duration(limits::kRedisPatientTimeout) : Duration(limits::kRedisAnswerTimeout);
}

net::Task<void> SendCall(std::shared_ptr<Client> client, Call call) {
  (void)co_await client->Ask(std::move(call));
}

net::Task<void> SendScript(std::shared_ptr<Client> client, ScriptCall call) {
  (void)co_await client->Run(std::move(call));
}

}  // namespace

Script::Script(std::string source) : text(std::move(source)), sha1(Sha1Hex(text)) {}

Client::Client(net::EventLoop& loop, net::DnsCache& dns, OptionsPtr options, Observer* observer)
    : options_(std::move(options)), observer_(observer) {
  if (options_->settings.topology == config::RedisSettings::Topology::kCluster) {
    cluster_ = std::make_shared<Cluster>(loop, dns, options_, observer);
    return;
  }
  const net::DialTarget& first = options_->targets.front();
  std::string name = options_->settings.service_name;
  if (name.empty()) name = first.host + ":" + std::to_string(first.port);
  single_ = std::make_shared<Node>(loop, dns, MakeLocator(options_), options_->login, observer, std::move(name));
}

void Client::Start() {
  if (cluster_) cluster_->Start();
  else single_->Start();
}

void Client::Close() {
  if (cluster_) cluster_->Close();
  else single_->Close();
}

std::shared_ptr<Node> Client::NodeOf(std::string_view key) const {
  return cluster_ ? cluster_->NodeOf(SlotOf(key)) : single_;
}

bool Client::IsAvailable(std::string_view key) const {
  const std::shared_ptr<Node> node = NodeOf(key);
  return node != nullptr && node->available();
}

std::vector<std::shared_ptr<Node>> Client::nodes() const {
  return cluster_ ? cluster_->nodes() : std::vector<std::shared_ptr<Node>>{single_};
}

net::Task<Answer> Client::Ask(Call call) {
  Answer answer;
  std::shared_ptr<Node> node = NodeOf(call.key);
  const TimePoint begin = SteadyClock::now();
  const Duration limit = call.limit > Duration::zero() ? call.limit : LimitOf(call.patient);
  bool was_sent = false;
  bool asking = false;
  for (int i = 0; i <= kRedirectionsMax && node != nullptr; ++i) {
    const Duration left = limit - (SteadyClock::now() - begin);
    if (left <= Duration::zero()) break;
    std::string bytes = asking ? Command("ASKING").Encode() + call.command : call.command;
    answer = co_await node->Ask(std::move(bytes), call.replies + (asking ? 1 : 0), left, call.patient);
    was_sent |= answer.state != Answer::State::kAway;
    if (answer.state != Answer::State::kError || cluster_ == nullptr) break;
    const std::optional<Redirection> redirection = ReadRedirection(answer.reply.text);
    if (!redirection) break;
    node = cluster_->Follow(*redirection);
    asking = redirection->is_ask;
    // A server that was not known before has to be dialled first: not for someone who waits.
    if (node != nullptr && !node->available() && !call.patient) break;
  }
  const bool is_new_script = answer.state == Answer::State::kError && answer.reply.text.starts_with("NOSCRIPT");
  if (was_sent && observer_ != nullptr && !is_new_script) {
    observer_->OnCall(call.function, SteadyClock::now() - begin, ErrorClassOf(answer));
  }
  if (answer.state == Answer::State::kError && !is_new_script && !call.quiet) TellRefusal(call.function, answer.reply.text);
  co_return answer;
}

// Missing rights, a full memory: the operator should know, but not once per request.
void Client::TellRefusal(std::string_view function, const std::string& why) {
  constexpr std::chrono::minutes kInterval{1};
  const TimePoint now = SteadyClock::now();
  if (told_at_ != TimePoint() && now - told_at_ < kInterval) return;
  told_at_ = now;
  log::Warn("Redis refuses a command", {{"function", std::string(function)}, {"why", why.substr(0, std::min<size_t>(why.find(", with args"), 200))}});
}

net::Task<Answer> Client::Run(ScriptCall call) {
  Call plain;
  plain.function = call.function;
  plain.key = call.keys.front();
  plain.patient = call.patient;
  plain.command = EncodeScript(call, true);
  const TimePoint begin = SteadyClock::now();
  Answer answer = co_await Ask(plain);
  if (answer.state != Answer::State::kError || !answer.reply.text.starts_with("NOSCRIPT")) co_return answer;
  // Both together stay within one limit.
  plain.limit = LimitOf(call.patient) - (SteadyClock::now() - begin);
  if (plain.limit <= Duration::zero()) co_return Answer();
  plain.command = EncodeScript(call, false);
  answer = co_await Ask(std::move(plain));
  co_return answer;
}

void Client::Send(Call call) {
  call.patient = true;
  net::Spawn(SendCall(shared_from_this(), std::move(call)));
}

void Client::Send(ScriptCall call) {
  call.patient = true;
  net::Spawn(SendScript(shared_from_this(), std::move(call)));
}

}  // namespace gw::redis
