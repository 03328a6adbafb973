#include "routing/elsewhere.h"

#include "routing/cooldown.h"
#include "routing/half_open.h"

namespace gw::routing {

namespace {

constexpr Duration kMinute = std::chrono::seconds(60);
constexpr Duration kCooldownMax = std::chrono::hours(24 * 365);

}  // namespace

void NoteFullElsewhere(DeploymentState& state, Reservation reason, Duration trusted, Duration free_in, TimePoint now) {
  state.elsewhere_reason.store(static_cast<uint8_t>(reason), std::memory_order_relaxed);
  state.elsewhere_free_ns.store(NanosecondsOf(now + free_in), std::memory_order_relaxed);
  state.elsewhere_until_ns.store(NanosecondsOf(now + trusted), std::memory_order_relaxed);
}

void NoteTotalTokens(DeploymentState& state, int64_t total_tokens, TimePoint now) {
  const TokenCounts reserved = ReservedTokens(state);
  const auto own = static_cast<int64_t>(CountWindow::Read(state.token_window, kMinute, now) + reserved.input +
                                        reserved.output);
  // The window begins now: it is renewed by each answer, and what is not renewed is forgotten.
  std::atomic<uint64_t> fresh{0};
  CountWindow::Add(fresh, static_cast<uint64_t>(std::max<int64_t>(total_tokens - own, 0)), kMinute, now);
  state.others_tokens.store(fresh.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

uint64_t TokensElsewhere(const DeploymentState& state, TimePoint now) {
  return CountWindow::Read(state.others_tokens, kMinute, now);
}

void CoolDownElsewhere(DeploymentState& state, const config::RouterSettings& settings, Duration left, TimePoint now) {
  if (settings.disable_cooldowns || left <= Duration::zero()) return;
  const bool is_known = IsCoolingDown(state, now);
  if (settings.half_open_probes && !is_known) BecomeHalfOpen(state);
  // Of one that is known already only the end may move: its length is what clients are told.
  const int64_t length = state.cooldown_length_ns.load(std::memory_order_relaxed);
  (void)StartCooldown(state, std::min(left, kCooldownMax), now);
  if (is_known) state.cooldown_length_ns.store(length, std::memory_order_relaxed);
}

}  // namespace gw::routing
