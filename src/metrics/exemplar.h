// Which request fell into this bucket last? One exemplar per bucket of a histogram series.
//
// Each worker keeps its own, made at the first observation that brings an id; the scrape takes the
// youngest of all workers. A slot has one writer; its version is odd while it is being written, and a
// reader who meets that takes none. Bounded: one slot per bucket and worker, ids are cut.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gw::metrics {

using Word = std::atomic<uint64_t>;  // a count, the bits of a double, or a pointer

// A W3C trace id has 32 bytes, a UUID 36.
inline constexpr size_t kExemplarIdBytesMax = 40;

// What an observation says of its request; empty: nothing.
struct ExemplarId {
  enum class Kind : uint8_t { kTrace, kCall };
  std::string_view id;
  Kind kind = Kind::kTrace;
  double time_unix_s = 0;
};

struct Exemplar {
  std::string id;  // printable ASCII
  ExemplarId::Kind kind = ExemplarId::Kind::kTrace;
  double value = 0;
  double time_unix_s = 0;
  [[nodiscard]] bool empty() const { return id.empty(); }
  // compat: tracing tools know `trace_id`; a call that was not traced gets a label of its own.
  [[nodiscard]] std::string_view label() const { return kind == ExemplarId::Kind::kTrace ? "trace_id" : "call_id"; }
};

// The words of one slot: version, length and kind, value, time, id.
inline constexpr size_t kExemplarWords = 4 + kExemplarIdBytesMax / sizeof(uint64_t);

// Owner of the slot only. Ids that are not printable ASCII leave the slot as it is.
void WriteExemplar(Word* slot, const ExemplarId& exemplar, double value);
// Takes the slot's exemplar over when it is whole and younger.
void ReadYoungerExemplar(const Word* slot, Exemplar& youngest);

// The trace id of a traceparent header (W3C Trace Context); empty when it is not valid.
[[nodiscard]] std::string_view TraceIdOf(std::string_view traceparent);

}  // namespace gw::metrics
