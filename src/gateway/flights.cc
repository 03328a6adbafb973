#include "gateway/flights.h"

#include <utility>

namespace gw::gateway {

namespace {

// More followers than this go upstream themselves: an answer is posted to each of them.
constexpr size_t kFollowersMax = 4096;

}  // namespace

// A follower's wait; lives in its frame, on its loop's thread.
class Flights::Wait {
 public:
  Wait(FollowerPtr follower, net::CancelSlot& gone, Duration wait_max)
      : follower_(std::move(follower)), gone_(gone), wait_max_(wait_max),
        deadline_(follower_->loop->timers(), &Wait::OnDeadline, this) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    follower_->wait = this;
    gone_.Set(&Wait::OnGone, this);
    deadline_.Arm(SteadyClock::now() + wait_max_);
  }
  void await_resume() const noexcept {}
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] cache::EntryPtr TakeEntry() { return std::move(entry_); }

  void Settle(Outcome outcome, cache::EntryPtr entry) {
    follower_->wait = nullptr;
    outcome_ = outcome;
    entry_ = std::move(entry);
    deadline_.Disarm();
    gone_.Clear();
    waiter_.resume();
  }

 private:
  static void OnDeadline(void* self) { static_cast<Wait*>(self)->Settle(Outcome::kAlone, nullptr); }
  static void OnGone(void* self) { static_cast<Wait*>(self)->Settle(Outcome::kGone, nullptr); }

  FollowerPtr follower_;
  net::CancelSlot& gone_;
  Duration wait_max_;
  net::Deadline deadline_;
  std::coroutine_handle<> waiter_;
  Outcome outcome_ = Outcome::kAlone;
  cache::EntryPtr entry_;
};

net::Task<Flights::Joined> Flights::Join(std::string key, net::EventLoop& loop, net::CancelSlot& gone,
                                         Duration wait_max) {
  Joined joined;
  auto follower = std::make_shared<Follower>();
  follower->loop = &loop;
  {
    Shard& shard = ShardOf(key);
    const std::lock_guard<std::mutex> lock(shard.mutex);
    const auto [flight, is_new] = shard.flights.try_emplace(key);
    if (is_new) {
      joined.outcome = Outcome::kLead;
    } else if (flight->second.size() >= kFollowersMax) {
      co_return joined;
    } else {
      flight->second.push_back(follower);
    }
  }
  if (joined.outcome != Outcome::kLead) {
    Wait wait(std::move(follower), gone, wait_max);
    co_await wait;
    joined.outcome = wait.outcome();
    joined.entry = wait.TakeEntry();
  }
  if (joined.outcome == Outcome::kLead) joined.lead.emplace(*this, std::move(key));
  co_return joined;
}

void Flights::Publish(const std::string& key, const cache::EntryPtr& entry) {
  std::deque<FollowerPtr> followers;
  {
    Shard& shard = ShardOf(key);
    const std::lock_guard<std::mutex> lock(shard.mutex);
    auto flight = shard.flights.extract(key);
    if (!flight.empty()) followers = std::move(flight.mapped());
  }
  for (FollowerPtr& follower : followers) {
    net::EventLoop& loop = *follower->loop;
    loop.Post([follower = std::move(follower), entry] {
      if (follower->wait != nullptr) follower->wait->Settle(Outcome::kAnswer, entry);
    });
  }
}

void Flights::HandOver(const std::string& key) {
  FollowerPtr next;
  {
    Shard& shard = ShardOf(key);
    const std::lock_guard<std::mutex> lock(shard.mutex);
    const auto flight = shard.flights.find(key);
    if (flight == shard.flights.end()) return;
    if (flight->second.empty()) {
      shard.flights.erase(flight);
      return;
    }
    next = std::move(flight->second.front());
    flight->second.pop_front();
  }
  net::EventLoop& loop = *next->loop;
  loop.Post([this, key, next = std::move(next)] {
    // Gone or tired of waiting meanwhile: the one behind it leads.
    if (next->wait != nullptr) next->wait->Settle(Outcome::kLead, nullptr);
    else HandOver(key);
  });
}

size_t Flights::size() const {
  size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    total += shard.flights.size();
  }
  return total;
}

}  // namespace gw::gateway
