// HTTP requests to one receiver: a bounded queue, one connection pool, retries with back-off.
//
//   Send --queue full--> dropped, counted
//     '--> queue --> POST --2xx--> delivered
//                     |--429, 5xx, no answer--> again after a pause (Retry-After counts), at most
//                     |                         DeliveryOptions::attempts_max times, then dropped
//                     '--other status--> dropped, logged once a minute with the status, never the body
//
// Thread rule: the telemetry thread's loop only. Never fails its caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"
#include "net/dial.h"
#include "net/event_loop.h"
#include "net/resolver.h"
#include "net/task.h"

namespace gw::telemetry {

// http(s)://host[:port]/path?query taken apart. Error: not such a URL.
struct Url {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string host_header;
  std::string target;  // path and query; at least "/"
};
[[nodiscard]] Result<Url> ParseUrl(std::string_view text);

struct HttpMessage {
  std::string method = "POST";
  std::string target;   // empty: the URL's
  HeaderList headers;   // content-type, authorization, ...; host and content-length are added
  std::string body;
  uint32_t records = 1;  // for the counters: how many records (spans, lines, ...) it holds
};

// What happens to records, as metrics (litellm_gw_telemetry_*). Implemented by the gateway.
class DeliveryObserver {
 public:
  virtual ~DeliveryObserver() = default;
  // outcome: "delivered", "dropped_queue", "dropped_error", "dropped_retries".
  virtual void OnRecords(std::string_view sink, std::string_view outcome, uint64_t records) = 0;
};

// What a receiver that answered 2xx did not take all the same.
struct Rejection {
  uint64_t records = 0;
  std::string why;  // empty and no records: it took everything
};

struct DeliveryOptions {
  std::string sink;  // name for metrics and logs
  Url url;
  bool tls_verify = true;
  std::string ca_file;
  Duration timeout = std::chrono::seconds(10);
  int attempts_max = 5;
  Duration backoff_first = std::chrono::milliseconds(500);
  Duration backoff_max = std::chrono::seconds(15);
  size_t queue_bytes_max = size_t{16} << 20;
  int parallel = 1;  // requests under way at the same time
  bool gzip = false; // compress bodies (content-encoding: gzip)
  // Further headers for one attempt, made when it begins: signatures that age. May be empty.
  std::function<HeaderList(const HttpMessage&)> sign{};
  // Gets the body of a good answer: some receivers say in it what they did not take. May be empty.
  std::function<Rejection(std::string_view body)> on_delivered{};
};

// What deliveries share on the telemetry thread.
struct DeliveryContext {
  net::EventLoop& loop;
  net::DnsCache& dns;
  DeliveryObserver& observer;
};

class Delivery {
 public:
  virtual ~Delivery() = default;
  // Queues it; false: no room, it is dropped and counted.
  virtual bool Send(HttpMessage message) = 0;
  // Until the queue is empty or the deadline has passed (what is left is dropped and counted).
  [[nodiscard]] virtual net::Task<void> Drain(TimePoint deadline) = 0;
  [[nodiscard]] virtual size_t queued_bytes() const = 0;
};

[[nodiscard]] std::unique_ptr<Delivery> MakeDelivery(const DeliveryContext& context, DeliveryOptions options);

// Items that wait to be sent together. Add() until IsDue(), then Take().
class Batch {
 public:
  Batch(size_t items_max, size_t bytes_max, Duration interval)
      : items_max_(items_max), bytes_max_(bytes_max), interval_(interval) {}

  void Add(std::string item, TimePoint now) {
    if (items_.empty()) first_ = now;
    bytes_ += item.size();
    items_.push_back(std::move(item));
  }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  // No: what waits has to go first, or the receiver gets more than it takes.
  [[nodiscard]] bool HasRoomFor(std::string_view item) const {
    return items_.empty() || bytes_ + item.size() + items_.size() <= bytes_max_;
  }
  [[nodiscard]] bool IsFull() const { return items_.size() >= items_max_ || bytes_ >= bytes_max_; }
  [[nodiscard]] bool IsDue(TimePoint now) const { return !items_.empty() && (IsFull() || now - first_ >= interval_); }
  [[nodiscard]] std::vector<std::string> Take() {
    bytes_ = 0;
    return std::exchange(items_, {});
  }

 private:
  const size_t items_max_, bytes_max_;
  const Duration interval_;
  std::vector<std::string> items_;
  size_t bytes_ = 0;
  TimePoint first_{};
};

}  // namespace gw::telemetry
