// Deadlines without a timer per operation: a coarse wheel that finds the expired ones.
//
// Arm() is a store when the deadline only moves later (the usual case: each read pushes it out);
// the wheel notices at the old time and moves the node. Disarm() is a store, too: the node stays until
// its time, when the wheel drops it or, armed again meanwhile, moves it. Precision: up to one tick late, never early.
// Not thread-safe: one wheel per loop. A Deadline may be destroyed or re-armed at any time, also by
// another deadline's callback in the same sweep.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace gw::net {

class TimerWheel;

class Deadline {
 public:
  using Callback = void (*)(void* context);
  Deadline(TimerWheel& wheel, Callback callback, void* context)
      : wheel_(wheel), callback_(callback), context_(context) {}
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void Arm(TimePoint when);
  // Stays linked: the next Arm is then mostly a store, and a sweep drops what is not armed again.
  void Disarm() { armed_ = false; }
  [[nodiscard]] bool armed() const { return armed_; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Callback callback_;
  void* context_;
  TimePoint when_{};
  int64_t slot_tick_ = 0;  // tick of the slot that holds the node
  bool armed_ = false;
  Deadline* prev_ = nullptr;
  Deadline* next_ = nullptr;  // prev_ and next_ are set while linked
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{8};

  explicit TimerWheel(TimePoint start);
  // Calls the callbacks of all deadlines that have passed.
  void Advance(TimePoint now);
  // When Advance is needed next; nullopt when nothing is armed.
  [[nodiscard]] std::optional<TimePoint> NextWake() const;

 private:
  friend class Deadline;
  static constexpr size_t kSlots = 1024;  // about 8 s; later deadlines wait in the last slot

  struct List {
    Deadline head;
    explicit List(TimerWheel& wheel) : head(wheel, nullptr, nullptr) {
      head.prev_ = head.next_ = &head;
    }
    ~List() { head.prev_ = head.next_ = nullptr; }
  };

  [[nodiscard]] int64_t TickOf(TimePoint when) const;  // rounded up
  void Link(Deadline& deadline);
  static void Unlink(Deadline& deadline);
  void MarkSlot(size_t slot) { bits_[slot / 64] |= uint64_t{1} << (slot % 64); }

  TimePoint start_;
  int64_t current_tick_ = 0;
  std::array<Deadline*, kSlots> slots_{};  // singly reachable lists; nodes are doubly linked
  std::array<uint64_t, kSlots / 64> bits_{};
  List expired_;
};

}  // namespace gw::net
