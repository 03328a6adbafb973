#include "net/timer_wheel.h"

#include <bit>

namespace gw::net {

void Deadline::Arm(TimePoint when) {
  when_ = when;
  armed_ = true;
  if (next_ != nullptr) {
    // Linked at an earlier or equal tick: the sweep will look again and move the node then.
    if (slot_tick_ <= wheel_.TickOf(when)) return;
    TimerWheel::Unlink(*this);
  }
  wheel_.Link(*this);
}

Deadline::~Deadline() {
  if (next_ != nullptr) TimerWheel::Unlink(*this);
}

TimerWheel::TimerWheel(TimePoint start) : start_(start), expired_(*this) {}

int64_t TimerWheel::TickOf(TimePoint when) const {
  const auto since = when - start_;
  return since <= Duration::zero() ? 0 : (since + kTick - Duration(1)) / kTick;
}

void TimerWheel::Link(Deadline& deadline) {
  int64_t tick = TickOf(deadline.when_);
  if (tick <= current_tick_) tick = current_tick_ + 1;
  const int64_t horizon = current_tick_ + static_cast<int64_t>(kSlots) - 1;
  if (tick > horizon) tick = horizon;
  deadline.slot_tick_ = tick;
  const size_t slot = static_cast<size_t>(tick) % kSlots;
  Deadline*& head = slots_[slot];
  if (head == nullptr) {
    deadline.prev_ = deadline.next_ = &deadline;
    head = &deadline;
    MarkSlot(slot);
    return;
  }
  deadline.prev_ = head->prev_;
  deadline.next_ = head;
  head->prev_->next_ = &deadline;
  head->prev_ = &deadline;
}

void TimerWheel::Unlink(Deadline& deadline) {
  TimerWheel& wheel = deadline.wheel_;
  const size_t slot = static_cast<size_t>(deadline.slot_tick_) % kSlots;
  if (wheel.slots_[slot] == &deadline) {
    wheel.slots_[slot] = deadline.next_ == &deadline ? nullptr : deadline.next_;
    if (wheel.slots_[slot] == nullptr) wheel.bits_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  }
  deadline.prev_->next_ = deadline.next_;
  deadline.next_->prev_ = deadline.prev_;
  deadline.prev_ = deadline.next_ = nullptr;
}

void TimerWheel::Advance(TimePoint now) {
  const int64_t target = (now - start_) / kTick;
  // Collect first, act then: a callback may arm, disarm or destroy any deadline.
  while (current_tick_ < target) {
    ++current_tick_;
    const size_t slot = static_cast<size_t>(current_tick_) % kSlots;
    while (slots_[slot] != nullptr) {
      Deadline& deadline = *slots_[slot];
      Unlink(deadline);
      if (!deadline.armed_) continue;
      if (deadline.when_ > now) {
        Link(deadline);
        continue;
      }
      // Parked in the expired ring; its slot is empty, so Unlink never takes it for a head.
      deadline.slot_tick_ = current_tick_;
      deadline.prev_ = expired_.head.prev_;
      deadline.next_ = &expired_.head;
      expired_.head.prev_->next_ = &deadline;
      expired_.head.prev_ = &deadline;
    }
    if (target - current_tick_ > static_cast<int64_t>(kSlots)) {
      // The process slept: one full turn has visited every slot.
      current_tick_ = target - static_cast<int64_t>(kSlots);
    }
  }
  while (expired_.head.next_ != &expired_.head) {
    Deadline& deadline = *expired_.head.next_;
    deadline.prev_->next_ = deadline.next_;
    deadline.next_->prev_ = deadline.prev_;
    deadline.prev_ = deadline.next_ = nullptr;
    if (!deadline.armed_) continue;  // disarmed by an earlier callback
    if (deadline.when_ > now) {  // moved later by an earlier callback of this sweep
      Link(deadline);
      continue;
    }
    deadline.armed_ = false;
    deadline.callback_(deadline.context_);
  }
}

std::optional<TimePoint> TimerWheel::NextWake() const {
  for (size_t i = 1; i <= kSlots; ++i) {
    const size_t slot = static_cast<size_t>(current_tick_ + static_cast<int64_t>(i)) % kSlots;
    const uint64_t word = bits_[slot / 64] >> (slot % 64);
    if (word == 0) {
      i += 63 - slot % 64;  // the loop adds the last one
      continue;
    }
    const auto ahead = static_cast<int64_t>(i) + std::countr_zero(word);
    return start_ + (current_tick_ + ahead) * kTick;
  }
  return std::nullopt;
}

}  // namespace gw::net
