#include "metrics/exemplar.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace gw::metrics {
namespace {

constexpr size_t kIdWords = kExemplarIdBytesMax / sizeof(uint64_t);
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kRelaxed = std::memory_order_relaxed;

[[nodiscard]] bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
[[nodiscard]] bool IsAllZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// Quotes and backslashes would need escapes; ids have none.
[[nodiscard]] bool IsPlain(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

void WriteExemplar(Word* slot, const ExemplarId& exemplar, double value) {
  const std::string_view id = exemplar.id.substr(0, kExemplarIdBytesMax);
  if (!IsPlain(id)) return;
  std::array<uint64_t, kIdWords> bytes{};
  std::memcpy(bytes.data(), id.data(), id.size());
  const uint64_t version = slot[0].load(kRelaxed);
  slot[0].store(version + 1, kRelaxed);
  // Released one by one: a reader who sees any of them sees the odd version too.
  slot[1].store(id.size() | static_cast<uint64_t>(exemplar.kind) << 32, kRelease);
  slot[2].store(std::bit_cast<uint64_t>(value), kRelease);
  slot[3].store(std::bit_cast<uint64_t>(exemplar.time_unix_s), kRelease);
  for (size_t i = 0; i < kIdWords; ++i) slot[4 + i].store(bytes[i], kRelease);
  slot[0].store(version + 2, kRelease);
}

void ReadYoungerExemplar(const Word* slot, Exemplar& youngest) {
  const uint64_t version = slot[0].load(kAcquire);
  if (version == 0 || version % 2 != 0) return;
  const uint64_t shape = slot[1].load(kAcquire);
  const auto value = std::bit_cast<double>(slot[2].load(kAcquire));
  const auto time = std::bit_cast<double>(slot[3].load(kAcquire));
  std::array<uint64_t, kIdWords> bytes;
  for (size_t i = 0; i < kIdWords; ++i) bytes[i] = slot[4 + i].load(kAcquire);
  if (slot[0].load(kRelaxed) != version) return;
  if (!youngest.empty() && youngest.time_unix_s >= time) return;
  const size_t size = std::min<size_t>(shape & 0xFFFFFFFF, kExemplarIdBytesMax);
  youngest.id.assign(reinterpret_cast<const char*>(bytes.data()), size);
  youngest.kind = static_cast<ExemplarId::Kind>(shape >> 32);
  youngest.value = value;
  youngest.time_unix_s = time;
}

std::string_view TraceIdOf(std::string_view traceparent) {
  // version "-" trace-id "-" parent-id "-" flags; later versions may append.
  constexpr size_t kBytes = 55;
  if (traceparent.size() < kBytes) return {};
  const std::string_view version = traceparent.substr(0, 2), trace = traceparent.substr(3, 32),
                         parent = traceparent.substr(36, 16), flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  if (!IsLowerHex(version) || version == "ff" || !IsLowerHex(trace) || !IsLowerHex(parent) || !IsLowerHex(flags)) {
    return {};
  }
  const bool is_longer = traceparent.size() > kBytes;
  if (is_longer && (version == "00" || traceparent[kBytes] != '-')) return {};
  if (IsAllZero(trace) || IsAllZero(parent)) return {};
  return trace;
}

}  // namespace gw::metrics
