// W3C Trace Context: which trace does a request belong to, and is it recorded?
//
// Pure: random numbers are handed in. Source: W3C Trace Context level 1, of level 2 the random flag; sampling: OpenTelemetry SDK
// specification (OTEL_TRACES_SAMPLER).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gw::telemetry {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

inline constexpr uint8_t kSampledFlag = 1, kRandomFlag = 2;

struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};    // of this request's server span
  SpanId parent_id{};  // all zero: the trace begins here
  bool sampled = false;
  bool random_id = false;  // whoever made the trace id says that it is random (level 2): passed on as it came
  std::string tracestate;  // passed on as it came; at most 512 bytes

  [[nodiscard]] bool has_parent() const { return parent_id != SpanId{}; }
  // trace-flags, as the header has them.
  [[nodiscard]] uint8_t flags() const {
    return static_cast<uint8_t>((sampled ? kSampledFlag : 0) | (random_id ? kRandomFlag : 0));
  }
};

enum class Sampler : uint8_t { kAlwaysOn, kAlwaysOff, kRatio, kParentAlwaysOn, kParentAlwaysOff, kParentRatio };

// The trace of a request. An absent or malformed traceparent begins a new one with ids from `random`
// (three words). `ratio` counts for the ratio samplers only: the low 8 bytes of the trace id decide.
[[nodiscard]] TraceContext BeginTrace(std::string_view traceparent, std::string_view tracestate, Sampler sampler,
                                      double ratio, const std::array<uint64_t, 3>& random);
[[nodiscard]] SpanId SpanIdFrom(uint64_t random);
// "00-<trace>-<span>-<flags>" with `span` as the parent of whoever reads it.
[[nodiscard]] std::string TraceParent(const TraceContext& context, const SpanId& span);
[[nodiscard]] std::string Hex(const TraceId& id);
[[nodiscard]] std::string Hex(const SpanId& id);

}  // namespace gw::telemetry
