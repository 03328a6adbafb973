// One attempt's place within the limits that replicas share through Redis. Asked before the attempt,
// given back (with what was used) after it, renewed while it runs.
//
// Asking is bounded by limits::kRedisAnswerTimeout; where Redis is away the local limits hold alone.
// Nothing of it runs unless Redis is configured.
// Thread rule: the worker's thread.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "gateway/worker.h"
#include "routing/elsewhere.h"
#include "routing/router.h"

namespace gw::gateway {

// The leases of one worker that are held now.
class LeaseBook {
 public:
  struct Held {
    std::shared_ptr<Core> core;
    uint32_t row = 0;
    std::string lease;
  };
  using Place = std::list<Held>::iterator;

  [[nodiscard]] Place Add(Held held) { return held_.insert(held_.end(), std::move(held)); }
  void Remove(Place place) { held_.erase(place); }
  // Tells Redis that all of them still run.
  void Renew(redis::Client& client) const;

 private:
  std::list<Held> held_;
};

struct SharedRefusal {
  routing::Reservation reason = routing::Reservation::kHeld;
  Duration trusted{}, free_in{};
};

class SharedLease {
 public:
  explicit SharedLease(Worker& worker) : worker_(worker) {}
  ~SharedLease();
  SharedLease(const SharedLease&) = delete;
  SharedLease& operator=(const SharedLease&) = delete;

  // nullopt: go on. `late` is set when Redis did not answer in time: this request asks no more.
  [[nodiscard]] net::Task<std::optional<SharedRefusal>> Ask(const View& view, const routing::Candidate& candidate,
                                                            routing::TokenCounts tokens, bool& late);
  // Booked when the lease ends.
  void SetUsage(int64_t input, int64_t output) {
    input_ = input;
    output_ = output;
  }

 private:
  Worker& worker_;
  std::shared_ptr<Core> core_;               // null: nothing is shared about the row
  std::shared_ptr<redis::Client> client_;
  const config::Deployment* row_ = nullptr;
  std::string lease_;
  std::optional<LeaseBook::Place> place_;
  int64_t input_ = 0, output_ = 0;
};

// A failed attempt, for the other replicas: the cooldown that it began, or one more failure that
// counts towards one.
void ShareFailure(const View& view, const config::Deployment& row, const routing::FailureEffect& effect);

}  // namespace gw::gateway
