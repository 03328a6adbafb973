#include "telemetry/trace_context.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.h"

namespace gw::telemetry {
namespace {

constexpr size_t kTraceParentBytes = 55;  // version "-" trace-id "-" parent-id "-" flags
constexpr size_t kTraceStateBytesMax = 512;
constexpr size_t kTraceStateMembersMax = 32;
constexpr size_t kTraceStateKeyBytesMax = 256;

// Lower case alone: W3C forbids upper-case ids. -1: not a digit.
[[nodiscard]] int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

template <size_t kBytes>
[[nodiscard]] std::optional<std::array<uint8_t, kBytes>> BytesOf(std::string_view hex) {
  std::array<uint8_t, kBytes> bytes{};
  for (size_t i = 0; i < kBytes; ++i) {
    const int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return bytes;
}

struct Parent {
  TraceId trace_id;
  SpanId span_id;
  bool sampled, random_id;
};

// Nullopt: as if the header were not there.
[[nodiscard]] std::optional<Parent> ParseTraceParent(std::string_view text) {
  if (text.size() < kTraceParentBytes) return std::nullopt;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = BytesOf<1>(text.substr(0, 2));
  const auto trace = BytesOf<16>(text.substr(3, 32));
  const auto span = BytesOf<8>(text.substr(36, 16));
  const auto flags = BytesOf<1>(text.substr(53, 2));
  if (!version || !trace || !span || !flags) return std::nullopt;
  if ((*version)[0] == 0xFF || *trace == TraceId{} || *span == SpanId{}) return std::nullopt;
  // Version 00 ends here; later ones may append fields, which are nobody's business yet.
  const bool is_longer = text.size() > kTraceParentBytes;
  if (is_longer && ((*version)[0] == 0 || text[kTraceParentBytes] != '-')) return std::nullopt;
  return Parent{*trace, *span, ((*flags)[0] & kSampledFlag) != 0, ((*flags)[0] & kRandomFlag) != 0};
}

[[nodiscard]] bool IsTraceStateKey(std::string_view key) {
  if (key.empty() || key.size() > kTraceStateKeyBytesMax) return false;
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return is_first(key[0]) && std::all_of(key.begin(), key.end(), [&](char c) {
    return is_first(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  });
}

[[nodiscard]] bool IsTraceStateMember(std::string_view member) {
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos || !IsTraceStateKey(member.substr(0, equals))) return false;
  const std::string_view value = member.substr(equals + 1);
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c >= 0x20 && c < 0x7F && c != '=';
  });
}

// As it came; without its last members when it is too long; nothing when it is malformed (the trace goes
// on without it).
[[nodiscard]] std::string CleanTraceState(std::string_view text) {
  std::string kept;
  size_t members = 0;
  for (const std::string_view piece : Split(text, ',')) {
    const std::string_view member = Trim(piece);
    if (member.empty()) continue;
    if (!IsTraceStateMember(member) || ++members > kTraceStateMembersMax) return {};
    if (kept.size() + (kept.empty() ? 0 : 1) + member.size() > kTraceStateBytesMax) break;
    if (!kept.empty()) kept += ',';
    kept += member;
  }
  return kept;
}

void StoreBigEndian(uint64_t word, uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(word >> (56 - 8 * i));
}

[[nodiscard]] TraceId TraceIdFrom(uint64_t high, uint64_t low) {
  TraceId id{};
  StoreBigEndian(high, id.data());
  StoreBigEndian(low == 0 && high == 0 ? 1 : low, id.data() + 8);
  return id;
}

// The same for every process of a trace, so that its parts are kept or dropped together.
[[nodiscard]] bool IsWithin(double ratio, const TraceId& id) {
  if (!(ratio > 0)) return false;
  if (ratio >= 1) return true;
  uint64_t low = 0;
  for (size_t i = 8; i < 16; ++i) low = low << 8 | id[i];
  return low < static_cast<uint64_t>(std::ldexp(ratio, 64));
}

[[nodiscard]] bool IsSampled(Sampler sampler, double ratio, const TraceId& id, const std::optional<Parent>& parent) {
  switch (sampler) {
    case Sampler::kAlwaysOn: return true;
    case Sampler::kAlwaysOff: return false;
    case Sampler::kRatio: return IsWithin(ratio, id);
    case Sampler::kParentAlwaysOn: return parent ? parent->sampled : true;
    case Sampler::kParentAlwaysOff: return parent ? parent->sampled : false;
    case Sampler::kParentRatio: return parent ? parent->sampled : IsWithin(ratio, id);
  }
  return false;
}

void AppendHex(const uint8_t* bytes, size_t count, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (size_t i = 0; i < count; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 0xF];
  }
}

}  // namespace

TraceContext BeginTrace(std::string_view traceparent, std::string_view tracestate, Sampler sampler, double ratio,
                        const std::array<uint64_t, 3>& random) {
  TraceContext out;
  const auto parent = ParseTraceParent(traceparent);
  if (parent) {
    out.trace_id = parent->trace_id;
    out.parent_id = parent->span_id;
    out.random_id = parent->random_id;
    out.tracestate = CleanTraceState(tracestate);
  } else {
    out.trace_id = TraceIdFrom(random[0], random[1]);
  }
  out.span_id = SpanIdFrom(random[2]);
  out.sampled = IsSampled(sampler, ratio, out.trace_id, parent);
  return out;
}

SpanId SpanIdFrom(uint64_t random) {
  SpanId id{};
  StoreBigEndian(random == 0 ? 1 : random, id.data());
  return id;
}

std::string TraceParent(const TraceContext& context, const SpanId& span) {
  std::string out;
  out.reserve(kTraceParentBytes);
  out += "00-";
  AppendHex(context.trace_id.data(), context.trace_id.size(), out);
  out += '-';
  AppendHex(span.data(), span.size(), out);
  out += '-';
  const uint8_t flags = context.flags();
  AppendHex(&flags, 1, out);
  return out;
}

std::string Hex(const TraceId& id) {
  std::string out;
  AppendHex(id.data(), id.size(), out);
  return out;
}

std::string Hex(const SpanId& id) {
  std::string out;
  AppendHex(id.data(), id.size(), out);
  return out;
}

}  // namespace gw::telemetry
