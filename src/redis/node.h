// One server: a connection that carries many commands at a time, and the knowledge whether it is
// worth asking.
//
//   Run: locate -> dial -> AUTH, SELECT, PING -> answers arrive in order -> trouble -> pause -> again
//
// A call waits for its deadline and no longer. One that was not answered in time makes the server
// "away": from then on calls end at once, until a PING is answered in time. Its late answer still
// belongs to it (answers come in order) and is thrown away. A server that leaves a PING unanswered
// for a second loses its connection.
// Thread rule: one loop's thread only. Lives until its coroutines have ended; Close() first.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/dial.h"
#include "net/event_loop.h"
#include "net/precise_timer.h"
#include "net/task.h"
#include "redis/observer.h"
#include "redis/resp.h"

namespace gw::redis {

struct Login {
  std::string username, password;
  int db = 0;

  // The encoded AUTH; empty: none is needed.
  [[nodiscard]] std::string AuthCommand() const;
};

// Where a connection goes now; asked before each one.
class Locator {
 public:
  Locator() = default;
  virtual ~Locator() = default;
  Locator(const Locator&) = delete;
  Locator& operator=(const Locator&) = delete;
  // nullopt: nobody knows at the moment.
  [[nodiscard]] virtual net::Task<std::optional<net::DialTarget>> Locate(net::EventLoop& loop, net::DnsCache& dns,
                                                                        net::CancelSlot& cancel) = 0;
};

struct Answer {
  enum class State : uint8_t {
    kOk,
    kError,    // the server refused the command: reply.text
    kTimeout,  // not in time, or lost with the connection: it may have been carried out
    kAway,     // not even asked
  };
  State state = State::kAway;
  Reply reply;
  [[nodiscard]] bool ok() const { return state == State::kOk; }
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(net::EventLoop& loop, net::DnsCache& dns, std::shared_ptr<Locator> locator, Login login, Observer* observer,
       std::string name);

  void Start();
  void Close();

  // Would a call be sent?
  [[nodiscard]] bool available() const { return healthy_; }

  // `command` may hold several; the last one's reply is the answer, `replies` how many there are.
  // patient: also sent while the server is away but connected (nobody waits for it).
  [[nodiscard]] net::Task<Answer> Ask(std::string command, int replies, Duration limit, bool patient);

 private:
  struct Waiter {
    std::coroutine_handle<> handle;
    Answer answer;
    bool done = false;
  };
  struct Pending {
    enum class Kind : uint8_t { kCall, kLogin, kProbe };
    Kind kind = Kind::kCall;
    Waiter* waiter = nullptr;  // null: nobody waits (any more)
    TimePoint deadline{};
    TimePoint sent{};
  };
  struct Settled;
  struct WriterEnd;

  static net::Task<void> Run(std::shared_ptr<Node> self);
  static net::Task<void> Write(std::shared_ptr<Node> self);
  net::Task<void> Connect();
  net::Task<void> ReadReplies();
  void SayHello();
  void Probe(TimePoint now);
  void Push(std::string_view bytes, const Pending& pending);
  void TakeReply(Reply reply);
  void OnPong(const Pending& pending, const Reply& reply);
  void Drop();               // after the connection's end
  void Break(std::string_view why);
  // failure_class: "TimeoutError" or "ConnectionError", as metrics name it.
  void SetHealthy(bool healthy, std::string_view why, std::string_view failure_class);
  static void Finish(Waiter* waiter, Answer answer);
  static void OnTimer(void* self);
  void CheckDeadlines();
  void ArmTimer();

  net::EventLoop& loop_;
  net::DnsCache& dns_;
  const std::shared_ptr<Locator> locator_;
  const Login login_;
  Observer* const observer_;
  const std::string name_;  // for log lines

  std::unique_ptr<net::Stream> stream_;
  ReplyDecoder decoder_;
  std::deque<Pending> pending_;
  std::string outbox_;
  bool writing_ = false;
  std::coroutine_handle<> writer_waiter_;
  bool healthy_ = false;
  bool was_told_ = false;    // the log knows that it is away
  bool probing_ = false;     // a PING is under way
  TimePoint probe_at_{};     // when the next one goes out; zero: not planned
  bool started_ = false;
  bool closed_ = false;
  bool was_refused_ = false;  // the connection ended because the server is not the master
  Duration refusal_pause_{std::chrono::milliseconds(20)};  // until the next PING after a server that refused; doubles
  std::string trouble_;      // why the connection ended
  net::CancelSlot wake_, dial_cancel_;
  net::PreciseTimer timer_;
};

}  // namespace gw::redis
