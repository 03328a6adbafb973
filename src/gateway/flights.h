// Requests that wait for the answer of an identical one that is already under way.
//
//   Join(key) --nobody asks yet--> kLead: go upstream, then Publish, or leave and someone follows
//      |------someone does-------> wait --published--> kAnswer
//      |                            |---leader failed or left: the first waiter leads--> kLead
//      |                            |---waited long enough--> kAlone: go upstream, tell nobody
//      '--too many wait: kAlone     '---client left--> kGone
//
// Any thread: followers live on other loops than their leader and are woken by a post to their own.
// Posts refer to the table: it outlives every loop. One lock per shard, held for a table probe; taken
// only by requests that may be shared at all.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "cache/entry.h"
#include "net/event_loop.h"
#include "net/task.h"

namespace gw::gateway {

class Flights {
 public:
  // The right and the duty to make the answer. Destroyed without Publish: the next one leads.
  class Lead {
   public:
    Lead(Flights& flights, std::string key) : flights_(&flights), key_(std::move(key)) {}
    Lead(Lead&& other) noexcept : flights_(std::exchange(other.flights_, nullptr)), key_(std::move(other.key_)) {}
    Lead& operator=(Lead&&) = delete;
    ~Lead() {
      if (flights_ != nullptr) flights_->HandOver(key_);
    }
    void Publish(const cache::EntryPtr& entry) {
      if (Flights* flights = std::exchange(flights_, nullptr)) flights->Publish(key_, entry);
    }

   private:
    Flights* flights_;
    std::string key_;
  };

  enum class Outcome : uint8_t { kLead, kAnswer, kAlone, kGone };
  struct Joined {
    Outcome outcome = Outcome::kAlone;
    std::optional<Lead> lead;  // kLead
    cache::EntryPtr entry;     // kAnswer
  };

  // On `loop`'s thread. `gone`: the client's cancel slot, free while this waits.
  [[nodiscard]] net::Task<Joined> Join(std::string key, net::EventLoop& loop, net::CancelSlot& gone, Duration wait_max);

  // Keys somebody leads; for tests.
  [[nodiscard]] size_t size() const;

 private:
  class Wait;
  // What a follower's frame shares with the table. Only its own loop's thread touches `wait`.
  struct Follower {
    net::EventLoop* loop = nullptr;
    Wait* wait = nullptr;  // null: no longer waiting
  };
  using FollowerPtr = std::shared_ptr<Follower>;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::deque<FollowerPtr>> flights;
  };
  static constexpr size_t kShards = 32;

  [[nodiscard]] Shard& ShardOf(const std::string& key) {
    return shards_[std::hash<std::string>()(key) % kShards];
  }
  void Publish(const std::string& key, const cache::EntryPtr& entry);
  void HandOver(const std::string& key);

  std::array<Shard, kShards> shards_;
};

}  // namespace gw::gateway
