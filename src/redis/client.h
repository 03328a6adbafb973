// Redis as one loop sees it, whichever way it is set up: one server, a master behind sentinels, or a
// cluster. Says where a key lies, follows MOVED and ASK, sends scripts by their hash.
//
// A call never outlasts its limit, and ends at once where the server is away (node.h).
// Thread rule: one loop's thread only. Close() before the last owner lets go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "net/resolver.h"
#include "redis/cluster.h"
#include "redis/node.h"
#include "redis/options.h"
#include "redis/resp.h"

namespace gw::redis {

// A Lua text and the SHA-1 it is known by once a server has seen it.
struct Script {
  explicit Script(std::string source);
  std::string text;
  std::string sha1;
};

struct Call {
  std::string_view function;  // names the call in metrics; a literal
  std::string key;            // says where it goes
  std::string command;        // encoded
  bool patient = false;       // nobody waits for it
  Duration limit{};           // zero: limits.h
  int replies = 1;            // of a command that holds several; the last one is the answer
  bool quiet = false;         // who calls tells the log of refusals
};

struct ScriptCall {
  std::string_view function;
  const Script* script = nullptr;  // static
  std::vector<std::string> keys;   // of one hash tag
  std::vector<std::string> arguments;
  bool patient = false;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  // `observer` outlives the client; may be null.
  Client(net::EventLoop& loop, net::DnsCache& dns, OptionsPtr options, Observer* observer);
  void Start();
  void Close();

  [[nodiscard]] const Options& options() const { return *options_; }
  // Would a call about this key be sent?
  [[nodiscard]] bool IsAvailable(std::string_view key) const;

  [[nodiscard]] net::Task<Answer> Ask(Call call);
  [[nodiscard]] net::Task<Answer> Run(ScriptCall call);
  // Without waiting for the answer.
  void Send(Call call);
  void Send(ScriptCall call);

  // Every server that holds keys, for what concerns all (SCAN, INFO).
  [[nodiscard]] std::vector<std::shared_ptr<Node>> nodes() const;

 private:
  [[nodiscard]] std::shared_ptr<Node> NodeOf(std::string_view key) const;
  void TellRefusal(std::string_view function, const std::string& why);

  const OptionsPtr options_;
  Observer* const observer_;
  std::shared_ptr<Node> single_;
  std::shared_ptr<Cluster> cluster_;
  TimePoint told_at_{};  // when the log heard of a refused command
};

}  // namespace gw::redis
